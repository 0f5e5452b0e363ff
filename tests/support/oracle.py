"""Holds what dutyroom kept against what truly happened, after it was killed in every way.

The truth is what the simulators logged, each event fsynced before its state; the receipts of a
webhook sink; and the answers 2xx that a client got. The oracle reads the stores by plain SQL,
not through the product, and returns every broken promise as a sentence; an empty list is clean.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from gateway.model.events import decode
from gateway.model.frame import Frame
from gateway.spool import Spool

SECOND = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the oracle knows of a rule: which crossing it answers to, and its delays in s."""

    id: str
    point: str
    delay: float
    clear_after: float


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A time in which the simulated value truly was beyond its limit, µs UTC."""

    equipment: str
    point: str
    begins: int
    ends: int | None


@dataclass(kw_only=True)
class Evidence:
    """What a client saw while it happened."""

    receipts: Sequence[Mapping[str, str]] = field(default_factory=list)
    """Bodies that the webhook sink took."""
    acknowledged: Sequence[str] = field(default_factory=list)
    """Alarm ids whose acknowledgement was answered 2xx."""


def examine(data: Path, rules: Iterable[Rule], evidence: Evidence, *, slack: float) -> list[str]:
    """Every promise that ``data`` breaks.

    ``slack``: s by which a reading may trail the truth (poll, and the time the gateway was down).
    """
    found = [*_events_are_whole(data)]
    with sqlite3.connect(f"file:{data / 'ledger.db'}?mode=ro", uri=True) as ledger:
        ledger.row_factory = sqlite3.Row
        for rule in rules:
            found += _one_alarm_an_episode(ledger, episodes(data, rule.point), rule, slack)
        found += _one_order_a_cause(ledger)
        found += _notices_arrived(ledger, evidence)
        found += _acknowledgements_kept(ledger, evidence)
    found += _readings_stored_once(data)
    return found


def episodes(data: Path, point: str) -> list[Episode]:
    """The episodes of ``point`` in the simulators' log."""
    begun: dict[str, int] = {}
    done: list[Episode] = []
    for event in _log(data):
        if event["detail"] != point:
            continue
        at = round(datetime.fromisoformat(event["at"]).timestamp() * SECOND)
        thing = event["equipment"]
        if event["kind"] in ("above", "below"):
            begun[thing] = at
        elif event["kind"] == "within" and thing in begun:
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
    ledger: sqlite3.Connection, truth: list[Episode], rule: Rule, slack: float
) -> Iterable[str]:
    """Each episode that lasted long enough has one alarm; each alarm has one episode."""
    rows = ledger.execute(
        "SELECT id, equipment, first_reading_at, order_id FROM alarm WHERE rule = ?", (rule.id,)
    ).fetchall()
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


def _one_order_a_cause(ledger: sqlite3.Connection) -> Iterable[str]:
    open_orders = ledger.execute(
        "SELECT equipment, cause_key, count(*) AS n FROM work_order WHERE state <> 'closed' "
        "GROUP BY equipment, cause_key HAVING n > 1"
    ).fetchall()
    for row in open_orders:
        yield f"{row['equipment']} has {row['n']} open orders for {row['cause_key']}"
    for row in ledger.execute(
        "SELECT id FROM work_order WHERE id NOT IN (SELECT order_id FROM alarm)"
    ):
        yield f"order {row['id']} belongs to no alarm"
    # Orders follow one another: the next may begin only after the one before was closed.
    spans: dict[tuple[str, str], list[sqlite3.Row]] = defaultdict(list)
    for row in ledger.execute("SELECT * FROM work_order ORDER BY created_at"):
        spans[row["equipment"], row["cause_key"]].append(row)
    for cause, orders in spans.items():
        for before, after in pairwise(orders):
            if before["closed_at"] is None or before["closed_at"] > after["created_at"]:
                yield f"orders {before['id']} and {after['id']} of {cause} overlap"


def _notices_arrived(ledger: sqlite3.Connection, evidence: Evidence) -> Iterable[str]:
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


def _acknowledgements_kept(ledger: sqlite3.Connection, evidence: Evidence) -> Iterable[str]:
    for alarm in evidence.acknowledged:
        (times,) = ledger.execute(
            "SELECT count(*) FROM alarm_event WHERE alarm_id = ? AND event = 'acknowledge'",
            (alarm,),
        ).fetchone()
        if times != 1:
            yield f"acknowledgement of {alarm} was answered 2xx and is there {times} times"


def _readings_stored_once(data: Path) -> Iterable[str]:
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
    with sqlite3.connect(f"file:{data / 'history.db'}?mode=ro", uri=True) as history:
        (last,) = history.execute(
            "SELECT max(seq) FROM cursors WHERE epoch = ?", (epoch,)
        ).fetchone()
        names = dict(history.execute("SELECT name, id FROM points"))
        numbers = [seq for seq, _ in stretch.records]
        if numbers and numbers != list(range(numbers[0], numbers[-1] + 1)):
            yield "the spool has a hole"
        if (last or 0) < (numbers[-1] if numbers else 0):
            yield f"the history stopped at {last} of {numbers[-1]}"
        for seq, payload in stretch.records:
            record = decode(payload)
            if not isinstance(record.body, Frame):
                continue
            for row, name in enumerate(record.body.points):
                stored = history.execute(
                    "SELECT value FROM readings WHERE point = ? AND time = ?",
                    (names.get(name), record.envelope.at.wall),
                ).fetchall()
                value = float(record.body.value[row])
                expected = None if value != value else value
                if [item for (item,) in stored] != [expected]:
                    yield f"record {seq}: {name} is stored as {stored}, expected {expected}"
