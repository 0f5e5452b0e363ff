"""Holds what dutyroom kept against what truly happened, after it was killed in every way.

The truth is what the simulators logged, each event fsynced before its state; the receipts of a
webhook sink; and the answers 2xx that a client got. The oracle reads the stores by plain SQL,
not through the product, and returns every broken promise as a sentence; an empty list is clean.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from gateway.model.events import decode
from gateway.model.frame import Frame
from gateway.spool import Spool

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
    slack: float,
    server: str | None = None,
    history: Kept | None = None,
) -> list[str]:
    """Every promise that ``data`` breaks.

    ``slack``: s by which a reading may trail the truth (poll, and the time the gateway was down).
    ``server``: URL of the ledger, ``history``: where readings are, if both are not in ``data``.
    """
    found = [*_events_are_whole(data)]
    with _opened(data, server) as ledger:
        found += alarms_against_truth(ledger, data, rules, slack=slack)
        found += _one_order_a_cause(ledger)
        found += _notices_arrived(ledger, evidence)
        found += _acknowledgements_kept(ledger, evidence)
    if history is not None:
        found += _readings_stored_once(data, history)
    else:
        with sqlite3.connect(f"file:{data / 'history.db'}?mode=ro", uri=True) as file:
            found += _readings_stored_once(data, _kept_in(file))
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
    ledger: Ledger, data: Path, rules: Iterable[Rule], *, slack: float
) -> Iterable[str]:
    """Each episode has exactly one alarm, each alarm one episode, and no other rule has any."""
    known = list(rules)
    for rule in known:
        yield from _one_alarm_an_episode(ledger, episodes(data, rule.point), rule, slack)
    for row in ledger.execute("SELECT id, rule FROM alarm"):
        if row["rule"] not in {rule.id for rule in known}:
            yield f"alarm {row['id']} answers to nothing that happened"


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


def _events_are_whole(data: Path) -> Iterable[str]:
    numbers = [event["number"] for event in _log(data)]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the simulators' log is not whole: {numbers}"


def _one_alarm_an_episode(
    ledger: Ledger, truth: list[Episode], rule: Rule, slack: float
) -> Iterable[str]:
    """Each episode that lasted long enough has one alarm; each alarm has one episode."""
    found = ledger.execute("SELECT id, rule, equipment, first_reading_at, order_id FROM alarm")
    rows = [row for row in found if row["rule"] == rule.id]
    explained: Counter[str] = Counter()
    for episode in truth:
        ends = episode.ends if episode.ends is not None else 1 << 62
        mine = [
            row["id"]
            for row in rows
            if row["equipment"] == episode.equipment
            and episode.begins <= row["first_reading_at"] <= ends + slack * SECOND
        ]
        explained.update(mine)
        lasted = (ends - episode.begins) / SECOND
        if len(mine) > 1:
            yield f"{episode} has {len(mine)} alarms: {mine}"
        if not mine and episode.ends is not None and lasted > rule.delay + slack:
            yield f"{episode} of {lasted:.1f} s was missed"
    for row in rows:
        if explained[row["id"]] != 1:
            yield f"alarm {row['id']} belongs to {explained[row['id']]} episodes"
        if row["order_id"] is None:
            yield f"alarm {row['id']} has no order"


def _one_order_a_cause(ledger: Ledger) -> Iterable[str]:
    open_orders = ledger.execute(
        "SELECT equipment, cause_key, count(*) AS n FROM work_order WHERE state <> 'closed' "
        "GROUP BY equipment, cause_key HAVING count(*) > 1"
    ).fetchall()
    for row in open_orders:
        yield f"{row['equipment']} has {row['n']} open orders for {row['cause_key']}"
    for row in ledger.execute(
        "SELECT id FROM work_order WHERE finding IS NULL AND NOT EXISTS "
        "(SELECT 1 FROM alarm WHERE alarm.order_id = work_order.id)"
    ):
        yield f"order {row['id']} belongs to no alarm"
    # Orders follow one another: the next may begin only after the one before was closed.
    spans: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in ledger.execute("SELECT * FROM work_order ORDER BY created_at"):
        spans[row["equipment"], row["cause_key"]].append(row)
    for cause, orders in spans.items():
        for before, after in pairwise(orders):
            if before["closed_at"] is None or before["closed_at"] > after["created_at"]:
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
    rows = ledger.execute("SELECT alarm_id FROM alarm_event WHERE event = 'acknowledge'")
    times = Counter(row["alarm_id"] for row in rows)
    for alarm in evidence.acknowledged:
        if times[alarm] != 1:
            yield f"acknowledgement of {alarm} was answered 2xx and is there {times[alarm]} times"


def _kept_in(file: sqlite3.Connection) -> Kept:
    """The embedded history."""

    def newest(epoch: str) -> int:
        (last,) = file.execute("SELECT max(seq) FROM cursors WHERE epoch = ?", (epoch,)).fetchone()
        return last or 0

    def readings(point: str) -> Iterable[tuple[int, float | None]]:
        return file.execute(
            "SELECT time, value FROM readings JOIN points ON id = point WHERE name = ?", (point,)
        ).fetchall()

    return Kept(newest=newest, readings=readings)


def _readings_stored_once(data: Path, history: Kept) -> Iterable[str]:
    """Every reading of every record still in the spool is in the history, once and unchanged."""
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
    if numbers and numbers != list(range(numbers[0], numbers[-1] + 1)):
        yield "the spool has a hole"
    last = history.newest(epoch)
    if last < (numbers[-1] if numbers else 0):
        yield f"the history stopped at {last} of {numbers[-1]}"
    kept: dict[str, dict[int, list[float | None]]] = {}
    for seq, payload in stretch.records:
        record = decode(payload)
        if not isinstance(record.body, Frame):
            continue
        for row, name in enumerate(record.body.points):
            if name not in kept:
                kept[name] = defaultdict(list)
                for time, value in history.readings(name):
                    kept[name][time].append(value)
            stored = kept[name].get(record.envelope.at.wall)
            value = float(record.body.value[row])
            expected = None if value != value else value
            if stored != [expected]:
                yield f"record {seq}: {name} is stored as {stored}, expected {expected}"
