"""Where readings are kept.

Map: ``base`` (the protocol, on one page) · ``embedded`` (one SQLite file).
"""
