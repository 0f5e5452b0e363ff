"""Which team holds which shift: worked by hand, over changes of the clocks, and over years."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gateway.model.moment import DAY, HOUR, MINUTE
from gateway.model.point import Text
from rules.shifts.local_time import instant_at
from rules.shifts.rotation import Rotation, Shift, ShiftDay, overlapping

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHICAGO = ZoneInfo("America/Chicago")
NAME = Text(zh="班", en="Shift")
DAY_SHIFT = Shift(id="day", name=NAME, starts=8 * 60, ends=20 * 60)
NIGHT = Shift(id="night", name=NAME, starts=20 * 60, ends=8 * 60)


def rotation(zone: ZoneInfo = SHANGHAI) -> Rotation:
    return Rotation(
        shifts=(DAY_SHIFT, NIGHT),
        anchor=date(2026, 11, 2),
        pattern=(
            {"day": "a", "night": "b"},
            {"day": "c", "night": "a"},
            {"day": "b", "night": "c"},
        ),
        zone=zone,
    )


def at(day: date, hour: int, minute: int = 0, zone: ZoneInfo = SHANGHAI) -> int:
    return instant_at(day, hour * 60 + minute, zone)


def held(shift: ShiftDay | None) -> tuple[str, date, str] | None:
    return None if shift is None else (shift.shift.id, shift.date, shift.team)


def test_a_night_shift_belongs_to_the_day_on_which_it_starts() -> None:
    anchor = date(2026, 11, 2)
    next_day = anchor + timedelta(days=1)
    found = rotation()
    assert held(found.at(at(anchor, 8))) == ("day", anchor, "a")
    assert held(found.at(at(anchor, 20) - 1)) == ("day", anchor, "a")
    assert held(found.at(at(anchor, 20))) == ("night", anchor, "b")
    assert held(found.at(at(next_day, 7, 59))) == ("night", anchor, "b")
    assert held(found.at(at(next_day, 8))) == ("day", next_day, "c")
    assert held(found.after(at(anchor, 12))) == ("night", anchor, "b")
    assert held(found.after(at(anchor, 23))) == ("day", next_day, "c")
    assert held(found.after(at(next_day, 3))) == ("day", next_day, "c")


def test_the_pattern_goes_on_before_its_anchor() -> None:
    found = rotation()
    assert held(found.at(at(date(2026, 11, 1), 12))) == ("day", date(2026, 11, 1), "b")
    assert held(found.at(at(date(2026, 11, 2), 3))) == ("night", date(2026, 11, 1), "c")
    years_before = date(2026, 11, 2) - timedelta(days=3 * 1000 + 1)
    assert held(found.at(at(years_before, 12))) == ("day", years_before, "b")


def test_the_clocks_change_during_a_night_shift_in_chicago() -> None:
    """2026-03-08 02:00 becomes 03:00: an hour less; 2026-11-01 02:00 becomes 01:00: one more."""
    found = rotation(CHICAGO)
    for day, hours in ((date(2026, 3, 7), 11), (date(2026, 3, 8), 12), (date(2026, 10, 31), 13)):
        night = found.of_date(day)[1]
        assert night.ends - night.starts == hours * HOUR, day
        assert night.ends == found.of_date(day + timedelta(days=1))[0].starts


def test_a_boundary_that_the_clocks_jump_over_is_the_jump() -> None:
    """02:30 never comes on 2026-03-08: the shift before it ends when the next one starts."""
    jump = instant_at(date(2026, 3, 8), 3 * 60, CHICAGO)
    assert instant_at(date(2026, 3, 8), 2 * 60 + 30, CHICAGO) == jump
    assert instant_at(date(2026, 3, 8), 2 * 60, CHICAGO) == jump
    assert instant_at(date(2026, 3, 8), 1 * 60 + 59, CHICAGO) == jump - MINUTE


def test_a_day_that_a_zone_leaves_out_has_no_moment() -> None:
    """Apia went from 2011-12-29 to 2011-12-31."""
    apia = ZoneInfo("Pacific/Apia")
    skipped = date(2011, 12, 30)
    assert instant_at(skipped, 0, apia) == instant_at(skipped, 1440, apia)
    assert instant_at(skipped, 600, apia) == instant_at(date(2011, 12, 31), 0, apia)


def test_between_shifts_nobody_is_on_and_the_next_one_is_known() -> None:
    office = Shift(id="office", name=NAME, starts=8 * 60, ends=17 * 60)
    found = Rotation(
        shifts=(office,),
        anchor=date(2026, 11, 2),
        pattern=({"office": "a"}, {}, {"office": "b"}),
        zone=SHANGHAI,
    )
    monday = date(2026, 11, 2)
    wednesday = monday + timedelta(days=2)
    assert found.at(at(monday, 18)) is None
    assert held(found.after(at(monday, 18))) == ("office", wednesday, "b")
    assert held(found.after(at(wednesday, 8))) == ("office", wednesday + timedelta(days=1), "a")
    assert found.at(at(monday + timedelta(days=1), 12)) is None, "not held on that day"


def test_a_shift_that_ends_when_it_starts_lasts_a_day() -> None:
    whole = Shift(id="whole", name=NAME, starts=8 * 60, ends=8 * 60)
    assert whole.minutes == 24 * 60
    assert overlapping([whole]) is None
    found = Rotation(
        shifts=(whole,), anchor=date(2026, 11, 2), pattern=({"whole": "a"},), zone=SHANGHAI
    )
    (day,) = found.of_date(date(2026, 11, 2))
    assert day.ends - day.starts == DAY


def test_shifts_that_hold_at_one_time_are_told() -> None:
    late = Shift(id="late", name=NAME, starts=19 * 60, ends=21 * 60)
    early = Shift(id="early", name=NAME, starts=7 * 60, ends=8 * 60)
    assert overlapping([DAY_SHIFT, NIGHT]) is None
    assert overlapping([NIGHT, DAY_SHIFT]) is None
    assert overlapping([DAY_SHIFT, late]) == (DAY_SHIFT, late)
    assert overlapping([early, NIGHT]) == (NIGHT, early), "over midnight"
    assert overlapping([]) is None


ZONES = [
    SHANGHAI,
    CHICAGO,
    ZoneInfo("Australia/Lord_Howe"),  # half an hour
    ZoneInfo("America/Sao_Paulo"),  # the clocks changed at midnight
    ZoneInfo("Pacific/Apia"),  # left out a day
]


@st.composite
def rotations(draw: st.DrawFn) -> Rotation:
    """Shifts that fill the day, cut anywhere, and a pattern in which every shift is held."""
    cuts = sorted(draw(st.sets(st.integers(0, 1439), min_size=1, max_size=5)))
    shifts = tuple(
        Shift(id=f"s{start}", name=NAME, starts=start, ends=cuts[(place + 1) % len(cuts)])
        for place, start in enumerate(cuts)
    )
    team = st.sampled_from(["a", "b", "c"])
    day = st.fixed_dictionaries({shift.id: team for shift in shifts})
    return Rotation(
        shifts=shifts,
        anchor=draw(st.dates(date(2005, 1, 1), date(2035, 1, 1))),
        pattern=tuple(draw(st.lists(day, min_size=1, max_size=9))),
        zone=draw(st.sampled_from(ZONES)),
    )


@given(found=rotations(), day=st.dates(date(2008, 1, 1), date(2030, 1, 1)))
def test_nothing_is_doubled_or_missed(found: Rotation, day: date) -> None:
    """Over 400 days each shift ends in the instant at which the next one starts."""
    shifts = [shift for ahead in range(400) for shift in found.of_date(day + timedelta(days=ahead))]
    assert all(one.ends == other.starts for one, other in pairwise(shifts))
    assert all(shift.starts <= shift.ends for shift in shifts)


@given(
    found=rotations(),
    day=st.dates(date(2008, 1, 1), date(2030, 1, 1)),
    into=st.integers(0, DAY - 1),
)
def test_at_every_instant_one_team_is_on_duty(found: Rotation, day: date, into: int) -> None:
    instant = instant_at(day, 0, found.zone) + into
    near = [s for ahead in range(-2, 4) for s in found.of_date(day + timedelta(days=ahead))]
    (only,) = (shift for shift in near if shift.starts <= instant < shift.ends)
    assert found.at(instant) == only
    days = (only.date - found.anchor).days
    assert only.team == found.pattern[days % len(found.pattern)][only.shift.id]
    coming = found.after(instant)
    assert coming is not None
    assert coming.starts == only.ends
    assert not any(instant < shift.starts < min(coming.starts, shift.ends) for shift in near)
