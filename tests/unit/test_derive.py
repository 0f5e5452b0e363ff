"""Points that follow from others: hours, starts, growth, differences."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.derive import Derivation, growth
from gateway.model.equipment import Equipment
from gateway.model.frame import Frame
from gateway.model.moment import HOUR, MINUTE, SECOND, Instant
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import Derived, DerivedKind
from gateway.model.quality import Quality

GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD
NAME = Text(zh="泵", en="Pump")
START = 1_795_000_000_000_000


def point(key, kind=PointKind.NUMBER, **facts):
    return Point(id=f"p.{key}", equipment="p", key=key, name=NAME, kind=kind, **facts)


def pump(**derived):
    """A pump with a running flag, a counter and two pressures, and what follows from them."""
    points = [
        point("running", PointKind.FLAG, stale_after=3 * SECOND),
        point("volume", stale_after=3 * SECOND),
        point("inlet", stale_after=3 * SECOND, decimals=1),
        point("outlet", stale_after=30 * SECOND, decimals=1),
        point("spare"),
    ]
    points += [point(key, decimals=3, low=-500, high=20_000) for key in derived]
    return Equipment(
        id="p",
        name=NAME,
        equipment_class="pump",
        profile="p",
        model=NAME,
        area="a",
        link="l",
        unit=1,
        poll=SECOND,
        points=tuple(points),
        derived=derived,
    )


HOURS = Derived(kind=DerivedKind.RUN_HOURS, of=("running",))
STARTS = Derived(kind=DerivedKind.STARTS, of=("running",))
DELTA = Derived(kind=DerivedKind.DELTA, of=("volume",))
HEAD = Derived(kind=DerivedKind.DIFFERENCE, of=("outlet", "inlet"))


def instant(seconds, boot="b"):
    return Instant(wall=START + int(seconds * SECOND), mono=int(seconds * SECOND), boot=boot)


def frame(readings, seconds=0.0, reasons=()):
    """Key → value, None for none; a pair is a value and its quality."""
    keys = tuple(f"p.{key}" for key in readings)
    pairs = [one if isinstance(one, tuple) else (one, GOOD) for one in readings.values()]
    pairs = [(math.nan, BAD) if value is None else (value, quality) for value, quality in pairs]
    return Frame(
        points=keys,
        value=np.array([value for value, _ in pairs], dtype=np.float64),
        quality=np.array([quality for _, quality in pairs], dtype=np.uint8),
        source_time=np.full(len(keys), START + int(seconds * SECOND), dtype=np.int64),
        reason=dict(reasons),
    )


class Told:
    """A derivation that is told readings second by second."""

    def __init__(self, **derived):
        self.derivation = Derivation([pump(**derived)])
        self.derived = derived

    def __call__(self, seconds, boot="b", reasons=(), **readings):
        """What follows: key → (value, quality, reason)."""
        told = self.derivation.step(frame(readings, seconds, reasons), instant(seconds, boot))
        rows = {name.removeprefix("p."): row for row, name in enumerate(told.points)}
        return {
            key: (float(told.value[row]), int(told.quality[row]), told.reason.get(row))
            for key, row in rows.items()
            if key in self.derived
        }


# -- frames -------------------------------------------------------------------------------------


def test_what_follows_stands_behind_the_rows_it_follows_from():
    derivation = Derivation([pump(hours=HOURS, head=HEAD)])
    sent = frame({"running": 1, "outlet": 4.5, "inlet": (None, BAD)}, reasons={2: "no_reply"})
    told = derivation.step(sent, instant(0))
    assert told.points == ("p.running", "p.outlet", "p.inlet", "p.hours", "p.head")
    assert list(told.value[:2]) == [1, 4.5]
    assert told.value[3] == 0
    assert list(told.quality) == [GOOD, GOOD, BAD, GOOD, BAD]
    assert told.reason == {2: "no_reply", 4: "no_source: inlet"}
    assert list(told.source_time) == [START] * 5
    assert sent.points == ("p.running", "p.outlet", "p.inlet")


def test_a_frame_that_nothing_follows_from_stays_the_same_object():
    sent = frame({"spare": 1})
    assert Derivation([pump(hours=HOURS)]).step(sent, instant(0)) is sent
    assert Derivation([pump()]).step(sent, instant(0)) is sent


def test_the_list_of_points_is_the_same_object_each_time():
    derivation = Derivation([pump(hours=HOURS)])
    first, second = (derivation.step(frame({"running": 1}), instant(at)) for at in (0, 1))
    assert first.points is second.points


def test_texts_and_reasons_of_the_frame_keep_their_rows():
    sent = frame({"running": 1, "spare": (math.nan, GOOD)})
    sent = Frame(
        points=sent.points,
        value=sent.value,
        quality=sent.quality,
        source_time=sent.source_time,
        text={1: "PDV"},
    )
    assert Derivation([pump(hours=HOURS)]).step(sent, instant(0)).text == {1: "PDV"}


# -- run hours ----------------------------------------------------------------------------------


def test_hours_are_the_time_for_which_the_flag_was_1():
    told = Told(hours=HOURS)
    for second in range(7201):
        made = told(second, running=1 if second < 3600 else 0)
    assert made["hours"] == (1.0, GOOD, None)


def test_time_without_good_readings_is_not_counted():
    told = Told(hours=HOURS)
    told(0, running=1)
    told(1, running=1)
    assert told(2, running=None)["hours"][1:] == (BAD, "no_source: running")
    told(3, running=1)  # what was between 1 s and 3 s, nobody knows
    told(4, running=1)
    told(60, running=1)  # nor from 4 s to 60 s
    told(61, running=(1, UNCERTAIN))
    assert told(62, running=1)["hours"][0] == round(2 / 3600, 3)
    assert told.derivation.state()["p.hours"]["total"] == 2 * SECOND


def test_the_longest_silence_still_counts_and_one_more_does_not():
    told = Told(hours=HOURS)
    told(0, running=1)
    told(3, running=1)
    told(6.001, running=1)
    assert told.derivation.state()["p.hours"]["total"] == 3 * SECOND


def test_a_step_of_the_wall_clock_counts_no_hours():
    derivation = Derivation([pump(hours=HOURS)])
    derivation.step(frame({"running": 1}), instant(0))
    stepped = Instant(wall=START + 2 * HOUR, mono=SECOND, boot="b")
    derivation.step(frame({"running": 1}), stepped)
    assert derivation.state()["p.hours"]["total"] == SECOND


def test_a_clock_that_went_back_over_a_boot_takes_no_hours_away():
    told = Told(hours=HOURS)
    told(100, running=1)
    told(101, running=1)
    told(90, running=1, boot="c")
    assert told.derivation.state()["p.hours"]["total"] == SECOND


# -- starts -------------------------------------------------------------------------------------


def test_starts_are_counted_from_0_to_1_alone():
    told = Told(starts=STARTS)
    flags = [1, 1, 0, 0, 1, 1, 0, 1]
    made = [told(second, running=flag)["starts"][0] for second, flag in enumerate(flags)]
    assert made == [0, 0, 0, 0, 1, 1, 1, 2]


def test_a_start_behind_a_silence_is_counted_once():
    told = Told(starts=STARTS)
    told(0, running=0)
    assert told(1, running=None)["starts"][1] == BAD
    assert told(2, running=1)["starts"] == (1, GOOD, None)
    assert told(3, running=None)["starts"][1] == BAD
    assert told(4, running=1)["starts"] == (1, GOOD, None)


# -- growth -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "rollover", "wanted"),
    [
        (100, 103.5, None, (3.5, True)),
        (100, 100, None, (0, True)),
        (65_530, 4, 65_536, (10, True)),  # 16 bits, over the top
        (4_294_967_290, 14, 2**32, (20, True)),  # 32 bits
        (99_999_990, 5, 100_000_000, (15, True)),  # eight digits
        (65_530, 0, 65_536, (6, True)),
        (58_983, 6_553, 65_536, (13_106, True)),  # the last tenth, the first tenth
        (58_982, 4, 65_536, (4, False)),  # too far from the end
        (65_530, 6_554, 65_536, (6_554, False)),  # too far from the beginning
        (40_000, 0, 65_536, (0, False)),
        (5_000, 3, 65_536, (3, False)),  # too far to have gone over the top: a reset
        (5_000, 3, None, (3, False)),
        (65_530, 4, None, (4, False)),
        (5_000, 0, None, (0, False)),
        (5_000, 4_999.5, None, (0, False)),  # slipped back
        (70_000, 3, 65_536, (3, False)),  # the profile's rollover is not this counter's
        (-10, -12, None, (0, False)),
    ],
)
def test_growth(before, now, rollover, wanted):
    assert growth(before, now, rollover) == wanted


@given(
    st.integers(0, 65_535),
    st.lists(st.integers(0, 6_500), max_size=30),
)
def test_the_growth_of_a_counter_that_rolls_over_adds_up(first, steps):
    told = Told(delta=Derived(kind=DerivedKind.DELTA, of=("volume",), rollover=65_536))
    told.derivation.step(frame({"volume": first}), instant(0))
    total, counter = 0.0, first
    for second, step in enumerate(steps, 1):
        counter = (counter + step) % 65_536
        value, _, _ = told(second, volume=counter)["delta"]
        total += value
    assert total == sum(steps)


def test_the_first_reading_of_a_counter_says_nothing_of_its_growth():
    told = Told(delta=DELTA)
    value, quality, reason = told(0, volume=5000)["delta"]
    assert (math.isnan(value), quality, reason) == (True, BAD, "no_source: volume")
    assert told(1, volume=5002)["delta"] == (2, GOOD, None)


def test_growth_during_a_silence_comes_after_it():
    told = Told(delta=DELTA)
    told(0, volume=100)
    assert told(1, volume=None)["delta"][1] == BAD
    assert told(60, volume=130)["delta"] == (30, GOOD, None)


def test_a_reset_is_growth_from_0_and_says_so():
    told = Told(delta=DELTA)
    told(0, volume=5000)
    assert told(1, volume=12)["delta"] == (12, UNCERTAIN, "counter_fell: 5000 → 12")
    assert told(2, volume=13)["delta"] == (1, GOOD, None)


def test_a_counter_that_reads_0_for_once_has_not_grown_by_all_it_ever_counted():
    told = Told(delta=Derived(kind=DerivedKind.DELTA, of=("volume",), rollover=65_536))
    told(0, volume=48_265.0)
    assert told(1, volume=0)["delta"] == (0, UNCERTAIN, "counter_fell: 48265 → 0")
    assert told(2, volume=0)["delta"] == (0, GOOD, None)
    assert told(3, volume=48_265.5)["delta"] == (0.5, GOOD, None)
    assert told(4, volume=48_266.0)["delta"] == (0.5, GOOD, None)


def test_a_counter_that_was_reset_and_counted_on_grows_from_where_it_is():
    told = Told(delta=DELTA)
    told(0, volume=5)
    assert told(1, volume=0)["delta"][:2] == (0, UNCERTAIN)
    assert told(2, volume=3)["delta"] == (3, GOOD, None)
    assert told(3, volume=9)["delta"] == (6, GOOD, None)  # not 4, past where it had been


def test_a_counter_that_dips_has_grown_from_where_it_had_been():
    told = Told(delta=DELTA)
    told(0, volume=1_000)
    assert told(1, volume=999)["delta"][:2] == (0, UNCERTAIN)
    assert told(2, volume=1_001)["delta"] == (1, GOOD, None)


def test_a_rollover_far_from_the_end_is_not_believed():
    told = Told(delta=Derived(kind=DerivedKind.DELTA, of=("volume",), rollover=65_536))
    told(0, volume=40_000)
    assert told(1, volume=3)["delta"][:2] == (3, UNCERTAIN)
    told(2, volume=65_530)
    assert told(3, volume=4)["delta"] == (10, GOOD, None)


def test_where_a_counter_fell_from_outlives_a_restart():
    told, after = Told(delta=DELTA), Told(delta=DELTA)
    told(0, volume=4_000)
    told(1, volume=0)
    assert after.derivation.restore(json.loads(json.dumps(told.derivation.state()))) == ()
    assert after(2, volume=4_002)["delta"] == (2, GOOD, None)


def test_a_state_from_before_falls_were_remembered_is_taken_over():
    told = Told(delta=DELTA)
    saved = {"p.delta": {"kind": "delta", "of": ["volume"], "last": 10.0}}
    assert told.derivation.restore(saved) == ()
    assert told(0, volume=12)["delta"] == (2, GOOD, None)


def test_swapped_words_are_out_of_range_and_no_growth():
    """What the range check doubts is no source, so the next good reading goes on from before."""
    told = Told(delta=DELTA)
    told(0, volume=5000)
    assert told(1, volume=(327_680_000, UNCERTAIN))["delta"][1] == BAD
    assert told(2, volume=5001)["delta"] == (1, GOOD, None)


def test_growth_beyond_what_the_point_can_be_is_doubted():
    told = Told(delta=DELTA)
    told(0, volume=0)
    assert told(1, volume=30_000)["delta"] == (
        30_000,
        UNCERTAIN,
        "out_of_range: 30000.000, -500…20000",
    )


# -- differences --------------------------------------------------------------------------------


def test_a_difference_is_the_first_less_the_second_without_dust():
    assert Told(head=HEAD)(0, outlet=4.3, inlet=0.1)["head"] == (4.2, GOOD, None)


def test_a_difference_of_points_read_at_different_times():
    told = Told(head=HEAD)
    assert told(0, outlet=4)["head"][1:] == (BAD, "no_source: outlet, inlet")
    assert told(1, inlet=1)["head"] == (3, GOOD, None)
    assert told(2, inlet=1.5)["head"] == (2.5, GOOD, None)
    assert told(30, inlet=1)["head"] == (3, GOOD, None)
    assert told(31, inlet=1)["head"][1] == BAD  # the outlet has not been read for 31 s
    assert told(32, outlet=5)["head"] == (4, GOOD, None)
    assert told(36, outlet=5)["head"][1] == BAD  # nor the inlet for 5 s


def test_a_difference_with_a_bad_source_is_bad_until_it_is_read_again():
    told = Told(head=HEAD)
    told(0, outlet=4, inlet=1)
    assert told(1, inlet=None)["head"][1:] == (BAD, "no_source: inlet")
    assert told(2, outlet=4)["head"][1] == BAD
    assert told(3, inlet=1)["head"] == (3, GOOD, None)


def test_a_difference_of_a_doubtful_value_is_doubtful():
    made = Told(head=HEAD)(0, reasons={0: "late: 5 s"}, outlet=(4, UNCERTAIN), inlet=1)
    assert made["head"] == (3, UNCERTAIN, "late: 5 s")


def test_a_difference_is_no_fresher_than_its_older_source():
    derivation = Derivation([pump(head=HEAD)])
    derivation.step(frame({"outlet": 4}, 0), instant(0))
    told = derivation.step(frame({"inlet": 1}, 29), instant(29))
    assert (told.value[-1], told.quality[-1]) == (3, GOOD)
    assert told.source_time.tolist() == [START + 29 * SECOND, START]


def test_a_difference_of_a_reading_that_came_too_late_is_none():
    derivation = Derivation([pump(head=HEAD)])
    derivation.step(frame({"outlet": 4}, 0), instant(20))  # taken 20 s before it came
    fresh = derivation.step(frame({"inlet": 1}, 30), instant(30))
    assert (fresh.value[-1], fresh.quality[-1]) == (3, GOOD)
    old = derivation.step(frame({"inlet": 1}, 31), instant(31))
    assert (old.quality[-1], old.reason[1]) == (BAD, "no_source: outlet, inlet")


def test_a_step_of_the_wall_clock_makes_no_source_of_a_difference_old():
    derivation = Derivation([pump(head=HEAD)])
    derivation.step(frame({"outlet": 4}, 0), instant(0))
    later = Instant(wall=START + 3600 * SECOND, mono=SECOND, boot="b")
    told = derivation.step(frame({"inlet": 1}, 3600), later)
    assert (told.value[-1], told.quality[-1]) == (3, GOOD)


def test_lists_of_points_beyond_number_are_not_all_remembered():
    points = [f"p.x{n}" for n in range(5_000)]
    derivation = Derivation([pump(hours=HOURS)])
    sent = frame({"running": 1})
    for name in points:
        told = derivation.step(replace(sent, points=(name,)), instant(0))
        assert told.points == (name,)
    assert len(derivation._plans) <= 4_096


# -- over a restart -----------------------------------------------------------------------------

ALL = {"hours": HOURS, "starts": STARTS, "delta": DELTA, "head": HEAD}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, None]),
            st.one_of(st.none(), st.integers(0, 5_000)),
            st.integers(1, 4_000_000),
        ),
        min_size=1,
        max_size=20,
    ),
    st.data(),
)
def test_a_restart_changes_nothing(told, data):
    """Once without a restart, once with one, the state being kept as JSON: the same comes out."""
    cut = data.draw(st.integers(0, len(told)))
    one, other = Derivation([pump(**ALL)]), Derivation([pump(**ALL)])
    mono = 0
    for at, (running, volume, later) in enumerate(told):
        if at == cut:
            saved = json.loads(json.dumps(other.state()))
            other = Derivation([pump(**ALL)])
            assert other.restore(saved) == ()
        mono += later
        now = Instant(wall=START + mono, mono=mono, boot="b")
        sent = frame({"running": running, "volume": volume})
        first, second = one.step(sent, now), other.step(sent, now)
        np.testing.assert_array_equal(first.value, second.value)
        np.testing.assert_array_equal(first.quality, second.quality)
        assert first.reason == second.reason
    assert one.state() == other.state()


def test_what_cannot_be_taken_over_is_named_and_begins_anew():
    saved = Derivation([pump(**ALL)]).state()
    assert set(saved) == {"p.hours", "p.starts", "p.delta"}
    saved["p.gone"] = {"kind": "starts", "of": ["running"], "total": 3, "last": 0}
    saved["p.starts"] = {"kind": "starts", "of": ["other"], "total": 3, "last": 0}
    saved["p.delta"] = {"kind": "delta", "of": ["volume"], "last": "much"}
    saved["p.hours"]["total"] = 5 * MINUTE
    other = Told(**ALL)
    assert set(other.derivation.restore(saved)) == {"p.gone", "p.starts", "p.delta"}
    assert other(0, running=0)["starts"] == (0, GOOD, None)
    assert other.derivation.state()["p.hours"]["total"] == 5 * MINUTE
    assert other.derivation.restore({"p.hours": "nonsense"}) == ("p.hours",)
