"""Work orders: ``lifecycle`` is their table, ``clock`` how long they may take."""
