"""Where readings are kept, and where there are none.

Map: ``base`` (the protocol, on one page) · ``embedded`` (one SQLite file; its parts in
``archive``) · ``influx`` (InfluxDB; with ``influx_address``, ``influx_server``: the way there,
``lines``: line protocol, ``parking``: what the server refuses) · ``writer`` (fills it from the
spool) with ``thinning`` (what is left out) and ``gaps`` (what is missing, and why) · ``retention``.
"""
