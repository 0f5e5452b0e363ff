"""Changed rules over the history: what they would have raised.

``watched``: which readings of a point can change what a rule says. ``readings``: those of the
history, and the moments at which something can happen. ``run``: the real conditions over them.
``outcome``: what came up then, against what was raised and what led to an order.
"""
