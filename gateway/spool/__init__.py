"""The durable queue between the wire and everything behind it.

Map: ``queue`` (the whole) · ``memory`` (what waits for the disk) · ``pen`` (writing) · ``shelf``
(what lies there, read by number) · ``segment`` (one file of it) · ``opening`` (after whatever end)
· ``files`` (lock, epoch, mark).
"""
