"""Modbus TCP: from points to the fewest legal reads, and from replies to columns of readings.

Map: ``plan`` (places → blocks) and ``decode`` (blocks → columns), both pure; ``reply`` (what is
wrong with the bytes of a reply, pure); ``link`` (one connection, the only file that imports
pymodbus); ``poller`` (which unit is read when, and what a silent one costs its neighbours).
"""
