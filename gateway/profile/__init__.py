"""A device type as a file: what it may say, what is wrong with it, and how it is laid on a thing.

Map: ``document`` (what may be written) · ``checks``, ``point_checks``, ``register_checks`` (what is
wrong although every key is known) · ``files`` (reading them, installing one) · ``change`` (one
made from another) · ``new`` and ``text`` (writing one).
"""
