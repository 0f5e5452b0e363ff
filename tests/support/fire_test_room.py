"""A duty room in which detectors are tested: four of them, their zone, a lift and a pump, all in
one area, and a planned test of three of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alarm_room import DEAD, HOOK, SITE, Room, person
from duty_room import equipment, rule, site
from sqlalchemy import delete
from staff import hire

from gateway.model.equipment import Site
from gateway.model.moment import HOUR
from gateway.model.point import PointKind
from rules.actions import planned_tests as actions
from rules.actions.act import Act
from rules.actions.planned_tests import Plan, Tested
from rules.ledger import planned_test_view, tables
from rules.ledger.planned_test_view import PlannedTest
from rules.people.roles import Actor, Role
from rules.rule import Priority, Rule

FLAG = PointKind.FLAG
TESTER = person("ma", Role.TECHNICIAN)
MANAGER = person("zhang", Role.ENGINEERING_MANAGER)


def _rule(name: str, point: str, of: str, *, life_safety: bool = True) -> Rule:
    plain = rule(name, point, DEAD, equipment_class=of, delay=0, clear_after=0, cause_key=name)
    if not life_safety:
        return plain
    return replace(plain, life_safety=True, priority=Priority.CRITICAL)


FIRE = _rule("fire-alarm", "fire", "fire_detector")
SMOULDER = _rule("smoulder", "smoulder", "fire_detector")
LATCHED = replace(_rule("beam", "beam", "fire_detector"), latches=True)
ZONE = _rule("zone-fire", "fire", "fire_zone")
TRAPPED = _rule("entrapment", "trapped", "lift")
STOPPED = _rule("pump-stopped", "stopped", "pump", life_safety=False)
LISTED = (("smoke-1", "fire-alarm"), ("smoke-2", "fire-alarm"), ("zone-1", "zone-fire"))


def installed() -> Site:
    detectors = [
        equipment(f"smoke-{number}", "fire_detector", fire=FLAG, smoulder=FLAG, beam=FLAG)
        for number in (1, 2, 3, 4)
    ]
    return site(
        *detectors,
        equipment("zone-1", "fire_zone", fire=FLAG),
        equipment("lift-1", "lift", trapped=FLAG),
        equipment("pump-1", "pump", stopped=FLAG),
        webhooks=(HOOK,),
    )


@dataclass
class FireTestRoom(Room):
    rules: tuple[Rule, ...] = (FIRE, SMOULDER, LATCHED, ZONE, TRAPPED, STOPPED)

    def __post_init__(self) -> None:
        self.site = installed()
        super().__post_init__()
        hire(self.ledger, self.site, "ma", Role.TECHNICIAN, self.gateway.now)

    def plan(
        self,
        sheet: tuple[tuple[str, str], ...] = LISTED,
        *,
        within: int = 0,
        lasts: int = HOUR,
        actor: Actor = MANAGER,
        key: str = "k1",
        tester: str = "ma",
    ) -> PlannedTest:
        now = self.gateway.now
        tested: dict[str, list[str]] = {}
        for thing, name in sheet:
            tested.setdefault(thing, []).append(name)
        wanted = Plan(
            name="quarter",
            area="b1",
            tester=tester,
            starts_at=now.wall + within,
            ends_at=now.wall + within + lasts,
            note=None,
            tested=[Tested(equipment=one, rules=tuple(of)) for one, of in tested.items()],
        )
        book = self.worker._limits.rulebook
        return actions.plan(self.ledger, self.site, book, wanted, actor=actor, key=key, now=now)

    def begin(self, sheet: tuple[tuple[str, str], ...] = LISTED, *, lasts: int = HOUR) -> str:
        """The id of a test that runs."""
        test = self.plan(sheet, lasts=lasts)
        self.wait(1)
        assert self.test(test.id).state == "running"
        return test.id

    def act(self, test: str, actor: Actor = TESTER, key: str | None = None) -> Act:
        return Act(self.ledger, SITE, test, actor, self.gateway.now, key)

    def confirm(self, test: str, thing: str = "smoke-1", actor: Actor = TESTER) -> PlannedTest:
        return actions.confirm(self.act(test, actor), thing)

    def fires(self, *things: str, after: float = 1, gone: bool = False) -> None:
        self.say({f"{thing}.fire": 0.0 if gone else 1.0 for thing in things}, after=after)

    def test(self, test: str) -> PlannedTest:
        with self.ledger.read(SITE) as view:
            found = planned_test_view.planned_test_with(view, test)
            assert found is not None
            return found

    def history(self, test: str) -> list[str]:
        with self.ledger.read(SITE) as view:
            return [one.event for one in planned_test_view.events(view, test)]

    def called(self) -> list[str]:
        """The equipment of each notice on alarms, and then of each order."""
        return [*self.notices(), *(f"order {order.equipment}" for order in self.orders)]

    def lose_conditions(self) -> None:
        """What was up before is not known any more, nor whether it has ended since."""
        with self.ledger.writing() as connection:
            connection.execute(delete(tables.work.condition))
        self.start()

    def lose_timers(self) -> None:
        with self.ledger.writing() as connection:
            connection.execute(delete(tables.work.timer))


def both(*things: str) -> list[str]:
    """What :meth:`FireTestRoom.called` says where people were called for ``things`` once."""
    return [*things, *(f"order {thing}" for thing in things)]
