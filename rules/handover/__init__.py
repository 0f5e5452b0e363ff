"""The log of a shift, and how it is handed over to the next (S1 4.1–4.3 and 7.1–7.6).

``book``: what a site has settled. ``lifecycle``: the states of a handover. ``blocks``: what
forbids one. ``sheet``: what is handed over, as lines. ``wording``: the words of the log.
``actions``: what people do. ``service``: what happens by itself.
"""
