"""How what the gateway says reaches the rules and the API.

Map: ``base`` (the protocol, on one page, and topic filters) · ``memory`` (within one process) ·
``mqtt`` (through a broker) · ``chunk`` (a stretch of the spool as one message) · ``stream`` (order
and completeness above any bus: a bus may drop, double and reorder, a stream does not).
"""
