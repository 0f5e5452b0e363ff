"""Modbus: from points to the fewest legal reads, and from replies to columns of readings.

Map. Pure: ``plan`` (places → blocks), ``decode`` (blocks → columns), ``encode`` (a value → words),
``pdu`` (requests and replies), ``framing`` (on TCP and RTU wires, and of what is heard the one
expected reply), ``bisect`` (which addresses a device does not have), ``budget`` (whether a line has
the time), ``figures`` (what is counted). Wires: ``transport`` (TCP connection, serial device),
``link`` (one link, one request at a time), ``poller`` (which unit is read when, and what a silent
one costs its neighbours), ``meters`` (the figures for Prometheus).
"""
