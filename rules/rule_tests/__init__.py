"""Rules are tried by files: readings in a short notation, and what they must have raised.

``notation``: one line of readings. ``document``: what a file may hold. ``files``: every file of
the rulebook, checked. ``run``: the tests over the real conditions, and what came out wrong.
"""
