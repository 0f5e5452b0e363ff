"""10,000 alarms within a minute with 3 fires among them, and a start with all of them open.

Real rules over a real ledger on the disk, without the devices: each second brings the readings
of so many as go wrong in it, and a commit. A second flood comes at once, in one frame, as after a
power cut: there the fires wait for everything that is written with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from sqlalchemy import func, select

from deploy.bench.figures import Figure, WrongError
from gateway.clock import ManualClock
from gateway.model.channels import plain_webhook
from gateway.model.equipment import Area, Equipment, MqttLink, Site
from gateway.model.events import Envelope, Record
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE, SECOND
from gateway.model.point import Point, PointKind, Text
from gateway.model.quality import Quality
from rules.alarms.lifecycle import AlarmState
from rules.ledger.store import Ledger, open_ledger
from rules.ledger.tables.alarms import alarm
from rules.ledger.tables.outbox import outbox
from rules.priority import Priority
from rules.rule import Comparison, Condition, Guidance, OrderTerms, Rule, Rulebook
from rules.worker import Worker

ALARMS = 10_000
SECONDS = 60
FIRES = 3
_START = 1_795_233_600 * SECOND
_NAMES = Text(zh="设备", en="Thing")


@dataclass(frozen=True, kw_only=True)
class _Told:
    """Seconds."""

    written: float
    longest: float
    fires: float
    """From the reading until the notice lay in the outbox."""
    cpu: float
    """Of this process, for all of it."""


def flood(folder: Path) -> list[Figure]:
    steady = _ledger(folder / "steady.db")
    told = _run(steady, SECONDS)
    start = _start(steady)
    steady.close()
    burst = _ledger(folder / "burst.db")
    at_once = _run(burst, 1)
    burst.close()
    checked = f"{ALARMS:,} alarms, as many orders, and {FIRES} notices of fire in the ledger"
    part = "flood"
    return [
        _figure(
            part, f"{ALARMS:,} alarms over {SECONDS} s: written in", told.written, checked, "60"
        ),
        _figure(part, "the longest of its commits", told.longest, checked),
        _figure(
            part,
            "CPU of an alarm with its order, clocks and notices",
            told.cpu / ALARMS * 1000,
            checked,
            "5",
            unit="ms",
        ),
        _figure(
            part,
            f"{FIRES} fires in it: until their notices are to be sent",
            told.fires,
            checked,
            "10",
        ),
        _figure(part, f"{ALARMS:,} alarms at once: written in", at_once.written, checked),
        _figure(part, "fires in these", at_once.fires, checked, "10"),
        _figure(part, f"start with {ALARMS:,} open alarms", start, checked, "15"),
    ]


def _figure(
    part: str, what: str, ours: float, checked: str, target: str = "", *, unit: str = "s"
) -> Figure:
    return Figure(
        part=part,
        what=what,
        unit=unit,
        ours=ours,
        target=target,
        more_is_better=False,
        checked=checked,
    )


def _ledger(file: Path) -> Ledger:
    file.parent.mkdir(parents=True, exist_ok=True)
    return open_ledger(file)


def _run(ledger: Ledger, seconds: int) -> _Told:
    clock, site = ManualClock(_START), _site()
    worker = Worker(site=site, rulebook=_rulebook(), ledger=ledger)
    worker.load()
    worker.commit(clock.now())
    things = [thing for thing in site.equipment.values() if not thing.id.startswith("fire")]
    fires = [thing for thing in site.equipment.values() if thing.id.startswith("fire")]
    spent: list[float] = []
    of_fires: list[float] = []
    total, cpu = 0.0, process_time()
    for second in range(seconds):
        mine = things[second::seconds]
        # A fire hides in the middle of what comes with it.
        burning = fires[second * FIRES // seconds : (second + 1) * FIRES // seconds]
        mine[len(mine) // 2 : len(mine) // 2] = burning
        clock.advance(1)
        envelope = Envelope(
            site=site.id, gateway=site.gateway, epoch="e", seq=second + 1, at=clock.now()
        )
        worker.take([Record(envelope=envelope, body=_frame(mine))])
        written, until_fires = _commit_all(worker, clock, spent)
        total += written
        of_fires += [until_fires] * len(burning)
    cpu = process_time() - cpu
    _check(ledger, site)
    return _Told(written=total, longest=max(spent), fires=max(of_fires), cpu=cpu)


def _commit_all(worker: Worker, clock: ManualClock, spent: list[float]) -> tuple[float, float]:
    """Seconds until all was written, and until the fires were; ``spent`` grows by a commit each."""
    begun, fires = perf_counter(), 0.0
    while worker.has_changes:
        before = perf_counter()
        worker.commit(clock.now())
        spent.append(perf_counter() - before)
        waiting = any(alarm.life_safety for alarm in worker.provisional())
        if not fires and not waiting:
            fires = perf_counter() - begun
    return perf_counter() - begun, fires


def _start(ledger: Ledger) -> float:
    begun = perf_counter()
    worker = Worker(site=_site(), rulebook=_rulebook(), ledger=ledger)
    worker.load()
    clock = ManualClock(_START)
    worker.commit(clock.advance(2 * SECONDS))
    with ledger.read("bench") as view:
        found = view.alarms(states=(AlarmState.UNACKNOWLEDGED,))
    spent = perf_counter() - begun
    if len(found) != ALARMS:
        raise WrongError(f"{len(found)} alarms are open after the start")
    return spent


def _check(ledger: Ledger, site: Site) -> None:
    with ledger.reading() as connection:
        stored = connection.execute(select(func.count()).select_from(alarm)).scalar_one()
        ordered = connection.execute(select(func.count(alarm.c.order_id.distinct()))).scalar_one()
        first = connection.execute(
            select(outbox.c.notice).order_by(outbox.c.rank, outbox.c.created_at).limit(FIRES)
        ).scalars()
        fires = [notice for notice in first if ".fire-" in notice]
    if (stored, ordered, len(fires)) != (ALARMS, ALARMS, FIRES):
        raise WrongError(f"{stored} alarms, {ordered} orders, {len(fires)} fires come first")


def _frame(things: Sequence[Equipment]) -> Frame:
    points = tuple(point.id for thing in things for point in thing.points)
    return Frame(
        points=points,
        value=np.ones(len(points)),
        quality=np.full(len(points), Quality.GOOD, np.uint8),
        source_time=np.zeros(len(points), np.int64),
    )


def _site() -> Site:
    names = [f"pump-{number}" for number in range(ALARMS - FIRES)]
    fires = [f"fire-{number}" for number in range(FIRES)]
    return Site(
        id="bench",
        name=_NAMES,
        gateway="gw",
        timezone="Asia/Shanghai",
        links={"lan": MqttLink(id="lan")},
        areas={"b1": Area(id="b1", name=_NAMES)},
        equipment={name: _thing(name) for name in (*names, *fires)},
        broker=None,
        channels=(plain_webhook("http://127.0.0.1:9/hook"),),
        allow=frozenset({"127.0.0.1"}),
        scenario=None,
        fingerprint="bench",
        file="bench",
    )


def _thing(name: str) -> Equipment:
    return Equipment(
        id=name,
        name=_NAMES,
        equipment_class=name.split("-", maxsplit=1)[0],
        profile="bench",
        model=_NAMES,
        area="b1",
        link="lan",
        unit=None,
        poll=SECOND,
        points=(
            Point(
                id=f"{name}.fault",
                equipment=name,
                key="fault",
                name=_NAMES,
                kind=PointKind.FLAG,
                unit="",
            ),
        ),
    )


def _rulebook() -> Rulebook:
    rules = (_rule("pump", Priority.MAJOR), _rule("fire", Priority.CRITICAL))
    return Rulebook(rules={rule.id: rule for rule in rules}, fingerprint="bench")


def _rule(of: str, priority: Priority) -> Rule:
    return Rule(
        id=f"{of}-fault",
        equipment_class=of,
        name=_NAMES,
        point="fault",
        condition=Condition(comparison=Comparison.EQUALS, limit=1),
        gates=(),
        delay=0,
        clear_after=0,
        priority=priority,
        cause_key="fault",
        guidance=Guidance(zh=("看",), en=("look",)),
        order=OrderTerms(
            category="power",
            category_name=_NAMES,
            complete_within=120 * MINUTE,
            close_after=30 * MINUTE,
        ),
        source=Text(zh="[现场设定]", en="[site setting]"),
        file="bench",
        life_safety=priority is Priority.CRITICAL,
    )
