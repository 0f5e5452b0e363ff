"""``make soak``: the whole product under random faults for ``MINUTES``, judged by the oracle; then
the fuzz tests and the kills at length. ``mishaps`` what can happen · ``run`` that it happens."""
