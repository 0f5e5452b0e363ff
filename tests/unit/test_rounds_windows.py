"""Items over a time, proposals, numbers by hand against the sensor, the sample; all pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from duty_room import NOON, site
from inspections import CLEAN, LEAKS, TEMPERATURE, current, item, regime

from gateway.clock import ManualClock
from gateway.history.base import Gap, HistoryUnavailableError, Series
from gateway.model.moment import DAY, HOUR, MINUTE, SECOND
from gateway.model.point import Text
from gateway.model.quality import Quality
from gateway.model.reading import Reading
from rules.inspections import compared
from rules.inspections.compared import WEEK, drift
from rules.inspections.item_checks import check_proving
from rules.inspections.item_document import ItemDocument
from rules.inspections.items import RoundItem, lines
from rules.inspections.judge import ItemState, Verdict, judge
from rules.inspections.proving import By, Compare, Over, Proving
from rules.inspections.regime import Answer, Band, Item, Level, Proof
from rules.inspections.sample import sample
from rules.inspections.window_reader import MOST, WindowReader
from rules.inspections.windows import Away, Stretch, stretch

NOW = ManualClock(NOON).now()
SITE = site()
END = NOW.wall
START = END - 24 * HOUR
POINT = replace(SITE.points["pump-1.motor_temperature"], deadband=0.5, keep_every=10 * MINUTE)
DAY_MEAN = Proving(over=Over(time=24 * HOUR, by=By.MEAN))


def reading(value: float | None, received: int, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(
        value=value,
        text=None,
        quality=quality,
        reason=None,
        received=received,
        source_time=received,
    )


def series(*said: tuple[int, float], quality: Quality = Quality.GOOD) -> Series:
    """Of (µs after the start, value)."""
    return Series(
        time=np.array([START + at for at, _ in said], np.int64),
        value=np.array([value for _, value in said], float),
        quality=np.full(len(said), quality, np.uint8),
        source_time=np.array([START + at for at, _ in said], np.int64),
    )


def steady(value: float, since: int = 0, until: int = 24 * HOUR) -> list[tuple[int, float]]:
    """As a thinned history has it: every ten minutes."""
    return [(at, value) for at in range(since, until, 10 * MINUTE)]


def of(
    said: Series, *gaps: Gap, before: Reading | None = None, band: Band | None = None
) -> Stretch:
    return stretch(POINT, before, said, gaps, start=START, end=END, band=band or TEMPERATURE.band)


def line(one: Item, **proving: object) -> RoundItem:
    changed = replace(one, proving=replace(one.proving, **proving))
    return lines(regime("r", changed), "b1", SITE)[0]


def say(one: RoundItem, window: Stretch | Away | None, *, is_patient: bool = False) -> Verdict:
    said = {"pump-1.motor_temperature": current(60.0, NOW), "pump-1.fault": current(0.0, NOW)}
    return judge(one, SITE.points, said, now=NOW, is_patient=is_patient, window=window)


def test_the_mean_is_of_the_time_not_of_the_readings() -> None:
    hot = [(12 * HOUR + at, 80.0) for at in range(0, 12 * HOUR, MINUTE)]
    found = of(series(*steady(40.0, until=12 * HOUR), *hot))
    assert found.mean is not None
    assert round(found.mean, 6) == 60.0
    assert (found.min, found.max, found.last) == (40.0, 80.0, 80.0)
    assert (round(found.share or 0, 6), found.covered, found.count) == (50.0, 1.0, 72 + 720)


def test_what_was_thinned_goes_on_and_what_is_missing_does_not() -> None:
    """Behind the last reading the history may be silent for as long as it thins, no longer."""
    half = of(series(*steady(40.0, until=12 * HOUR)))
    assert 0.5 < half.covered < 0.51
    known = of(series(), before=reading(40.0, START - MINUTE))
    assert known.covered < 0.01
    gap = Gap(point=POINT.id, start=START + HOUR, end=START + 7 * HOUR, reason="silent")
    cut = of(series(*steady(40.0, until=HOUR), *steady(40.0, since=7 * HOUR)), gap)
    assert (round(cut.covered, 2), cut.gaps, cut.quality) == (0.75, 1, Quality.STALE)
    since_before = Gap(point=POINT.id, start=START - HOUR, end=None, reason="silent")
    none = of(series(), since_before, before=reading(40.0, START - HOUR))
    assert (none.covered, none.mean) == (0.0, None)


def test_doubtful_readings_cover_nothing() -> None:
    found = of(series(*steady(40.0), quality=Quality.UNCERTAIN))
    assert (found.covered, found.mean, found.quality) == (0.0, None, Quality.UNCERTAIN)


def test_starts_are_counted() -> None:
    said = series((0, 0), (HOUR, 1), (2 * HOUR, 1), (3 * HOUR, 0), (4 * HOUR, 2))
    assert of(said).starts == 2


@pytest.mark.parametrize(
    ("over", "state", "value"),
    [
        (Over(time=DAY, by=By.MEAN), ItemState.PASSED, 62.0),
        (Over(time=DAY, by=By.MAX), ItemState.FAILED, 80.0),
        (Over(time=DAY, by=By.MIN), ItemState.PASSED, 60.0),
        (Over(time=DAY, by=By.LAST), ItemState.PASSED, 60.0),
        (Over(time=DAY, by=By.SHARE, share=95), ItemState.FAILED, 90.0),
        (Over(time=DAY, by=By.SHARE, share=90), ItemState.PASSED, 90.0),
        (Over(time=DAY, by=By.STARTS), ItemState.PASSED, 3.0),
    ],
)
def test_an_item_is_judged_over_its_time(over: Over, state: ItemState, value: float) -> None:
    """Not by the reading of the moment, which is 60."""
    window = Stretch(
        start=START,
        end=END,
        min=60.0,
        mean=62.0,
        max=80.0,
        last=60.0,
        share=90.0,
        starts=3,
        count=100,
        covered=0.97,
        quality=Quality.GOOD,
        gaps=0,
    )
    verdict = say(line(TEMPERATURE, over=over), window)
    assert verdict.state is state
    assert verdict.reading is not None
    assert (verdict.reading.value, verdict.reading.window) == (value, window)
    if over.by is By.SHARE and state is ItemState.FAILED:
        assert verdict.why == Text(zh="90 %，低于 95", en="90 %, below 95")


def test_a_window_that_is_mostly_missing_or_away_is_a_persons_matter() -> None:
    one = line(TEMPERATURE, over=DAY_MEAN.over)
    missing = say(one, of(series(*steady(20.0, until=12 * HOUR))))
    assert (missing.state, missing.reading) == (ItemState.HANDED_OVER, None)
    assert missing.why is not None
    assert missing.why.en == "only 50% of the time has good readings"
    away = Away(Text(zh="不在", en="away"))
    assert say(one, away) == Verdict(state=ItemState.HANDED_OVER, why=away.why)
    assert say(one, away, is_patient=True).state is ItemState.WAITING
    assert say(one, None).state is ItemState.WAITING, "it is read in the next turn"


def test_telemetry_proposes_and_never_passes_what_a_person_confirms() -> None:
    for value in (60.0, 80.0):
        said = {"pump-1.motor_temperature": current(value, NOW)}
        one = line(TEMPERATURE, confirm=True)
        verdict = judge(one, SITE.points, said, now=NOW, is_patient=True)
        assert verdict.state is ItemState.HANDED_OVER
        assert verdict.reading is not None
        assert verdict.reading.value == value
    assert one.proving.compare == Compare(point="pump-1.motor_temperature", within=None)


class Silent:
    """A history that is away."""

    asked = 0

    def at(self, *_: object) -> object:
        self.asked += 1
        raise HistoryUnavailableError("no answer")


def test_a_history_that_is_away_is_asked_once_and_says_why() -> None:
    history = Silent()
    one = line(TEMPERATURE, over=DAY_MEAN.over)
    many = [replace(one, key=f"{number}") for number in range(2 * MOST)]
    found = WindowReader(history, SITE.points).read(many, END)  # type: ignore[arg-type]
    assert (len(found), history.asked) == (MOST, 1)
    for away in found.values():
        assert isinstance(away, Away)
        assert "no answer" in away.why.en
    (nothing,) = WindowReader(None, SITE.points).read([one], END).values()
    assert isinstance(nothing, Away)


GAUGE = item("gauge", equipment_class="pump", answer=Answer.NUMBER, unit="℃", band=Band(high=75))
WANTED = Compare(point="pump-1.motor_temperature", within=2)


def test_the_sensor_is_the_one_of_the_equipment_where_it_has_it() -> None:
    asked = replace(GAUGE, proving=Proving(compare=Compare(point="speed", within=2)))
    found = {one.key: one.proving.compare for one in lines(regime("r", asked), "b1", SITE)}
    assert found == {
        "gauge.pump-1": Compare(point="pump-1.speed", within=2),
        "gauge.pump-2": None,
    }


@pytest.mark.parametrize(
    ("said", "difference", "agrees"),
    [
        (reading(60.0, END - SECOND), 2.0, True),
        (reading(59.9, END - SECOND), 2.1, False),
        (reading(60.0, END - HOUR), None, None),
        (reading(60.0, END, Quality.UNCERTAIN), None, None),
        (reading(None, END, Quality.BAD), None, None),
        (None, None, None),
    ],
)
def test_a_number_by_hand_is_held_against_the_sensor(
    said: Reading | None, difference: float | None, agrees: bool | None
) -> None:
    found = compared.compare(WANTED, POINT, 62.0, said, END)
    assert found.agrees is agrees
    assert found.difference == pytest.approx(difference)
    assert (found.why is None) is (agrees is not None)


def test_differences_that_grow_over_the_weeks_are_a_drift() -> None:
    growing = [(START + week * WEEK, 0.5 * week) for week in range(5)]
    found = drift(growing)
    assert found is not None
    assert (found.rounds, found.mean, found.slope) == (5, 1.0, pytest.approx(0.5))
    few = drift(growing[:3])
    assert few is not None
    assert few.slope is None
    assert drift([]) is None


def test_the_sample_is_the_same_for_whoever_draws_it_and_another_for_each_round() -> None:
    items = [replace(CLEAN, key=f"i{number}") for number in range(40)]
    found = lines(regime("r", *items, TEMPERATURE), "b1", SITE)
    drawn = sample("weekly.2026-W47", Level.WEEKLY, found)
    assert len(drawn) == 4
    assert drawn == sample("weekly.2026-W47", Level.WEEKLY, found)
    assert drawn != sample("weekly.2026-W48", Level.WEEKLY, found)
    assert not any(key.startswith("temperature") for key in drawn), "telemetry was not there"
    assert sample("daily.x", Level.DAILY, found) == []
    few = lines(regime("r", LEAKS), "b1", SITE)
    assert sample("w", Level.WEEKLY, few) == [one.key for one in few]
    completion = replace(CLEAN, key="done", proof=Proof.COMPLETION)
    assert sample("w", Level.WEEKLY, lines(regime("r", completion), "b1", SITE)) == []


def document(**said: object) -> ItemDocument:
    plain = {"key": "k", "name": {"zh": "k", "en": "k"}, "severity": "minor", "source": "[NV]"}
    return ItemDocument.model_validate({**plain, **said})


PUMP = {"class": "pump", "point": "motor_temperature"}
KNOWN = {
    "pump": {
        "motor_temperature": [SITE.points["pump-1.motor_temperature"]],
        "fault": [SITE.points["pump-1.fault"]],
    }
}


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({**PUMP, "over": "24h"}, None),
        ({**PUMP, "over": "24h", "by": "share", "share": 95, "check": {"high": 75}}, None),
        ({**PUMP, "over": "24h", "share": 95, "check": {"high": 75}}, None),
        ({**PUMP, "confirm": True, "evidence": ["qr", "photo"]}, None),
        ({**PUMP, "over": "24h", "by": "share", "check": {"high": 75}}, ("by",)),
        ({**PUMP, "over": "24h", "by": "share", "share": 95}, ("by",)),
        ({**PUMP, "over": "24h", "by": "mean", "share": 95}, ("share",)),
        ({**PUMP, "over": "5m"}, ("over",)),
        ({**PUMP, "over": "8d"}, ("over",)),
        ({**PUMP, "over": "24h", "by": "starts"}, ("by",)),
        ({"class": "pump", "point": "fault", "over": "24h", "by": "starts"}, None),
        ({**PUMP, "by": "max"}, ("by",)),
        ({"answer": "number", "over": "24h"}, ("over",)),
        ({"answer": "tick", "confirm": True}, ("confirm",)),
        ({**PUMP, "evidence": ["qr"]}, ("evidence",)),
        ({"answer": "tick", "evidence": ["qr", "qr"]}, ("evidence",)),
        ({"answer": "tick", "compare": {"point": "fault", "within": 1}}, ("compare",)),
        (
            {"answer": "number", "class": "pump", "compare": {"point": "heat", "within": 1}},
            ("compare", "point"),
        ),
    ],
)
def test_what_an_item_asks_for_has_to_fit(
    said: dict[str, object], where: tuple[str, ...] | None
) -> None:
    found = [place for place, _, _ in check_proving(document(**said), KNOWN)]
    assert (found[0] if found else None) == where
