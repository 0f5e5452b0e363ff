"""``make bench``: what dutyroom does in a second, beside the plain way in the same run.

``truth`` what a bench device says, computable by whoever checks · ``site`` a site file of many
devices · ``devices`` those devices on a lean Modbus TCP server · ``gateway`` the real gateway (and
rules) in a process of its own, measured and checked · ``polling`` ``history`` ``lines`` the parts
· ``figures`` what a part hands back · ``run`` all of it, one table.

A part first checks that what it counted is right, and only then says how fast it was. The figure
is the ratio to the plain way: it says the same on a fast machine and on a slow one.
"""
