"""A duty room for the life of alarms: a feeder, two pumps that hang on it and are read through a
collector, a fire panel; with rules that explain one another, and the ledger looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from duty_room import NOON, SITE, Gateway, equipment, person, rule, site
from sqlalchemy import func, select

from gateway.model.equipment import Site
from gateway.model.events import GatewayEvent, GatewayEventKind, Record
from gateway.model.moment import HOUR, MINUTE
from gateway.model.point import PointKind
from rules.actions import alarms as alarm_actions
from rules.actions.act import Act
from rules.alarms.lifecycle import AlarmState
from rules.ledger import tables
from rules.ledger.rows import Alarm, LifecycleEvent, WorkOrder
from rules.ledger.store import Ledger
from rules.people.roles import Actor, Role
from rules.rule import Comparison, Condition, Priority, Rule, Rulebook
from rules.worker import Worker

__all__ = ["NOON", "SITE", "Room", "person"]

HOOK = "http://127.0.0.1:9/hook"
DEAD = Condition(comparison=Comparison.EQUALS, limit=1)


def _rule(name: str, point: str, of: str, **other: Any) -> Rule:
    plain = rule(name, point, DEAD, equipment_class=of, delay=0, clear_after=0, cause_key=name)
    return replace(plain, **other)


SUPPLY, LINK = frozenset({"supply"}), frozenset({"link"})
LOST = _rule("supply-lost", "lost", "feeder", explains=SUPPLY, explained_by=SUPPLY)
COLLECTOR = _rule("collector-silent", "silent", "collector", explains=LINK)
STOPPED = _rule("pump-stopped", "stopped", "pump", explained_by=SUPPLY | LINK)
HIGH = _rule("level-high", "high", "pump", outranked_by="level-high-high")
HIGH_HIGH = _rule("level-high-high", "high_high", "pump")
LEAK = _rule("leak", "leak", "pump", latches=True)
FIRE = _rule(
    "fire-alarm",
    "fire",
    "fire_panel",
    explained_by=SUPPLY,
    life_safety=True,
    priority=Priority.CRITICAL,
)
LINK_LOST = _rule(
    "link-lost",
    "up",
    "link",
    condition=Condition(comparison=Comparison.EQUALS, limit=0),
    explains=LINK,
)
RULES = (LOST, COLLECTOR, STOPPED, HIGH, HIGH_HIGH, LEAK, FIRE)
HOLDS = {Priority.CRITICAL: 15 * MINUTE, Priority.MAJOR: HOUR}


def installed() -> Site:
    flag = PointKind.FLAG
    pump = {"stopped": flag, "high": flag, "high_high": flag, "leak": flag}
    pumps = [
        replace(equipment(name, "pump", **pump), supplied_by="panel-1", behind="collector-1")
        for name in ("pump-1", "pump-2")
    ]
    return site(
        equipment("feeder-1", "feeder", lost=flag),
        replace(equipment("panel-1", "feeder", lost=flag), supplied_by="feeder-1"),
        equipment("collector-1", "collector", silent=flag),
        replace(equipment("fire-1", "fire_panel", fire=flag), supplied_by="feeder-1"),
        *pumps,
        webhooks=(HOOK,),
    )


@dataclass
class Room:
    ledger: Ledger
    rules: tuple[Rule, ...] = RULES
    gateway: Gateway = field(default_factory=Gateway)
    site: Site = field(default_factory=installed)

    def __post_init__(self) -> None:
        self.start()

    def start(self, *rules: Rule) -> None:
        """The rules start, anew or with other ones."""
        self.rules = rules or self.rules
        book = Rulebook(
            rules={one.id: one for one in self.rules}, fingerprint="x", acknowledgement=HOLDS
        )
        self.worker = Worker(site=self.site, rulebook=book, ledger=self.ledger)
        self.worker.load()
        self.worker.commit(self.gateway.now)

    def say(self, readings: Mapping[str, float], *, after: float = 1) -> None:
        """One reading later, committed."""
        self.gateway.clock.advance(after)
        self.worker.take([self.gateway.say(readings)])
        self.worker.commit(self.gateway.now)

    def event(self, kind: GatewayEventKind, subject: str) -> None:
        """Something happened to the gateway itself."""
        self.gateway.clock.advance(1)
        said = self.gateway.say({})
        body = GatewayEvent(kind=kind, subject=subject)
        self.worker.take([Record(envelope=said.envelope, body=body)])
        self.worker.commit(self.gateway.now)

    def wait(self, seconds: float) -> None:
        """Nothing is said, and what falls due does."""
        self.worker.commit(self.gateway.clock.advance(seconds))

    @property
    def alarms(self) -> list[Alarm]:
        """Oldest first."""
        with self.ledger.read(SITE) as view:
            return list(reversed(view.alarms()))

    @property
    def orders(self) -> list[WorkOrder]:
        with self.ledger.read(SITE) as view:
            return list(reversed(view.orders()))

    def one(self, equipment: str, rule: str) -> Alarm:
        (found,) = (a for a in self.alarms if (a.equipment, a.rule) == (equipment, rule))
        return found

    def states(self) -> dict[str, AlarmState]:
        return {f"{alarm.equipment} {alarm.rule}": alarm.state for alarm in self.alarms}

    def events(self, alarm: Alarm) -> list[LifecycleEvent]:
        with self.ledger.read(SITE) as view:
            return view.alarm_events(alarm.id)

    def steps(self, alarm: Alarm) -> list[str]:
        return [event.event for event in self.events(alarm)]

    def notices(self, kind: str = "alarm_") -> list[str]:
        """The equipment of each notice on alarms, oldest first; ``kind``: how its id begins."""
        outbox = tables.outbox.outbox
        with self.ledger.reading() as connection:
            rows = connection.execute(
                select(outbox.c.notice).order_by(outbox.c.created_at, outbox.c.notice)
            ).scalars()
            return [row.split(".")[1] for row in rows if row.startswith(kind)]

    def count(self, table: str) -> int:
        found = tables.metadata.tables[table]
        with self.ledger.reading() as connection:
            return connection.execute(select(func.count()).select_from(found)).scalar_one()

    def acknowledge(self, alarm: Alarm, actor: Actor | None = None) -> Alarm:
        return alarm_actions.acknowledge(
            Act(self.ledger, SITE, alarm.id, actor or person("li"), self.gateway.now)
        )

    def shelve(self, alarm: Alarm, minutes: int = 60, actor: Actor | None = None) -> Alarm:
        return alarm_actions.shelve(
            Act(self.ledger, SITE, alarm.id, actor or person("li"), self.gateway.now),
            minutes=minutes,
            reason="sensor is broken",
        )


def take_out(
    room: Room, equipment: str, *, hours: int | None = None, role: Role = Role.OFFICER
) -> None:
    alarm_actions.take_out_of_service(
        Act(room.ledger, room.site.id, equipment, person("li", role), room.gateway.now),
        room.site,
        reason="overhaul",
        hours=hours,
    )
