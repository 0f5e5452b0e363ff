"""The inspection regimes: what is due when, filled by what telemetry proves, signed by people.

``regime`` what a file says, as records; ``regime_document``, ``regime_checks`` and
``regime_files`` read it. ``calendar`` what is due when, ``items`` a regime laid over an area,
``judge`` what a reading or an answer proves, ``lifecycle`` the states of a round: all pure.
``proving`` what an item asks for beside an answer: ``windows`` (a stretch of history, read by
``window_reader``), ``compared`` (the sensor), ``evidence``, ``scans``, ``walks``. ``sample`` and
``spot_checks`` what is looked at again, ``coverage`` what nobody has looked at.
``actions`` what a person may do, ``service`` the loop that makes and fills the rounds.
"""
