"""Where readings are kept.

Map: ``base`` (the protocol, on one page) · ``embedded`` (one SQLite file) · ``influx`` (InfluxDB;
with ``influx_address``, ``influx_server``: the way there, ``lines``: line protocol, ``parking``:
what the server refuses) · ``writer`` (fills it from the spool) · ``retention``.
"""
