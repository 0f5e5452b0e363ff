"""When an alarm begins and ends: every rule on every piece of equipment, as arrays.

Row ``i`` of every array is one rule on one equipment. A row is idle, pending (breaching, not yet
long enough), active (the alarm is there) or clearing (returned, not yet long enough).

What a reading says is three-valued: breaching, normal, or unknown where it is bad or missing.
Unknown moves nothing: it never starts a delay and never ends an alarm. A delay that runs goes
on, for a fire may well burn the cable; a return is only believed while readings confirm it.
An uncertain reading may breach, but it is never normal, and it never closes a gate: a device
that reports what it cannot report, or of an unknown time, does not say that all is well.

A rule may compare something else than a reading: a gauge makes that number out of readings
(``gauges``, ``windows``, ``lasting``, ``calculation``, ``twins``), or says that it is not known,
and the rest is the same for all.

Python objects are made for the rare thing only: a change.
"""

from rules.alarms.conditions.machine import Conditions
from rules.alarms.conditions.rows import Change, ConditionRow, State, Turn, Verdict

__all__ = ["Change", "ConditionRow", "Conditions", "State", "Turn", "Verdict"]
