"""A point table as integrators deliver it (CSV, XLSX) → a profile, and back.

Map: ``csv_file``, ``xlsx_file`` (a file → ``sheet``) · ``head``, ``words`` (which column is what) ·
``cells``, ``rows`` (what a cell and a row mean) · ``point_table`` (the whole) · ``export``.
"""
