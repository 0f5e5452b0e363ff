"""Who may do what, and who they are.

``roles``: roles, permissions and the one check that every action makes (pure). ``people``: the
people of a site. ``people_file``: reading them from a file. ``accounts``: logging in, passwords,
PINs. ``sessions``: who is logged in. ``tokens``: for machines. ``throttle``: against guessing
(pure). ``passwords``: what is kept of a secret.
"""
