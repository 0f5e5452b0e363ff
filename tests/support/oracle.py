"""Holds what dutyroom kept against what truly happened, after it was killed in every way.

The truth is what the simulators logged, each event fsynced before its state; the receipts of a
webhook sink; and the answers 2xx that a client got. The oracle reads the stores by plain SQL,
not through the product, and returns every broken promise as a sentence; an empty list is clean.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import history_file
import psycopg
from psycopg.rows import dict_row

from gateway.model.equipment import Site
from gateway.model.events import decode
from gateway.model.frame import Frame
from gateway.model.numbers import overlap
from gateway.model.point import Point
from gateway.model.quality import Quality
from gateway.site import files as site_file
from gateway.spool.queue import Spool

SECOND = 1_000_000

Ledger = Any
"""A connection of sqlite3 or psycopg whose rows know their columns by name. Both understand SQL
without parameters, so there is none with."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the oracle knows of a rule: what it answers to, and its delays in s."""

    id: str
    point: str
    """The point whose crossing it answers to; or the kind of fault, if several rules of the
    equipment are on one point, or several classes have one of that name."""
    delay: float
    """From the crossing, or the beginning of the fault, until the alarm is sure to be raised."""
    clear_after: float


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A time in which a simulated value truly was beyond its limit, or a fault lasted, µs UTC."""

    equipment: str
    point: str
    """Point key or fault kind."""
    begins: int
    ends: int | None


FAULT_RULES = tuple(
    Rule(id=rule, point=fault, delay=delay, clear_after=clear_after)
    for fault, rule, delay, clear_after in (
        ("overheating", "motor-temperature-high", 35, 20),
        ("burnt-out", "lamp-failure", 11, 10),
        ("tank-low", "tank-level-low", 45, 30),
        # A person has to ride first, and the sensor waits for 15 s; for a door it waits for 60 s.
        ("entrapment", "lift-entrapment-between-landings", 90, 30),
        ("door-stuck", "lift-door-open-too-long", 95, 30),
        ("detector-fire", "fire-alarm", 12, 30),
        ("detector-trouble", "detector-trouble", 31, 60),
        ("supply-loss", "supply-lost", 5, 30),
        ("phase-loss", "phase-lost-l2", 5, 30),
        ("undervoltage", "undervoltage-l1", 12, 30),
        ("hot-room", "power-room-temperature-high", 45, 60),
        ("worn-bearing", "bearing-temperature-high", 20, 30),
        ("leak", "water-leak", 8, 60),
        ("flooding", "sump-flooding", 18, 60),
        ("trip", "breaker-tripped", 4, 30),
        ("contactor-stuck", "contactor-not-closing", 7, 10),
    )
)
"""The shipped rules that answer to the faults of the shipped scenarios."""


@dataclass(kw_only=True)
class Evidence:
    """What a client saw while it happened."""

    receipts: Sequence[Mapping[str, str]] = field(default_factory=list)
    """Bodies that the webhook sink took."""
    acknowledged: Sequence[str] = field(default_factory=list)
    """Alarm ids whose acknowledgement was answered 2xx."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a history holds, asked without the product."""

    newest: Callable[[str], int]
    """The last record of an epoch that it says it has; 0: none."""
    readings: Callable[[str], Iterable[tuple[int, float | None]]]
    """Receive time (µs) and value of all readings of a point."""


def examine(
    data: Path,
    rules: Iterable[Rule],
    evidence: Evidence,
    *,
    site: Path,
    slack: float,
    blind: float = 0,
    server: str | None = None,
    history: Kept | None = None,
) -> list[str]:
    """Every promise that ``data`` breaks.

    ``site``: its file, which says what of the readings the history may leave out.
    ``slack``: s by which a reading may trail the truth (the poll, and its way).
    ``blind``: s for which nobody may have looked, so that an episode of that length may be missed.
    ``server``: URL of the ledger, ``history``: where readings are, if both are not in ``data``.
    """
    installed = site_file.load(site)
    points = installed.points
    found = [*_events_are_whole(data)]
    with _opened(data, server) as ledger:
        found += alarms_against_truth(ledger, data, rules, slack=slack, blind=blind)
        found += _silences_are_true(ledger, data, installed)
        found += _one_order_a_cause(ledger)
        found += _notices_arrived(ledger, evidence)
        found += _acknowledgements_kept(ledger, evidence)
    if history is not None:
        found += _readings_stored_once(data, history, points)
    else:
        with sqlite3.connect(f"file:{data / 'history.db'}?mode=ro", uri=True) as file:
            found += _readings_stored_once(data, _kept_in(file), points)
    return found


@contextmanager
def _opened(data: Path, server: str | None) -> Iterator[Ledger]:
    if server is None:
        with sqlite3.connect(f"file:{data / 'ledger.db'}?mode=ro", uri=True) as file:
            file.row_factory = sqlite3.Row
            yield file
    else:
        address = server.replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(address, row_factory=dict_row) as connection:
            yield connection


def alarms_against_truth(
    ledger: Ledger, data: Path, rules: Iterable[Rule], *, slack: float, blind: float = 0
) -> Iterable[str]:
    """Each episode has exactly one alarm, each alarm one episode, and no other rule has any."""
    known = list(rules)
    for rule in known:
        yield from _one_alarm_an_episode(ledger, episodes(data, rule.point), rule, slack, blind)
    for row in ledger.execute("SELECT * FROM alarm").fetchall():
        if row["rule"] not in {rule.id for rule in known} and not row["rule"].endswith(_SILENT):
            yield f"alarm {row['id']} answers to nothing that happened"


_SILENT = ("link-lost", "link-silent", "-no-data")
"""How the rules end that answer to silence, of which the simulators know nothing."""


def _silences_are_true(ledger: Ledger, data: Path, site: Site) -> Iterable[str]:
    """An alarm of silence is there once, and nothing was heard while it came up."""
    spoke: dict[str, list[int]] = defaultdict(list)
    for _, payload in _records(data):
        record = decode(payload)
        if not isinstance(record.body, Frame):
            continue
        at = record.envelope.at.wall
        for row, point in enumerate(record.body.points):
            if record.body.quality[row] < Quality.STALE:
                thing = site.points[point].equipment
                spoke[thing].append(at)
                spoke[f"link.{site.equipment[thing].link}"].append(at)
    open_ones: Counter[tuple[str, str]] = Counter()
    known = {row["id"] for row in ledger.execute("SELECT id FROM alarm")}
    for row in ledger.execute("SELECT * FROM alarm").fetchall():
        if not row["rule"].endswith(_SILENT):
            continue
        open_ones[row["rule"], row["equipment"]] += row["state"] != "closed"
        begun, raised = row["first_reading_at"], row["raised_at"]
        if any(begun + SECOND < at < raised - SECOND for at in spoke[row["equipment"]]):
            yield f"alarm {row['id']} came up although something was heard"
        yield from _explained_once(ledger, row, known)
    for which, number in open_ones.items():
        if number > 1:
            yield f"{which} has {number} alarms that are not closed"


def episodes(data: Path, point: str) -> list[Episode]:
    """The episodes of ``point``, a point key or a fault kind, in the simulators' log."""
    begun: dict[str, int] = {}
    done: list[Episode] = []
    for event in _log(data):
        if event["detail"] != point:
            continue
        at = round(datetime.fromisoformat(event["at"]).timestamp() * SECOND)
        thing = event["equipment"]
        if event["kind"] in ("above", "below", "fault_begin"):
            begun[thing] = at
        elif event["kind"] in ("within", "fault_end") and thing in begun:
            done.append(Episode(equipment=thing, point=point, begins=begun.pop(thing), ends=at))
    left = [Episode(equipment=t, point=point, begins=at, ends=None) for t, at in begun.items()]
    return done + left


def _log(data: Path) -> list[dict[str, str]]:
    text = (data / "simulators" / "events.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _records(data: Path) -> Sequence[tuple[int, bytes]]:
    spool = Spool.open(data / "spool")
    try:
        return spool.read(0, limit=1 << 30).records
    finally:
        spool.close()


def _events_are_whole(data: Path) -> Iterable[str]:
    numbers = [event["number"] for event in _log(data)]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the simulators' log is not whole: {numbers}"


def _one_alarm_an_episode(
    ledger: Ledger, truth: list[Episode], rule: Rule, slack: float, blind: float
) -> Iterable[str]:
    """Each episode that lasted long enough has one alarm; each alarm has one episode for every
    time that it has come up: a relapse before it is over joins it."""
    rows = [row for row in ledger.execute("SELECT * FROM alarm") if row["rule"] == rule.id]
    known = {row["id"] for row in ledger.execute("SELECT id FROM alarm")}
    possible: Counter[str] = Counter()
    certain: Counter[str] = Counter()
    for episode in truth:
        ends = episode.ends if episode.ends is not None else 1 << 62
        mine = [
            row["id"]
            for row in rows
            if row["equipment"] == episode.equipment
            and row["first_reading_at"] <= ends + slack * SECOND
            and episode.begins <= (row["last_raised_at"] or row["first_reading_at"])
        ]
        lasted = (ends - episode.begins) / SECOND
        is_long = episode.ends is not None and lasted > rule.delay + max(slack, blind)
        possible.update(mine)
        certain.update(mine if is_long else ())
        if len(mine) > 1:
            yield f"{episode} has {len(mine)} alarms: {mine}"
        if not mine and is_long:
            yield f"{episode} of {lasted:.1f} s was missed"
    for row in rows:
        came = row["count"]
        if not max(certain[row["id"]], 1) <= came <= possible[row["id"]]:
            found = possible[row["id"]]
            yield f"alarm {row['id']} came up {came} times and belongs to {found} episodes"
        yield from _explained_once(ledger, row, known)


def _order_to_come(ledger: Ledger) -> set[str]:
    """Minor alarms that have no order yet: a timer waits for working time, or they have returned
    before it came."""
    rows = ledger.execute(
        "SELECT id FROM alarm WHERE priority = 'minor' AND order_id IS NULL AND (cleared_at IS NOT "
        "NULL OR EXISTS (SELECT 1 FROM timer WHERE kind = 'order' AND subject = alarm.id))"
    )
    return {row["id"] for row in rows}


def _explained_once(ledger: Ledger, row: Mapping[str, Any], known: set[str]) -> Iterable[str]:
    """What another alarm explains needs no order and has one cause; all else has an order."""
    cause = row["explained_by"]
    if cause is None and row["order_id"] is None and row["id"] not in _order_to_come(ledger):
        yield f"alarm {row['id']} has no order"
    if cause is not None and (cause not in known or cause == row["id"]):
        yield f"alarm {row['id']} is explained by {cause}, which is no alarm"
    if cause is not None and row["life_safety"]:
        yield f"alarm {row['id']} is of fire or entrapment and was explained away"


def _one_order_a_cause(ledger: Ledger) -> Iterable[str]:
    open_orders = ledger.execute(
        "SELECT equipment, cause_key, count(*) AS n FROM work_order "
        "WHERE state NOT IN ('closed', 'void') GROUP BY equipment, cause_key HAVING count(*) > 1"
    ).fetchall()
    for row in open_orders:
        yield f"{row['equipment']} has {row['n']} open orders for {row['cause_key']}"
    for row in ledger.execute(
        # One that is over may have been followed by another of the same alarm.
        "SELECT id FROM work_order WHERE source = 'alarm' AND state NOT IN ('closed', 'void') "
        "AND NOT EXISTS "
        "(SELECT 1 FROM alarm WHERE alarm.order_id = work_order.id)"
    ):
        yield f"order {row['id']} belongs to no alarm"
    # Orders follow one another: the next may begin only after the one before was closed.
    spans: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in ledger.execute("SELECT * FROM work_order ORDER BY created_at"):
        spans[row["equipment"], row["cause_key"]].append(row)
    for cause, orders in spans.items():
        for before, after in pairwise(orders):
            over = before["closed_at"] or before["voided_at"]
            if over is None or over > after["created_at"]:
                yield f"orders {before['id']} and {after['id']} of {cause} overlap"


def _notices_arrived(ledger: Ledger, evidence: Evidence) -> Iterable[str]:
    received = Counter(receipt["id"] for receipt in evidence.receipts)
    marked = {r["id"] for r in evidence.receipts if not r.get("possibly_repeated")}
    sent = ledger.execute("SELECT notice, state FROM outbox").fetchall()
    for row in sent:
        if row["state"] == "sent" and not received[row["notice"]]:
            yield f"notice {row['notice']} is marked sent and never arrived"
        if received[row["notice"]] > 1 and row["notice"] in marked:
            unmarked = [
                r
                for r in evidence.receipts
                if r["id"] == row["notice"] and not r.get("possibly_repeated")
            ]
            if len(unmarked) > 1:
                yield f"notice {row['notice']} arrived {len(unmarked)} times unmarked"
    known = {row["notice"] for row in sent}
    for notice in received:
        if notice not in known:
            yield f"notice {notice} was received and is in no outbox"


def _acknowledgements_kept(ledger: Ledger, evidence: Evidence) -> Iterable[str]:
    # Of what its rule latches, the acknowledgement is the step into that.
    rows = ledger.execute(
        "SELECT alarm_id FROM alarm_event WHERE event = 'acknowledge' "
        "OR (event = 'latch' AND by IS NOT NULL)"
    )
    times = Counter(row["alarm_id"] for row in rows)
    for alarm, answered in Counter(evidence.acknowledged).items():
        if times[alarm] != answered:
            yield (
                f"{answered} acknowledgements of {alarm} were answered 2xx and {times[alarm]} "
                "are there"
            )


def _kept_in(file: sqlite3.Connection) -> Kept:
    """The embedded history."""

    def newest(epoch: str) -> int:
        (last,) = file.execute("SELECT max(seq) FROM cursors WHERE epoch = ?", (epoch,)).fetchone()
        return last or 0

    def readings(point: str) -> Iterable[tuple[int, float | None]]:
        return ((time, value) for _, time, value, _ in history_file.readings(file, point))

    return Kept(newest=newest, readings=readings)


def _readings_stored_once(data: Path, history: Kept, points: Mapping[str, Point]) -> Iterable[str]:
    """Every reading of every record still in the spool is in the history, once and unchanged; or
    it was left out, as it is to be where the profile gives a deadband."""
    spool = Spool.open(data / "spool")
    try:
        if spool.torn:
            # A tail torn by a kill was never promised; a hole before the tail would be.
            yield f"{spool.torn} records of the spool are damaged"
        stretch = spool.read(0, limit=1 << 30)
        epoch = spool.epoch
    finally:
        spool.close()
    numbers = [seq for seq, _ in stretch.records]
    if numbers:
        passed_over = overlap(stretch.unused, numbers[0], numbers[-1])
        if len(numbers) + passed_over != numbers[-1] - numbers[0] + 1:
            yield "the spool has a hole"
    last = history.newest(epoch)
    if last < (numbers[-1] if numbers else 0):
        yield f"the history stopped at {last} of {numbers[-1]}"
    kept: dict[str, dict[int, list[float | None]]] = {}
    times: dict[str, list[int]] = {}
    for seq, payload in stretch.records:
        record = decode(payload)
        if not isinstance(record.body, Frame):
            continue
        for row, name in enumerate(record.body.points):
            if name not in kept:
                kept[name] = defaultdict(list)
                for time, value in history.readings(name):
                    kept[name][time].append(value)
                times[name] = sorted(kept[name])
            stored = kept[name].get(record.envelope.at.wall)
            value = float(record.body.value[row])
            expected = None if value != value else value
            if stored is None:
                at = record.envelope.at.wall
                before = times[name][max(bisect_left(times[name], at) - 1, 0) :][:1]
                last = {time: kept[name][time] for time in before if time < at}
                if _left_out(points.get(name), last, at, value):
                    continue
            if stored != [expected]:
                yield f"record {seq}: {name} is stored as {stored}, expected {expected}"


_KEEP_EVERY = 600 * SECOND
"""µs after which a reading is kept although it has not moved, where the profile does not say."""


def _left_out(
    point: Point | None, before: Mapping[int, Sequence[float | None]], at: int, value: float
) -> bool:
    """Whether ``value`` had hardly moved since the one kept before it, which was not long ago.
    Readings without a value come in stretches, and of a stretch the first is kept."""
    if point is None or point.deadband is None or not before:
        return False
    ((time, (last,)),) = before.items()
    if at - time >= (point.keep_every or _KEEP_EVERY):
        return False
    if last is None or value != value:
        return last is None and value != value
    return abs(value - last) <= point.deadband * (1 + 1e-9)
