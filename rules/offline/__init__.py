"""What a phone wrote down without signal; the protocol is told in ``deploy/docs/offline.md``.

``protocol``: what an entry is and what becomes of it, pure. ``facts``: what is known of its round
or order when it arrives. ``doing``: the action that it asks for, the same as the page's.
``taking``: one entry, in one transaction with its record. ``deciding``: what a person decides of a
conflict. ``today``: what a phone fetches before.
"""
