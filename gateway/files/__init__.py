"""Reading the files that a site may change: every mistake at once, with file and line.

Map: ``yaml_tree`` (YAML that knows its lines) · ``documents`` (checked, and what is right in a
wrong one) · ``fields``, ``durations`` (what fields hold) · ``folders`` (which files there are) ·
``spreadsheet`` (the other way: rows as CSV and XLSX for people).
"""
