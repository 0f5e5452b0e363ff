"""When devices are asked for all that they know."""

from dataclasses import replace

from duty_room import equipment

from gateway.model.moment import SECOND
from gateway.model.point import PointKind
from gateway.model.profile import Availability, StatusRequest
from gateway.mqtt.asking import StatusRequests

LAMP = replace(
    equipment("lamp-1", "lamp", on=PointKind.FLAG),
    poll=60 * SECOND,
    availability=Availability(topic="lamp/online", online="true", offline="false"),
    status_requests=(StatusRequest(topic="lamp/rpc", payload="status"),),
)
ASK = ("lamp/rpc", b"status")


def asking(*things):
    made = StatusRequests()
    for thing in things:
        made.add(thing)
    return made


def times(made, seconds, begin=0):
    return [second for second in range(begin, begin + seconds) if made.due(second)]


def test_an_unchanged_lamp_is_asked_before_it_goes_stale():
    """A real Shelly says only what changes: its lamp went stale though nothing was wrong, and the
    hours for which it was on were not counted."""
    assert times(asking(LAMP), 90) == [20, 40, 60, 80]


def test_the_most_impatient_of_those_that_are_asked_alike_counts():
    other = replace(LAMP, id="lamp-2", poll=30 * SECOND)
    assert times(asking(LAMP, other), 31) == [10, 20, 30]
    assert asking(LAMP, other).all() == [ASK]


def test_who_left_is_not_asked_until_it_is_back():
    made = asking(LAMP)
    made.due(0)
    made.hear(LAMP, there=False)
    assert times(made, 60, 1) == []
    made.hear(LAMP, there=True)
    assert times(made, 40, 61) == [80, 100]


def test_nobody_is_asked_more_than_once_a_second():
    made = asking(replace(LAMP, poll=SECOND))
    assert sum(bool(made.due(tenth / 10)) for tenth in range(101)) == 10
