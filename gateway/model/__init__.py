"""The words of the duty room as typed records: standard library and numpy only.

``moment`` time that survives a clock step · ``quality`` · ``point`` · ``profile`` ·
``equipment`` (links, equipment, site) · ``frame`` (readings in columns) · ``reading`` (one of
them) · ``events`` (the envelope and the one encoding that every bus carries).
"""
