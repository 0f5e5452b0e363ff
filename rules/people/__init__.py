"""Who may do what, and who they are.

``roles``: roles, permissions and the one check that every action makes (pure). ``accounts``:
users and their sessions.
"""
