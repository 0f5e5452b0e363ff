"""The site file: links, areas, equipment, what may be commanded.

Map: ``document`` (what may be written) · ``checks``, ``equipment``, ``topology``, ``commands``
(what is wrong although every key is known) · ``files`` (the whole, read into typed objects).
"""
