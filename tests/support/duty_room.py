"""A small duty room built by hand: two pumps, a lamp, three rules, and a gateway that says
whatever a test lets it say, with the clock standing still in between."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gateway.clock import ManualClock
from gateway.model.channels import Channel, plain_webhook
from gateway.model.equipment import Area, Equipment, MqttLink, Site
from gateway.model.events import Envelope, Record
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE, SECOND, Instant
from gateway.model.point import Point, PointKind, Text
from gateway.model.quality import Quality
from rules.people.roles import Actor, Role
from rules.rule import (
    Comparison,
    Condition,
    Gate,
    Guidance,
    OrderTerms,
    Priority,
    Rule,
    Rulebook,
)

NOON = 1_795_233_600 * SECOND
"""2026-11-21T04:00Z, noon in Shanghai."""
SITE = "brocade-garden"
TEMPERATURE = "pump-1.motor_temperature"


def person(username: str, role: Role = Role.ENGINEERING_MANAGER) -> Actor:
    return Actor(username=username, role=role)


def equipment(name: str, equipment_class: str, **points: PointKind) -> Equipment:
    return Equipment(
        id=name,
        name=Text(zh=f"设备 {name}", en=f"Thing {name}"),
        equipment_class=equipment_class,
        profile="by-hand",
        model=Text(zh="型号", en="Model"),
        vendor="Nobody",
        area="b1",
        link="lan",
        unit=None,
        poll=SECOND,
        points=tuple(
            Point(
                id=f"{name}.{key}",
                equipment=name,
                key=key,
                name=Text(zh=key, en=key),
                kind=kind,
                unit="℃" if key == "motor_temperature" else "",
            )
            for key, kind in points.items()
        ),
    )


def site(
    *things: Equipment, webhooks: tuple[str, ...] = (), channels: tuple[Channel, ...] = ()
) -> Site:
    installed = things or (
        equipment(
            "pump-1",
            "pump",
            motor_temperature=PointKind.NUMBER,
            fault=PointKind.FLAG,
            speed=PointKind.NUMBER,
        ),
        equipment("pump-2", "pump", motor_temperature=PointKind.NUMBER, fault=PointKind.FLAG),
        equipment("lamp-1", "lamp", power=PointKind.NUMBER, output=PointKind.FLAG),
    )
    return Site(
        id=SITE,
        name=Text(zh="锦绣花园", en="Brocade Garden"),
        gateway="gw-1",
        timezone="Asia/Shanghai",
        links={"lan": MqttLink(id="lan")},
        areas={"b1": Area(id="b1", name=Text(zh="B1", en="B1"))},
        equipment={thing.id: thing for thing in installed},
        broker=None,
        channels=(*map(plain_webhook, webhooks), *channels),
        allow=frozenset({"127.0.0.1"}),
        scenario=None,
        fingerprint="by-hand",
        file="by-hand",
    )


def rule(
    name: str,
    point: str,
    condition: Condition,
    *,
    equipment_class: str = "pump",
    gate: Gate | None = None,
    delay: int = 10 * SECOND,
    clear_after: int = 20 * SECOND,
    cause_key: str = "motor-overheat",
    order: bool = True,
) -> Rule:
    terms = OrderTerms(
        category="water_supply",
        category_name=Text(zh="给排水", en="Water supply"),
        complete_within=120 * MINUTE,
        close_after=30 * MINUTE,
    )
    return Rule(
        id=name,
        equipment_class=equipment_class,
        name=Text(zh=f"规则 {name}", en=f"Rule {name}"),
        point=point,
        condition=condition,
        gates=() if gate is None else (gate,),
        delay=delay,
        clear_after=clear_after,
        priority=Priority.MAJOR if order else Priority.INFO,
        cause_key=cause_key,
        guidance=Guidance(zh=("看",), en=("look",)),
        order=terms if order else None,
        source=Text(zh="[现场设定]", en="[site setting]"),
        file="by-hand",
    )


HOT = rule(
    "hot",
    "motor_temperature",
    Condition(comparison=Comparison.ABOVE, limit=75, deadband=3),
)
FAULT = rule(
    "fault", "fault", Condition(comparison=Comparison.EQUALS, limit=1), delay=0, clear_after=0
)
DARK = rule(
    "dark",
    "power",
    Condition(comparison=Comparison.BELOW, limit=2, deadband=1),
    equipment_class="lamp",
    gate=Gate(point="output", comparison=Comparison.EQUALS, limit=1),
    cause_key="lamp-dead",
)


def rulebook(*rules: Rule) -> Rulebook:
    return Rulebook(rules={one.id: one for one in rules or (HOT, FAULT, DARK)}, fingerprint="x")


def frame(readings: Mapping[str, float], bad: Mapping[str, str] | None = None) -> Frame:
    """Good readings, NaN for one without a value; and bad ones with their reason."""
    bad = bad or {}
    points = (*readings, *bad)
    return Frame(
        points=points,
        value=np.array([*readings.values(), *(math.nan for _ in bad)]),
        quality=np.array([Quality.GOOD] * len(readings) + [Quality.BAD] * len(bad), np.uint8),
        source_time=np.zeros(len(points), np.int64),
        reason={len(readings) + row: why for row, why in enumerate(bad.values())},
    )


@dataclass
class Gateway:
    """Numbers records as a gateway does, and keeps them for a replay."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    epoch: str = "e1"
    seq: int = 0
    said: list[Record] = field(default_factory=list)

    @property
    def now(self) -> Instant:
        return self.clock.now()

    def say(self, readings: Mapping[str, float], bad: Mapping[str, str] | None = None) -> Record:
        self.seq += 1
        envelope = Envelope(
            site=SITE, gateway="gw-1", epoch=self.epoch, seq=self.seq, at=self.clock.now()
        )
        record = Record(envelope=envelope, body=frame(readings, bad))
        self.said.append(record)
        return record

    def poll(
        self,
        seconds: float,
        readings: Mapping[str, float] | None = None,
        *,
        bad: Mapping[str, str] | None = None,
    ) -> list[Record]:
        """The same readings once a second; the clock has moved on by ``seconds`` afterwards."""
        records = []
        for _ in range(round(seconds)):
            self.clock.advance(1)
            records.append(self.say(readings or {}, bad))
        return records
