"""Whose turn it is next, against a look at everybody."""

import random
from dataclasses import dataclass

import pytest

from gateway.modbus.agenda import Agenda
from gateway.model.moment import SECOND, Instant


@dataclass(eq=False)
class Unit:
    """What the agenda sees of a polled unit."""

    due: Instant | None = None
    silent: bool = False


def wait_of(units, now):
    """As one finds it out who looks at everybody; None: nobody has a turn."""
    waits = [0 if one.due is None else max(0, one.due.mono - now.mono) for one in speaking(units)]
    return min(waits, default=None)


def speaking(units):
    return [one for one in units if not one.silent]


@pytest.mark.parametrize("seed", range(5))
def test_the_agenda_finds_what_a_look_at_everybody_finds(seed):
    chance = random.Random(seed)
    units = [Unit() for _ in range(20)]
    agenda = Agenda(units)
    now = Instant(wall=0, mono=0, boot="boot-1")
    for _ in range(500):
        now = now.plus(chance.randrange(SECOND // 4))
        assert agenda.wait(now) == wait_of(units, now)
        expected = [one for one in speaking(units) if one.due is None or now.reached(one.due)]
        assert agenda.due(now) == expected
        # Whoever is interrupted in the middle of a round forgets nobody.
        for one in expected[: chance.randrange(len(expected) + 1)]:
            one.due = now.plus(chance.choice((SECOND // 5, SECOND, 60 * SECOND)))
            agenda.put(one)
        someone = chance.choice(units)
        match chance.randrange(6):
            case 0:
                someone.silent = True
            case 1:
                someone.due = None
                agenda.put(someone)
            case 2 | 3:
                someone.silent = False
                agenda.put(someone)
