"""Ground floor: from the wire to a durable, ordered stream of readings.

Map: ``model`` (the words), ``documents`` (reading YAML with line numbers), ``site`` and
``profiles`` (what is installed and how it speaks), ``modbus`` and ``mqtt`` (protocols),
``derive`` and ``tally`` (points that follow from others), ``spool`` (the durable queue; its parts
are ``spool_*`` and ``segment``), ``history`` (where readings are kept), ``bus`` (how they reach the
rules), ``service`` (``run``), made of ``devices``, ``intake``, ``keeping``, ``watching`` and
``answering``.
"""
