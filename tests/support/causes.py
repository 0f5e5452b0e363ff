"""The oracle of a bad day: every alarm, order and notice belongs to exactly one cause.

A cause is a fault that the simulators logged, however often it came and went: its episodes follow
one another on one piece of equipment. It is answered by one alarm; alarms that this one explains,
at any remove, are listed under it; nothing is left over, and nothing is there twice.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oracle import SECOND, Episode, Ledger, Rule, episodes

Row = Mapping[str, Any]

_OVER = ("closed", "void")


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One fault, and what it led to."""

    fault: str
    equipment: str
    episodes: Sequence[Episode]
    alarms: Sequence[Row]
    """Of its own rule; should be one."""
    explained: Sequence[Row]
    """Alarms of which these are the cause."""
    orders: Sequence[Row]
    notices: Counter[str]
    """Kind → how many arrived that are about these alarms and orders."""


@dataclass(kw_only=True)
class Day:
    """What came of one day: its causes, and what is wrong with it."""

    causes: list[Cause] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def judge(
    ledger: Ledger,
    data: Path,
    rules: Sequence[Rule],
    receipts: Sequence[Mapping[str, Any]],
    *,
    slack: float,
) -> Day:
    """``data``: where the simulators' log is. ``receipts``: bodies of the notices that arrived.
    ``slack``: s by which an alarm may trail the end of its cause.
    """
    alarms = ledger.execute("SELECT * FROM alarm ORDER BY raised_at, id").fetchall()
    orders = ledger.execute("SELECT * FROM work_order ORDER BY number").fetchall()
    outbox = ledger.execute("SELECT notice, channel, state, body FROM outbox").fetchall()
    by_id = {row["id"]: row for row in alarms}
    day = Day()
    of_fault = {rule.id: rule for rule in rules}
    owned: Counter[str] = Counter()
    for rule in rules:
        for thing, mine in _by_equipment(episodes(data, rule.point)).items():
            own = [
                row
                for row in alarms
                if row["rule"] == rule.id and row["equipment"] == thing and _fits(row, mine, slack)
            ]
            explained = [row for row in alarms if _top(row, by_id) in {one["id"] for one in own}]
            cause = _cause(rule.point, thing, mine, own, explained, orders, receipts)
            day.causes.append(cause)
            day.wrong += _of_cause(cause, slack)
            owned.update(row["id"] for row in (*own, *explained))
    for row in alarms:
        if owned[row["id"]] != 1:
            known = "" if row["rule"] in of_fault else ", by a rule that no fault was to set off"
            day.wrong.append(f"alarm {row['id']} belongs to {owned[row['id']]} causes{known}")
    day.wrong += _of_orders(day.causes, orders)
    day.wrong += _of_notices(alarms, outbox, receipts)
    day.causes.sort(key=lambda cause: cause.episodes[0].begins)
    return day


def table(day: Day, begun: int) -> str:
    """For people; ``begun`` (µs): when the day began."""
    lines = [
        ("cause", "equipment", "from–to (s)", "came", "alarm", "explains", "orders", "notices")
    ]
    for cause in day.causes:
        ends = cause.episodes[-1].ends
        span = (cause.episodes[0].begins, ends)
        lines.append(
            (
                cause.fault,
                cause.equipment,
                "–".join("" if at is None else f"{(at - begun) / SECOND:.0f}" for at in span),
                f"{len(cause.episodes)}",
                ", ".join(f"{row['rule']} ×{row['count']}" for row in cause.alarms),
                f"{len(cause.explained)}",
                ", ".join(f"{row['number']} ({row['state']})" for row in cause.orders) or "none",
                ", ".join(f"{kind} {n}" for kind, n in sorted(cause.notices.items())) or "none",
            )
        )
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    rows = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    rule = "  ".join("-" * width for width in widths)
    verdict = [f"WRONG: {one}" for one in day.wrong] or ["nothing missing, nothing doubled"]
    return "\n".join([rows[0], rule, *rows[1:], "", *verdict])


def _by_equipment(found: Iterable[Episode]) -> Mapping[str, list[Episode]]:
    things: defaultdict[str, list[Episode]] = defaultdict(list)
    for one in sorted(found, key=lambda one: one.begins):
        things[one.equipment].append(one)
    return things


def _fits(row: Row, mine: Sequence[Episode], slack: float) -> bool:
    """Whether it came up in one of the episodes."""
    return any(
        one.begins <= row["first_reading_at"]
        and (one.ends is None or row["first_reading_at"] <= one.ends + slack * SECOND)
        for one in mine
    )


def _top(row: Row, by_id: Mapping[str, Row]) -> str | None:
    """The id of the alarm that explains it and is explained by none; None: nothing explains it."""
    seen, above = {row["id"]}, row["explained_by"]
    while above is not None and above in by_id and above not in seen:
        seen.add(above)
        higher = by_id[above]["explained_by"]
        if higher is None:
            return str(above)
        above = higher
    return None if above is None else str(above)


def _cause(
    fault: str,
    thing: str,
    mine: Sequence[Episode],
    own: Sequence[Row],
    explained: Sequence[Row],
    orders: Sequence[Row],
    receipts: Sequence[Mapping[str, Any]],
) -> Cause:
    ids = {row["id"] for row in own}
    answering = {row["order_id"] for row in (*own, *explained)} - {None}
    kept = [row for row in orders if row["id"] in answering]
    about = ids | {row["id"] for row in explained} | answering
    return Cause(
        fault=fault,
        equipment=thing,
        episodes=mine,
        alarms=own,
        explained=explained,
        orders=kept,
        notices=Counter(one["kind"] for one in receipts if one["subject"] in about),
    )


def _of_cause(cause: Cause, slack: float) -> Iterable[str]:
    name = f"{cause.fault} of {cause.equipment}"
    if len(cause.alarms) != 1:
        yield f"{name} has {len(cause.alarms)} alarms"
        return
    (alarm,) = cause.alarms
    if alarm["count"] != len(cause.episodes):
        yield f"{name} came {len(cause.episodes)} times and its alarm {alarm['count']} times"
    for effect in cause.explained:
        if effect["life_safety"]:
            yield f"{effect['id']} is of fire or entrapment and was explained away"
        elif not _fits(effect, cause.episodes, slack):
            yield f"{effect['id']} came up when {name} was over"
    live = [row for row in cause.orders if row["state"] != "void"]
    if len(live) != 1 or alarm["order_id"] != live[0]["id"]:
        yield f"{name} has {len(live)} orders"
    if alarm["life_safety"] and not cause.notices["alarm_raised"]:
        yield f"nobody was paged of {name}"


def _of_orders(causes: Sequence[Cause], orders: Sequence[Row]) -> Iterable[str]:
    answered = Counter(row["id"] for cause in causes for row in cause.orders)
    for row in orders:
        if answered[row["id"]] != 1:
            yield f"order {row['id']} answers {answered[row['id']]} causes"
    running = Counter((o["equipment"], o["cause_key"]) for o in orders if o["state"] not in _OVER)
    for (thing, key), number in running.items():
        if number > 1:
            yield f"{thing} has {number} open orders for {key}"


def _of_notices(
    alarms: Sequence[Row], outbox: Sequence[Row], receipts: Sequence[Mapping[str, Any]]
) -> Iterable[str]:
    arrived = Counter(one["id"] for one in receipts)
    for notice, number in arrived.items():
        if number > 1:
            yield f"notice {notice} arrived {number} times"
    for row in outbox:
        if row["state"] == "sent" and not arrived[row["notice"]]:
            yield f"notice {row['notice']} is marked sent and never arrived"
        elif row["state"] != "sent":
            yield f"notice {row['notice']} is {row['state']}"
    posted = {row["notice"] for row in outbox}
    for notice in arrived:
        if notice not in posted:
            yield f"notice {notice} arrived and is in no outbox"
    told = Counter(body["subject"] for body in map(_body, outbox) if body["kind"] == "alarm_raised")
    for row in alarms:
        # An effect may have come up just before its cause: then somebody was told of it.
        least, most = (1, 1) if row["explained_by"] is None else (0, 1)
        if not least <= told[row["id"]] <= most:
            yield f"alarm {row['id']} was told of {told[row['id']]} times"


def _body(row: Row) -> Mapping[str, Any]:
    # PostgreSQL gives the object, SQLite its text.
    body = row["body"]
    return json.loads(body) if isinstance(body, str) else body
