"""What a person may do with a planned test; see the package.

Fire and lift equipment is tested by the engineering manager's plan only. Who tests confirms each
detector, and ends the test; so may whoever may plan it. Whom that calls the rules see to within a
second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from gateway.model.equipment import Equipment, Site, is_life_safety
from gateway.model.moment import Instant
from rules.actions.act import Act
from rules.ledger import alarms, audit, planned_tests, test_holds
from rules.ledger.idempotency import is_new
from rules.ledger.planned_test_view import PlannedTest, planned_test_with
from rules.ledger.planned_tests import NewTest
from rules.ledger.store import Entry, Ledger
from rules.ledger.view import View
from rules.people import people
from rules.people.roles import GRANTS, Actor, Permission, require
from rules.planned_tests import LONGEST, Hold, HoldEvent, PlannedEvent, PlannedState
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.rule import Rule, Rulebook

_MOST_ROWS = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """A piece of equipment to be tested."""

    equipment: str
    rules: tuple[str, ...] | None
    """Those that are expected; None: those about life safety, or all where none is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    name: str
    area: str
    tester: str
    starts_at: int
    """µs UTC."""
    ends_at: int
    note: str | None
    tested: Sequence[Tested]


def plan(
    ledger: Ledger,
    site: Site,
    rulebook: Rulebook,
    wanted: Plan,
    *,
    actor: Actor,
    key: str,
    now: Instant,
) -> PlannedTest:
    """Plan a test; the same ``key`` again is the same test. Raises ``NotValidError``, and
    ``ConflictError`` where another test has some of its equipment at that time."""
    require(actor, Permission.PLAN_TEST)
    if wanted.area not in site.areas:
        raise NotValidError("area", f"the site has no area {wanted.area}")
    require(actor, Permission.PLAN_TEST, wanted.area)
    expected = _expected(site, rulebook, wanted)
    if any(rule.life_safety or is_life_safety(thing.equipment_class) for thing, rule in expected):
        require(actor, Permission.SHELVE_LIFE_SAFETY, wanted.area)
    by = actor.username
    test_id = f"test.{hashlib.sha256(f'{by} {key}'.encode()).hexdigest()[:16]}"
    with ledger.write(site.id) as entry:
        if is_new(entry, key, "plan_test", test_id, by=by, now=now):
            _require_times(wanted, now)
            _require_tester(entry, wanted)
            things = {thing.id for thing, _ in expected}
            times = (wanted.starts_at, wanted.ends_at)
            other = planned_tests.sharing(entry, things, within=times)
            if other is not None:
                raise ConflictError(f"the test {other} has some of this equipment at that time")
            new = NewTest(
                id=test_id,
                name=wanted.name,
                area=wanted.area,
                tester=wanted.tester,
                starts_at=wanted.starts_at,
                ends_at=wanted.ends_at,
                note=wanted.note,
                sheet=[(thing.id, rule.id) for thing, rule in expected],
            )
            planned_tests.plan(entry, new, by=by, now=now)
            audit.record(
                entry,
                actor,
                "planned_test.plan",
                test_id,
                now.wall,
                name=wanted.name,
                area=wanted.area,
                tester=wanted.tester,
                equipment=", ".join(sorted(things)),
            )
        return _read(entry, test_id)


def cancel(act: Act, *, reason: str) -> PlannedTest:
    """It is not held, or not gone on with; what it holds calls."""

    def take(entry: Entry, row: RowMapping) -> None:
        planned_tests.cancel(entry, row, act.now, by=act.by, why=reason)
        act.record(entry, "planned_test.cancel", reason=reason)

    return _step(act, "cancel_test", take, tester_may=False)


def end(act: Act, *, note: str | None = None) -> PlannedTest:
    """It is over before its time; what it holds, and what is still up, calls."""

    def take(entry: Entry, row: RowMapping) -> None:
        planned_tests.end(entry, row, act.now, by=act.by, why=note)
        act.record(entry, "planned_test.end", note=note)

    return _step(act, "end_test", take)


def confirm(act: Act, equipment: str) -> PlannedTest:
    """Whoever tests has set off ``equipment``: for its alarms that are held nobody is called, as
    long as they are there and the test runs. Raises ``ConflictError`` where none is held, or
    where it has been for its whole time."""

    def take(entry: Entry, row: RowMapping) -> None:
        if row["state"] != PlannedState.RUNNING or act.now.wall >= row["ends_at"]:
            raise ConflictError("this test is not running")
        if not planned_tests.has_equipment(entry, act.subject, equipment):
            raise NotValidError("equipment", f"{equipment} is not tested")
        held = [
            one
            for one in test_holds.waiting(entry)
            if (one.test, one.equipment, one.hold) == (act.subject, equipment, Hold.HELD)
            and not act.now.reached(one.until)
        ]
        if not held:
            raise ConflictError(f"no alarm of {equipment} is held (any more)")
        if act.by != row["tester"] and any(one.life_safety for one in held):
            require(act.actor, Permission.SHELVE_LIFE_SAFETY, row["area"])
        for one in held:
            seen = {"confirmed_at": act.now.wall, "confirmed_by": act.by}
            test_holds.take(entry, one, HoldEvent.CONFIRM, **seen)
            alarms.touch(entry, one.alarm, act.now.wall)
        happened, at = PlannedEvent.CONFIRM, act.now.wall
        planned_tests.note(entry, row, happened, at=at, by=act.by, why=equipment)
        act.record(entry, "planned_test.confirm", equipment=equipment)

    # Of one test each detector is another deed.
    return _step(act, f"confirm {equipment}", take)


def _step(
    act: Act,
    name: str,
    take: Callable[[Entry, RowMapping], None],
    *,
    tester_may: bool = True,
) -> PlannedTest:
    """``take`` it unless its key has taken it before."""
    if not (tester_may and act.actor.may(Permission.CONFIRM_TEST)):
        require(act.actor, Permission.PLAN_TEST)
    with act.ledger.write(act.site) as entry:
        row = planned_tests.find(entry, act.subject)
        if row is None:
            raise NotFoundError(f"there is no planned test {act.subject}")
        is_tester = tester_may and act.by == row["tester"]
        needed = Permission.CONFIRM_TEST if is_tester else Permission.PLAN_TEST
        if not act.actor.may(Permission.PLAN_TEST, row["area"]):
            require(act.actor, needed, row["area"])
        if act.is_new(entry, name):
            take(entry, row)
        return _read(entry, act.subject)


def _expected(site: Site, rulebook: Rulebook, wanted: Plan) -> list[tuple[Equipment, Rule]]:
    """The sheet, in the order of the plan."""
    expected: dict[tuple[str, str], tuple[Equipment, Rule]] = {}
    for one in wanted.tested:
        thing = site.equipment.get(one.equipment)
        if thing is None or thing.area != wanted.area:
            raise NotValidError("equipment", f"there is no {one.equipment} in {wanted.area}")
        points = {point.key for point in thing.points}
        known = {rule.id: rule for rule in rulebook.of_equipment(thing) if rule.point in points}
        safety = [rule.id for rule in known.values() if rule.life_safety]
        for name in one.rules or safety or list(known):
            if name not in known:
                raise NotValidError("equipment", f"no rule {name} judges {thing.id}")
            expected[thing.id, name] = (thing, known[name])
    if not expected:
        raise NotValidError("equipment", "no alarm is expected of this equipment")
    if len(expected) > _MOST_ROWS:
        raise NotValidError("equipment", f"more than {_MOST_ROWS} alarms are expected")
    return list(expected.values())


def _require_times(wanted: Plan, now: Instant) -> None:
    if wanted.ends_at <= now.wall:
        raise NotValidError("ends_at", "lies in the past")
    if not 0 < wanted.ends_at - wanted.starts_at <= LONGEST:
        raise NotValidError("ends_at", "a test ends after its start, within 8 hours")


def _require_tester(entry: Entry, wanted: Plan) -> None:
    view = View(connection=entry.connection, site=entry.site)
    person = people.find(view, wanted.tester)
    if person is None or not person.active or not person.can_log_in:
        raise NotValidError("tester", f"nobody here who logs in is called {wanted.tester}")
    if Permission.CONFIRM_TEST not in GRANTS[person.role]:
        raise NotValidError("tester", f"{wanted.tester} does not test equipment")
    if person.areas and wanted.area not in person.areas:
        raise NotValidError("tester", f"{wanted.tester} does not work in {wanted.area}")


def _read(entry: Entry, test_id: str) -> PlannedTest:
    found = planned_test_with(View(connection=entry.connection, site=entry.site), test_id)
    assert found is not None
    return found
