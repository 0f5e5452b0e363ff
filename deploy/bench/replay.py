"""Changed rules over the history: 30 days of 1,000 points, as ``dutyroom replay`` does it.

Pump-room data: what wanders (temperatures, levels) is kept when it has moved by its deadband and
once a minute, flags when they change, as the gateway thins it. Faults are laid into it at known
times, and every one of them has to come up, at its time, and nothing else.

python -m deploy.bench.replay [--days 30] [--points 1000]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np

from deploy.bench.figures import Figure, WrongError
from gateway.history.base import Cursor
from gateway.history.embedded import EmbeddedHistory
from gateway.model.equipment import Area, Equipment, MqttLink, Site
from gateway.model.events import Envelope, Record
from gateway.model.frame import Frame
from gateway.model.moment import DAY, MINUTE, SECOND, Instant
from gateway.model.point import Point, PointKind, Text
from rules.replay import work
from rules.rule import (
    Comparison,
    Condition,
    Gate,
    Guidance,
    Priority,
    Rule,
    Rulebook,
)

START = 1_795_233_600_000_000
_KEYS = ("temperature", "level", "current", "pressure", "running")
_HOT, _FAULT_LASTS = 75.0, 10
"""℃, and minutes for which a fault lasts."""
_EVERY = 97
"""Of the pumps of a day, each so manieth has a fault."""


def measure(folder: Path, days: int, points: int) -> list[Figure]:
    """Write the history, replay two rules for every pump, compare with what was laid in."""
    site = _site(points // len(_KEYS))
    history = EmbeddedHistory(folder / "replay.db")
    rows = _fill(history, site, days)
    book = _rulebook()
    begun = perf_counter()
    report = work.run(
        site,
        book,
        list(book.rules),
        history,
        raised=(),
        start=START,
        end=START + days * DAY,
        told=lambda _: None,
    )
    spent = perf_counter() - begun
    history.close()
    hot = next(one for one in report.rules if one.rule == "hot")
    laid = {(name, START + minute * MINUTE) for name, minute in _faults(site, days)}
    found = {(one.equipment, one.raised_at - 30 * SECOND) for one in hot.new}
    if found != laid or report.readings < rows:
        raise WrongError(
            f"{len(found - laid)} alarms too many, {len(laid - found)} missing, "
            f"{report.readings} of {rows} readings"
        )
    return [
        Figure(
            part="replay",
            what=f"{days} days × {points:,} points, 4 rules a pump, {rows / 1e6:.0f} M readings",
            unit="s",
            ours=spent,
            more_is_better=False,
            checked=f"{len(laid)} faults laid in: each raised at its time, nothing else",
        )
    ]


def _faults(site: Site, days: int) -> Iterator[tuple[str, int]]:
    """(pump, minute from the start) of every fault."""
    for number, name in enumerate(site.equipment):
        for day in range(days):
            if (number + 13 * day) % _EVERY == 0:
                yield name, day * 1440 + 60 + number % 1200


def _fill(history: EmbeddedHistory, site: Site, days: int) -> int:
    """A reading a minute of what wanders, flags every hour; how many in all."""
    pumps = list(site.equipment)
    wandering = [f"{name}.{key}" for name in pumps for key in _KEYS[:-1]]
    flags = tuple(f"{name}.running" for name in pumps)
    rng = np.random.default_rng(7)
    column = {name: 4 * number for number, name in enumerate(pumps)}
    hot = np.zeros((days * 1440, len(pumps)), bool)
    for name, minute in _faults(site, days):
        hot[minute : minute + _FAULT_LASTS, column[name] // 4] = True
    rows = seq = 0
    names, count = tuple(wandering), len(wandering)
    batch: list[Record] = []
    base = np.tile([50.0, 60.0, 12.0, 0.4], len(pumps))
    spread = np.tile([2.0, 5.0, 0.5, 0.01], len(pumps))
    for minute in range(days * 1440):
        wall = START + minute * MINUTE
        value = np.round(base + spread * rng.normal(0, 1.0, count), 2)
        value[::4][hot[minute]] = 90.0
        parts = [(names, value)]
        if minute % 60 == 0:
            parts.append((flags, np.ones(len(flags))))
        for points, values in parts:
            seq += 1
            rows += len(points)
            batch.append(_record(points, values, wall, seq))
        if len(batch) >= 240:
            history.write(batch, Cursor("e", seq))
            batch = []
    if batch:
        history.write(batch, Cursor("e", seq))
    return rows


def _record(points: tuple[str, ...], values: np.ndarray, wall: int, seq: int) -> Record:
    frame = Frame(
        points=points,
        value=values,
        quality=np.zeros(len(points), np.uint8),
        source_time=np.full(len(points), wall, np.int64),
    )
    at = Instant(wall=wall, mono=wall, boot="b")
    return Record(envelope=Envelope(site="s", gateway="g", epoch="e", seq=seq, at=at), body=frame)


def _site(pumps: int) -> Site:
    return Site(
        id="s",
        name=Text(zh="s", en="s"),
        gateway="g",
        timezone="Asia/Shanghai",
        links={"lan": MqttLink(id="lan")},
        areas={"a": Area(id="a", name=Text(zh="a", en="a"))},
        equipment={f"pump-{n}": _pump(f"pump-{n}") for n in range(pumps)},
        broker=None,
        scenario=None,
        fingerprint="bench",
        file="bench",
    )


def _pump(name: str) -> Equipment:
    return Equipment(
        id=name,
        name=Text(zh=name, en=name),
        equipment_class="pump",
        profile="bench",
        model=Text(zh="", en=""),
        area="a",
        link="lan",
        unit=None,
        poll=SECOND,
        points=tuple(
            Point(
                id=f"{name}.{key}",
                equipment=name,
                key=key,
                name=Text(zh=key, en=key),
                kind=PointKind.FLAG if key == "running" else PointKind.NUMBER,
            )
            for key in _KEYS
        ),
    )


def _rulebook() -> Rulebook:
    """Each point is looked at by a rule; only the first is ever true."""
    above, below = Comparison.ABOVE, Comparison.BELOW
    said = (
        ("hot", "temperature", above, _HOT, 3.0),
        ("low", "level", below, 20.0, 2.0),
        ("overload", "current", above, 18.0, 1.0),
        ("no-pressure", "pressure", below, 0.2, 0.02),
    )
    rules = [
        Rule(
            id=name,
            equipment_class="pump",
            name=Text(zh=name, en=name),
            point=point,
            condition=Condition(comparison=comparison, limit=limit, deadband=deadband),
            gates=(Gate(point="running", comparison=Comparison.EQUALS, limit=1),),
            delay=30 * SECOND,
            clear_after=MINUTE,
            priority=Priority.MINOR,
            cause_key=name,
            guidance=Guidance(zh=(), en=()),
            order=None,
            source=Text(zh="bench", en="bench"),
            file="bench",
        )
        for name, point, comparison, limit, deadband in said
    ]
    return Rulebook(rules={rule.id: rule for rule in rules}, fingerprint="bench")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--points", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dutyroom-replay-") as name:
        for one in measure(Path(name), given.days, given.points):
            print(f"{one.what}: {one.ours:.1f} {one.unit} ({one.checked})")


if __name__ == "__main__":
    main()
