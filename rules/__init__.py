"""First floor: what readings mean, and who has to do something about it.

``rule`` what a rule says · ``rulebook`` the files it comes from · ``book`` those files ·
``alarms`` conditions over frames, and the life of an alarm · ``orders`` the life of a work order
and its clock · ``ledger`` the rows that must never be lost or doubled · ``worker`` evaluates
records and commits their effect together with the cursor · ``notify`` messages to people ·
``people`` users and sessions · ``actions`` what a person may do · ``service`` runs it all.
"""
