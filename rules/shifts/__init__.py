"""Who is on duty, and which days are worked.

Pure: ``local_time`` clock times of a zone as instants · ``calendar`` kinds of days and working
time · ``rotation`` which team holds which shift · ``duty`` rotation, overrides and leave put
together. ``year_files`` and ``roster_file`` read what files say; ``rules.ledger.roster`` reads
what the ledger says; ``actions`` changes it.
"""
