"""A quarter of the demonstration site, fast-forwarded: exactly the planned rounds (gate 49)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from inspections import SHANGHAI, at, currents

from gateway.clock import ManualClock
from gateway.model.moment import DAY, SECOND
from gateway.site.files import load
from rules.inspections.regime import CatchUp
from rules.inspections.upkeep import Upkeep
from rules.ledger import round_view
from rules.ledger.round_rows import Round
from rules.ledger.round_view import Wanted
from rules.ledger.store import open_ledger
from rules.rulebook import load_rulebook
from rules.shifts.local_time import date_of

DEMO = Path(__file__).parents[3] / "deploy" / "demo" / "site.yaml"
START, END = "2026-10-01 00:00", "2026-12-31 23:59"
LOOKS = ("00:00", "08:00", "19:00")
"""When the service looks in the week of National Day: planning, the windows, the night round."""
OPENED_UNTIL = "2026-10-11 00:00"
"""Until then rounds are opened too; afterwards they are planned, and the last evening's are."""

pytestmark = pytest.mark.one_worker


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> list[Round]:
    """Every round of a ledger that is new on 2026-10-01; nobody does any.

    State and times of a round do not hang on whether it was opened, where nothing is caught up
    with, so most days are planned only: opening costs most of the time.
    """
    site = load(DEMO)
    book = load_rulebook(site)
    missed = {name: replace(one, catch_up=CatchUp.MISSED) for name, one in book.regimes.items()}
    ledger = open_ledger(tmp_path_factory.mktemp("quarter") / "ledger.db")
    upkeep = Upkeep(site=site, rulebook=replace(book, regimes=missed), ledger=ledger)
    clock = ManualClock(at(START))
    told = at(START)
    while clock.now().wall <= at(END):
        now = clock.now()
        upkeep.plan(now)
        is_opened = now.wall < at(OPENED_UNTIL)
        if is_opened or now.wall + DAY > at(END):
            upkeep.keep(now, currents(now, site), told=told)
        told = now.wall
        clock.advance(
            (_next_look(now.wall, looks=LOOKS if is_opened else LOOKS[:1]) - now.wall) / SECOND
        )
    with ledger.read(site.id) as view:
        found = round_view.rounds(view, Wanted(), now=at(END))
    ledger.close()
    return found


def _next_look(now: int, *, looks: tuple[str, ...]) -> int:
    today = date_of(now, SHANGHAI)
    later = [at(f"{today} {look}") for look in looks]
    tomorrow = at(f"{today + timedelta(days=1)} {looks[0]}")
    return next((look for look in later if look > now), tomorrow)


def counts(found: list[Round]) -> dict[str, int]:
    return dict(Counter(one.regime for one in found))


def of_the_quarter(quarter: list[Round]) -> list[Round]:
    """Of the days, weeks and months that begin in it."""
    return [one for one in quarter if not is_carried_over(one)]


def is_carried_over(one: Round) -> bool:
    return one.id == "weekly-night-lighting.2026-W40"


def test_the_quarter_has_exactly_the_planned_rounds(quarter: list[Round]) -> None:
    """Worked out by hand.

    Daily, every day: October has 31, November 30, December 31: 92 days.
    - pump room: pumps and booster are in one area: 92
    - power room: meter and climate are in one area: 92
    - lifts: in tower-1 and tower-2: 2 x 92 = 184
    - fire: one for the whole site: 92
    - lighting: gate-lobby (lamp-1), tower-1 (lamp-2), garden, garage: 4 x 92 = 368
    - fire water in winter: November 30 and December 31: 61

    Weekly, one a week that begins in the quarter. 2026-10-01 is a Thursday, so the Mondays are
    October 5, 12, 19, 26, November 2, 9, 16, 23, 30, December 7, 14, 21, 28: 13 weeks, W41 to
    W53. A holiday moves a round within its week and never removes it.
    - pump room, power room, fire, night round of lighting: 13 each
    - lifts: 2 x 13 = 26
    - equipment patrol: 13, of the weeks before these: W40 to W52

    Monthly, October, November, December: 3 each.
    - pump room, power room, fire, lighting: 3 each; lifts: 2 x 3 = 6

    Half-monthly: 6 halves x 2 towers = 12. Quarterly: the fourth quarter. Half-yearly: the
    second half, on October 15. Yearly: on May 20, so none. The ledger has no roster: no shifts.
    """
    assert counts(of_the_quarter(quarter)) == {
        "daily-pump-room": 92,
        "daily-power-room": 92,
        "daily-lift": 184,
        "daily-fire": 92,
        "daily-lighting": 368,
        "winter-fire-water": 61,
        "weekly-pump-room": 13,
        "weekly-power-room": 13,
        "weekly-lift": 26,
        "weekly-fire": 13,
        "weekly-night-lighting": 13,
        "weekly-equipment-patrol": 13,
        "monthly-pump-room": 3,
        "monthly-power-room": 3,
        "monthly-lift": 6,
        "monthly-fire": 3,
        "monthly-lighting": 3,
        "half-monthly-lift-sheets": 12,
        "quarterly-fire-pump": 1,
        "half-yearly-building": 1,
    }


def test_what_was_to_be_done_when_the_ledger_was_new(quarter: list[Round]) -> None:
    """By hand, at 2026-10-01 00:00: of the week W40 (September 28 to October 4) only the night
    round, on Friday October 2, was not yet due. The others were due by Wednesday 30, that of the
    lifts too: its Thursday October 1 is a holiday with no working day behind it in the week. The
    daily and monthly ones of September were due by the 30th.
    """
    carried = [one.id for one in quarter if is_carried_over(one)]
    assert carried == ["weekly-night-lighting.2026-W40"]


@pytest.mark.parametrize(
    ("round_id", "opens"),
    [
        # National Day, October 1 to 7: on to the first working day of the week, Thursday 8.
        ("weekly-pump-room.b1-pump-room.2026-W41", "2026-10-08 08:00"),
        ("weekly-equipment-patrol.2026-W40", "2026-10-08 08:00"),
        # Fire and the night round take no holidays.
        ("weekly-fire.2026-W41", "2026-10-06 08:00"),
        ("weekly-night-lighting.2026-W40", "2026-10-02 19:00"),
        # October 10 is a Saturday that is worked.
        ("monthly-pump-room.b1-pump-room.2026-10", "2026-10-10 08:00"),
        # December 12 is a Saturday, December 20 and October 25 are Sundays.
        ("monthly-power-room.b1-power-room.2026-12", "2026-12-14 08:00"),
        ("monthly-fire.2026-12", "2026-12-21 08:00"),
        ("monthly-lighting.2026-10", "2026-10-26 08:00"),
        # The 31st, or the last day where there is none.
        ("monthly-lift.tower-1.2026-11", "2026-11-30 08:00"),
        ("monthly-lift.tower-2.2026-12", "2026-12-31 08:00"),
        # The week that ends in the next year.
        ("weekly-night-lighting.2026-W53", "2027-01-01 19:00"),
        ("weekly-equipment-patrol.2026-W52", "2026-12-28 08:00"),
    ],
)
def test_holidays_move_what_people_do_in_working_time(
    quarter: list[Round], round_id: str, opens: str
) -> None:
    (found,) = [one for one in quarter if one.id == round_id]
    assert found.facts.opens_at == at(opens)


def test_nobody_has_done_any_so_they_are_missed_but_for_those_still_open(
    quarter: list[Round],
) -> None:
    """By hand, at 2026-12-31 23:59: the 10 daily ones of the 31st are late until January 1 08:00.
    Weekly of W53: the patrol of W52 is late until January 4; fire on the 29th ended on the 31st;
    pump room on the 29th too; power room on Wednesday 30 until January 1, lifts on the 31st: 3
    late; the night round of January 1 is planned. Monthly: lifts of the 31st until January 3: 2.
    """
    late = sorted(one.id for one in quarter if one.state(at(END)) == "late")
    assert late == sorted(
        [
            "daily-pump-room.b1-pump-room.2026-12-31",
            "daily-power-room.b1-power-room.2026-12-31",
            "daily-lift.tower-1.2026-12-31",
            "daily-lift.tower-2.2026-12-31",
            "daily-fire.2026-12-31",
            "winter-fire-water.2026-12-31",
            *(
                f"daily-lighting.{area}.2026-12-31"
                for area in ("gate-lobby", "tower-1", "garden", "garage")
            ),
            "weekly-equipment-patrol.2026-W52",
            "weekly-power-room.b1-power-room.2026-W53",
            "weekly-lift.tower-1.2026-W53",
            "weekly-lift.tower-2.2026-W53",
            "monthly-lift.tower-1.2026-12",
            "monthly-lift.tower-2.2026-12",
        ]
    )
    planned = [one.id for one in quarter if one.state(at(END)) == "planned"]
    assert planned == ["weekly-night-lighting.2026-W53"]
    states = Counter(one.state(at(END)).value for one in quarter)
    assert states == {"late": 16, "planned": 1, "missed": len(quarter) - 17}
