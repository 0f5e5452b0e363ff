"""The ledger: rows that must never be lost or doubled.

``tables`` what is kept · ``migrations`` how it came to be · ``store`` opening, one reader's view
and one writer's entry at a time · ``rows`` the records that readers get · ``view`` the reads ·
the other files write, one file a subject.
"""
