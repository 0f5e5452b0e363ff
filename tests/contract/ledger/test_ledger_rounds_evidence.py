"""What rounds are proved by: a stretch of history, proposals, scans, photographs, the sensor, and
the lines that the manager looks at again. And what they say together: walks, drifts, months,
findings, coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from duty_room import SITE, person
from inspections import CLEAN, LEAKS, TEMPERATURE, at, current, item, regime
from round_desk import HERE, TODAY, Desk

from gateway.history.base import HistoryUnavailableError, Series
from gateway.model.equipment import Area
from gateway.model.moment import DAY, HOUR, MINUTE, SECOND
from gateway.model.quality import Quality
from rules.actions import attachments as attachment_actions
from rules.actions import places as place_actions
from rules.actions import round_photos
from rules.actions.act import Act
from rules.attached_files import AttachedFile
from rules.inspections import actions, spot_checks
from rules.inspections.compared import Compared
from rules.inspections.judge import ItemState, NewEntry, Scan, Value
from rules.inspections.lifecycle import RoundState
from rules.inspections.proving import By, Compare, Evidence, Over, Proving
from rules.inspections.regime import Answer, Band, Level, Regime, Severity
from rules.inspections.walks import legs
from rules.ledger import (
    coverage_view,
    finding_list,
    round_checks,
    round_series,
    round_summary,
    round_view,
)
from rules.ledger import round_photos as photos_of
from rules.ledger.finding_list import Wanted
from rules.ledger.store import Ledger
from rules.people.roles import Actor, ForbiddenError, Role
from rules.refusals import ConflictError, NotFoundError, NotValidError

TECHNICIAN = Actor(username="li", role=Role.TECHNICIAN)
MANAGER = person("chen")
CODE = "K7QF2M3XPAK7QF2M"
OVER = Proving(over=Over(time=24 * HOUR, by=By.MEAN))
GAUGE = item(
    "gauge",
    equipment_class="pump",
    answer=Answer.NUMBER,
    unit="℃",
    band=Band(high=75),
    severity=Severity.NORMAL,
    proving=Proving(compare=Compare(point="motor_temperature", within=2)),
)


class Flat:
    """A history in which every point has read one value, once a second; or one that is away."""

    def __init__(self, value: float) -> None:
        self.value = value
        self.is_away = False

    def at(self, points: list[str], wall: int) -> dict[str, object]:
        if self.is_away:
            raise HistoryUnavailableError("no answer")
        return {}

    def gaps(self, points: list[str], start: int, end: int) -> list[object]:
        return []

    def range(self, point: str, start: int, end: int, limit: int) -> Series:
        time = np.arange(start, end, MINUTE, dtype=np.int64)
        return Series(
            time=time,
            value=np.full(len(time), self.value),
            quality=np.zeros(len(time), np.uint8),
            source_time=time,
        )


def opened(ledger: Ledger, *items: object, **changes: object) -> Desk:
    """A round of these items that has just been opened."""
    made = Desk(ledger, (regime("daily-pumps", *items, **changes),))  # type: ignore[arg-type]
    made.go("2026-11-21 08:00")
    made.tick()
    return made


def enter(
    desk: Desk,
    key: str,
    value: Value,
    *,
    entry: str | None = None,
    scan: Scan | None = None,
    compared: Compared | None = None,
    round_id: str = TODAY,
    site: object = HERE,
    actor: Actor = TECHNICIAN,
) -> None:
    name = entry or f"{round_id} {key} {desk.now.wall}"
    given = NewEntry(id=name, value=value, scan=scan, compared=compared)
    actions.enter(
        desk.ledger,
        site,  # type: ignore[arg-type]
        round_id,
        key,
        given,
        book=desk.book,
        actor=actor,
        now=desk.now,
    )


def finish(desk: Desk, round_id: str = TODAY) -> None:
    actions.finish(desk.ledger, HERE, round_id, book=desk.book, actor=TECHNICIAN, now=desk.now)


def act(desk: Desk, round_id: str = TODAY, actor: Actor = MANAGER, key: str | None = None) -> Act:
    return Act(desk.ledger, SITE, round_id, actor, desk.now, key)


def test_an_item_over_a_day_is_filled_from_the_history(ledger: Ledger) -> None:
    """By its mean of 70, though it reads 80 now; and the whole stretch is kept."""
    desk = Desk(ledger, (regime("daily-pumps", replace(TEMPERATURE, proving=OVER)),))
    desk.history = Flat(70.0)
    desk.go("2026-11-21 08:00")
    hot = {f"pump-{one}.motor_temperature": 80.0 for one in (1, 2)}
    desk.tick(hot)
    assert {one.state for one in desk.items().values()} == {ItemState.WAITING}
    desk.clock.advance(2)
    desk.tick(hot)
    kept = desk.items()["temperature.pump-1"]
    assert (kept.state, kept.item.proving) == (ItemState.PASSED, OVER)
    assert kept.reading is not None
    window = kept.reading.window
    assert window is not None
    assert (kept.reading.value, window.mean, window.count) == (70.0, 70.0, 1440)
    assert (window.end - window.start, window.end) == (DAY, desk.now.wall)


def test_a_history_that_is_away_hands_the_item_to_a_person_with_the_reason(
    ledger: Ledger,
) -> None:
    desk = Desk(ledger, (regime("daily-pumps", replace(TEMPERATURE, proving=OVER)),))
    desk.history = Flat(70.0)
    desk.history.is_away = True
    desk.go("2026-11-21 08:00")
    for _ in range(2):
        desk.tick()
        desk.clock.advance(2)
    waiting = desk.items()["temperature.pump-1"]
    assert waiting.state is ItemState.WAITING
    assert waiting.why is not None
    assert "no answer" in waiting.why.en
    desk.clock.advance(600)
    desk.tick()
    handed = desk.items()["temperature.pump-1"]
    assert (handed.state, handed.reading) == (ItemState.HANDED_OVER, None)
    enter(desk, "temperature.pump-1", 60.0)
    assert desk.items()["temperature.pump-1"].state is ItemState.PASSED


def test_what_telemetry_proposed_and_what_a_person_said_are_both_kept(ledger: Ledger) -> None:
    desk = opened(ledger, replace(TEMPERATURE, proving=Proving(confirm=True)))
    proposed = desk.items()["temperature.pump-1"]
    assert (proposed.state, proposed.entry) == (ItemState.HANDED_OVER, None)
    with pytest.raises(ConflictError, match="not answered yet"):
        finish(desk)
    told = Compared(
        point="pump-1.motor_temperature",
        value=0.0,
        received_at=desk.now.wall,
        difference=3.0,
        within=None,
        agrees=None,
    )
    enter(desk, "temperature.pump-1", 3.0, compared=told)
    desk.tick({"pump-1.motor_temperature": 50.0})
    kept = desk.items()["temperature.pump-1"]
    assert kept.state is ItemState.PASSED
    assert kept.reading is not None
    assert kept.entry is not None
    assert (kept.reading.value, kept.entry.value, kept.entry.compared) == (0.0, 3.0, told)


def hang(desk: Desk) -> None:
    place_actions.hang(desk.ledger, HERE, "b1", CODE, renew=False, actor=MANAGER, now=desk.now)


def test_without_its_scan_and_its_photograph_a_round_is_not_signed(ledger: Ledger) -> None:
    asked = replace(LEAKS, proving=Proving(evidence=(Evidence.QR, Evidence.PHOTO)))
    desk = opened(ledger, asked)
    hang(desk)
    for pump in ("pump-1", "pump-2"):
        enter(desk, f"leaks.{pump}", True, entry=f"bare {pump}")
    with pytest.raises(ConflictError, match=r"leaks\.pump-1 lacks a scan and a photograph"):
        finish(desk)
    now = desk.now.wall
    for wrong in (
        Scan("NOSUCHCODE234567", now),
        Scan("https://duty.example/e/pump-2", now),
        Scan(CODE, at("2026-11-21 07:59")),
        Scan(CODE, now + HOUR),
    ):
        with pytest.raises(NotValidError) as caught:
            enter(desk, "leaks.pump-1", True, scan=wrong)
        assert caught.value.field == "scan"
    enter(desk, "leaks.pump-1", True, scan=Scan(f"https://duty.example/r/{CODE}", now))
    enter(desk, "leaks.pump-2", True, scan=Scan("https://duty.example/e/pump-2", now))
    desk.clock.advance(60)
    # A later answer without a scan takes none away.
    enter(desk, "leaks.pump-2", True)
    kept = desk.items()["leaks.pump-2"]
    assert kept.scan is not None
    assert (kept.scan.scanned, kept.scan.scanned_at) == ("pump-2", now)
    for pump in ("pump-1", "pump-2"):
        for _ in range(2):
            photo(desk, f"leaks.{pump}", key=f"key {pump}")
    with ledger.read(SITE) as view:
        assert dict(photos_of.counts(view, TODAY)) == {"leaks.pump-1": 1, "leaks.pump-2": 1}
    finish(desk)
    with pytest.raises(ConflictError, match="cannot be filled in"):
        photo(desk, "leaks.pump-1", key="later")


def photo(desk: Desk, line: str, *, key: str, actor: Actor = TECHNICIAN) -> str:
    done = act(desk, actor=actor, key=key)
    round_photos.may_attach(done, line)
    file = AttachedFile(
        media_type="image/png", size=3, sha256="0" * 64, sent_size=4, sent_sha256="1" * 64
    )
    kept = round_photos.attach(done, line, file, caption=None)
    return kept.id


def test_a_photograph_that_was_struck_out_shows_nothing(ledger: Ledger) -> None:
    desk = opened(ledger, replace(CLEAN, proving=Proving(evidence=(Evidence.PHOTO,))))
    enter(desk, "clean", True)
    made = photo(desk, "clean", key="k")
    with ledger.read(SITE) as view:
        assert attachment_actions.seen(view, HERE, made, TECHNICIAN).subject == f"{TODAY}.clean"
    with pytest.raises(NotFoundError):
        photo(desk, "no-such-line", key="k2")
    with pytest.raises(ForbiddenError):
        attachment_actions.strike(act(desk, made, TECHNICIAN), HERE, reason="other place")
    attachment_actions.strike(act(desk, made), HERE, reason="other place")
    with pytest.raises(ConflictError, match="clean lacks a photograph"):
        finish(desk)


WEEKLY: Regime = regime(
    "weekly-pumps",
    CLEAN,
    LEAKS,
    level=Level.WEEKLY,
    on=6,
    countersign_role=Role.ENGINEERING_MANAGER,
)
WEEK = "weekly-pumps.b1.2026-W47"


def test_a_weekly_round_is_countersigned_when_its_sample_was_looked_at(ledger: Ledger) -> None:
    desk = Desk(ledger, (WEEKLY,))
    desk.go("2026-11-21 08:00")
    desk.tick()
    lines = list(desk.items(WEEK))
    for key in lines:
        enter(desk, key, True, round_id=WEEK)

    def check(key: str, *, agrees: bool = True, note: str | None = None, **more: Actor) -> None:
        spot_checks.check(
            act(desk, WEEK, **more), HERE, key, agrees=agrees, note=note, book=desk.book
        )

    def countersign() -> None:
        actions.countersign(ledger, HERE, WEEK, actor=MANAGER, now=desk.now)

    with pytest.raises(ConflictError, match="not signed"):
        check("clean")
    finish(desk, WEEK)
    with pytest.raises(ConflictError, match=r"to be looked at before: .*clean"):
        countersign()
    with pytest.raises(ForbiddenError):
        check("clean", actor=TECHNICIAN)
    with pytest.raises(ConflictError, match="does not check"):
        check("clean", actor=person("li"))
    with pytest.raises(NotValidError):
        check("leaks.pump-1", agrees=False)
    for key in lines:
        check(key)
    desk.clock.advance(5)
    check("leaks.pump-1", agrees=False, note="drips")
    with ledger.read(SITE) as view:
        checks = round_checks.of_round(view, WEEK)
        (finding,) = round_view.findings(view, WEEK)
    assert (checks["leaks.pump-1"].agrees, checks["leaks.pump-1"].note) == (False, "drips")
    assert finding.text.en.endswith("not as written, when looked at: drips")
    assert finding.order is not None
    countersign()
    assert desk.all(state=RoundState.COUNTERSIGNED)
    with pytest.raises(ConflictError, match="not signed"):
        check("clean")


def test_ways_between_scans_are_shown_with_how_fast_they_were(ledger: Ledger) -> None:
    desk = opened(ledger, LEAKS)
    hang(desk)
    roof = replace(HERE.equipment["pump-2"], area="roof")
    site = replace(
        HERE,
        areas={**HERE.areas, "roof": Area(id="roof", name=HERE.name)},
        equipment={**HERE.equipment, "pump-2": roof},
        walks={frozenset(("b1", "roof")): 120.0},
    )
    start = desk.now.wall
    enter(desk, "leaks.pump-1", True, scan=Scan("/e/pump-1", start))
    desk.clock.advance(20)
    enter(desk, "leaks.pump-2", True, scan=Scan("/e/pump-2", desk.now.wall))
    with ledger.read(SITE) as view:
        (way,) = legs(round_series.scans(view, site, TODAY), site.walks, TODAY)
    assert (way.start, way.to, way.metres, way.seconds) == ("b1", "roof", 120.0, 20.0)
    assert way.is_fast
    assert not replace(way, came_at=way.left_at + MINUTE).is_fast


def test_differences_from_the_sensor_are_followed_over_the_rounds(ledger: Ledger) -> None:
    desk = Desk(ledger, (regime("daily-pumps", GAUGE),))
    for day in range(21, 26):
        desk.go(f"2026-11-{day} 08:00")
        desk.tick()
        told = Compared(
            point="pump-1.motor_temperature",
            value=40.0,
            received_at=desk.now.wall,
            difference=float(day - 21),
            within=2.0,
            agrees=day - 21 <= 2,
        )
        round_id = f"daily-pumps.b1.2026-11-{day}"
        enter(desk, "gauge.pump-1", 40.0 + day - 21, round_id=round_id, compared=told)
        enter(desk, "gauge.pump-2", 40.0, round_id=round_id)
    with ledger.read(SITE) as view:
        found = round_view.round_with(view, round_id)
        assert found is not None
        drifts = round_series.drifts(view, found)
    assert set(drifts) == {"gauge.pump-1"}
    drift = drifts["gauge.pump-1"]
    assert (drift.rounds, drift.mean) == (5, 2.0)
    assert drift.slope == pytest.approx(7.0)


def test_what_a_month_brought_and_which_findings_are_open(ledger: Ledger) -> None:
    """Three daily rounds are due by Monday 09:00: one done in time, one late, one missed."""
    monthly = regime("monthly-pumps", CLEAN, level=Level.MONTHLY, on=24)
    desk = Desk(ledger, (regime("daily-pumps", CLEAN, LEAKS), monthly))
    keys = ("clean", "leaks.pump-1", "leaks.pump-2")
    for when, day in (("2026-11-21 09:00", 21), ("2026-11-22 19:00", 22)):
        desk.go(f"2026-11-{day} 08:00")
        desk.tick()
        desk.go(when)
        round_id = f"daily-pumps.b1.2026-11-{day}"
        for key in keys:
            enter(desk, key, key != "leaks.pump-1", round_id=round_id)
        finish(desk, round_id)
    desk.go("2026-11-23 08:00")
    desk.tick()
    desk.go("2026-11-24 08:00")
    desk.tick()
    with ledger.read(SITE) as view:
        holder = round_view.round_with(view, "monthly-pumps.b1.2026-11")
        assert holder is not None
        (area,) = round_summary.summary(view, HERE, holder, desk.now.wall)
        listed = finding_list.findings(view, Wanted(is_open=True), limit=10)
        page = finding_list.findings(view, Wanted(severity=Severity.NORMAL), limit=1)
        last = page[0].finding
        rest = finding_list.findings(view, Wanted(), limit=9, before=(last.at, last.id))
        none = finding_list.findings(view, Wanted(is_open=False), limit=10)
        checked = coverage_view.last_checks(view)
    assert (area.area, set(area.regimes)) == ("b1", {"daily-pumps"})
    daily = area.regimes["daily-pumps"]
    assert (daily.name.en, daily.due, daily.done, daily.late, daily.missed) == (
        "daily-pumps",
        3,
        2,
        1,
        1,
    )
    assert (daily.findings, daily.findings_open) == ({Severity.NORMAL: 2}, 2)
    assert area.orders_open == 1, "both belong to one order"
    assert [one.round for one in listed] == [
        "daily-pumps.b1.2026-11-22",
        "daily-pumps.b1.2026-11-21",
    ]
    assert (listed[0].equipment, listed[0].order_state) == ("pump-1", "open")
    assert [one.finding.id for one in page + rest] == [one.finding.id for one in listed]
    assert none == []
    pump = checked["pump-1", Level.DAILY]
    assert set(checked) == {("pump-1", Level.DAILY), ("pump-2", Level.DAILY)}
    assert (pump.round, pump.by) == ("daily-pumps.b1.2026-11-22", "li")
    assert (pump.at, pump.failed) == (at("2026-11-22 19:00"), 1)


def looked_at(ledger: Ledger) -> dict[str, tuple[str, int, str | None]]:
    with ledger.read(SITE) as view:
        found = coverage_view.last_checks(view)
    return {name: (one.round[-2:], one.at, one.by) for (name, _), one in found.items()}


def test_who_looked_last_counts_and_in_one_round_a_person_before_telemetry(ledger: Ledger) -> None:
    desk = opened(ledger, TEMPERATURE, LEAKS)
    first = desk.now.wall
    assert looked_at(ledger) == {"pump-1": ("21", first, None), "pump-2": ("21", first, None)}
    for name in ("zhao", "an"):
        desk.clock.advance(60)
        actor = Actor(username=name, role=Role.TECHNICIAN)
        enter(desk, "leaks.pump-2", True, actor=actor)
    seen = ("21", desk.now.wall, "an")
    assert looked_at(ledger)["pump-2"] == seen, "the newest, not the last of the alphabet"
    bad = {f"pump-{one}.motor_temperature": current(None, desk.now, Quality.BAD) for one in (1, 2)}
    desk.go("2026-11-22 07:50")
    desk.tick(bad)
    desk.go("2026-11-22 08:00")
    desk.tick(bad)
    assert looked_at(ledger)["pump-2"] == seen, "what was handed over is not looked at yet"


def test_what_a_clock_that_was_ahead_has_filled_is_not_looked_at(ledger: Ledger) -> None:
    desk = opened(ledger, TEMPERATURE, LEAKS)
    enter(desk, "leaks.pump-2", True)
    known = looked_at(ledger)
    desk.clock.step_wall(DAY / SECOND)
    desk.tick()
    assert looked_at(ledger)["pump-1"][0] == "22"
    desk.clock.step_wall(-DAY / SECOND)
    desk.told = desk.now.wall
    desk.tick()
    assert looked_at(ledger) == known, "as its lines and entries have it"
