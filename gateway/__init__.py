"""Ground floor: from the wire to a durable, ordered stream of readings.

Map: ``model`` (the words), ``documents`` (reading YAML with line numbers), ``site`` and
``profiles`` (what is installed and how it speaks), ``modbus`` and ``mqtt`` (protocols),
``spool`` (the durable queue), ``history`` (where readings are kept), ``bus`` (how they reach
the rules), ``service`` (``run``).
"""
