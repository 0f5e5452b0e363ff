"""Work orders: ``lifecycle`` is their table, ``clock`` how long they may take and ``clock_words``
how that is told, ``limits`` and ``escalation`` what the site's ``book`` says about both."""
