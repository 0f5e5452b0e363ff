"""Changing the roster and the calendar: who may, what fits, once, and with a line in the audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from duty_room import DARK, NOON, SITE, Gateway, person, rulebook
from duty_room import site as small_site

from gateway.clock import ManualClock
from gateway.model.equipment import Area, Site
from gateway.model.moment import DAY, HOUR, SECOND, Instant, iso
from gateway.model.point import Text
from rules.ledger import audit, roster
from rules.ledger.idempotency import KeyReusedError
from rules.ledger.rows import ChangeKind, WorkOrder
from rules.ledger.store import Ledger
from rules.ledger.timers import GRACE
from rules.people import people
from rules.people.people import Person
from rules.people.roles import Actor, ForbiddenError, Role
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.rule import Priority
from rules.shifts import actions, calendar_actions
from rules.shifts.actions import Plan
from rules.shifts.calendar import DEFAULT_HOURS, DaySource, WorkingHours
from rules.shifts.calendar import DayKind as Kind
from rules.shifts.duty import Duty, LeaveKind, Team
from rules.shifts.local_time import instant_at
from rules.shifts.rotation import Shift
from rules.worker import Worker

NAME = Text(zh="班", en="Shift")
TODAY = date(2026, 11, 21)
NOW = ManualClock(NOON).now()
QIAN = person("qian", Role.FOREMAN)
SHIFTS = (
    Shift(id="day", name=NAME, starts=480, ends=1200, minimum=2),
    Shift(id="night", name=NAME, starts=1200, ends=480),
)
PATTERN = ({"day": "a", "night": "b"}, {"day": "b", "night": "a"})


@pytest.fixture
def site() -> Site:
    one = small_site()
    return replace(one, areas={**one.areas, "b2": Area(id="b2", name=NAME)})


@pytest.fixture
def staffed(ledger: Ledger, site: Site) -> Ledger:
    """Four people in two teams, from today on: a has the day, b the night."""
    boss = person("admin", Role.ADMIN)
    for name in ("zhou", "li", "wu", "sun"):
        one = Person(username=name, display_name=name.title(), role=Role.TECHNICIAN)
        people.add(ledger, site, one, actor=boss, now=NOW)
    gone = Person(username="gone", display_name="G", role=Role.TECHNICIAN, active=False)
    people.add(ledger, site, gone, actor=boss, now=NOW)
    for team in (
        Team(id="a", name=NAME, areas=("b1",), members=("zhou", "li"), leader="sun"),
        Team(id="b", name=NAME, members=("wu",)),
    ):
        actions.put_team(ledger, site, team, actor=QIAN, now=NOW)
    actions.put_shifts(
        ledger, site, shifts=SHIFTS, anchor=TODAY, pattern=PATTERN, actor=QIAN, now=NOW
    )
    return ledger


def on_duty(ledger: Ledger, site: Site, hour: int = 12) -> Duty:
    with ledger.read(site.id) as view:
        found = roster.on_duty(view, site, instant_at(TODAY, hour * 60, site.zone))
    assert found is not None
    return found


def crew(duty: Duty) -> list[str]:
    return [member.person.username for member in duty.crew]


def deeds(ledger: Ledger) -> list[tuple[str, str, str]]:
    with ledger.read(SITE) as view:
        return [(row.by, row.action, row.subject) for row in audit.rows(view)]


def override(
    ledger: Ledger,
    site: Site,
    instead_of: str | None,
    username: str | None,
    *,
    shift: str = "day",
    actor: Actor = QIAN,
    key: str | None = None,
) -> str:
    return actions.add_override(
        ledger,
        site,
        day=TODAY,
        shift=shift,
        instead_of=instead_of,
        username=username,
        reason="by hand",
        actor=actor,
        now=NOW,
        idempotency_key=key,
    ).id


def leave(
    ledger: Ledger,
    site: Site,
    username: str,
    first: date,
    last: date,
    key: str | None = None,
    actor: Actor = QIAN,
) -> str:
    return actions.add_leave(
        ledger,
        site,
        username=username,
        first=first,
        last=last,
        kind=LeaveKind.ANNUAL,
        reason="by hand",
        actor=actor,
        now=NOW,
        idempotency_key=key,
    ).id


def test_teams_and_rotation_tell_who_is_on_duty(staffed: Ledger, site: Site) -> None:
    found = on_duty(staffed, site)
    assert (found.team.id, crew(found), found.problems) == ("a", ["zhou", "li"], [])
    assert crew(on_duty(staffed, site, 23)) == ["wu"]
    assert crew(on_duty(staffed, site, 3)) == ["zhou", "li"], "yesterday's night shift"
    with staffed.read(SITE) as view:
        kinds = {change.kind for change in view.changes_after(0, 100) if change.subject == "shifts"}
    assert kinds == {ChangeKind.ROSTER}
    assert ("qian", "team.put", "team.a") in deeds(staffed)
    assert ("qian", "shifts.put", "shifts") in deeds(staffed)


def test_a_team_is_replaced_whole_in_its_order(staffed: Ledger, site: Site) -> None:
    other = Team(id="a", name=Text(zh="甲", en="A"), members=("sun", "zhou"))
    actions.put_team(staffed, site, other, actor=QIAN, now=NOW)
    with staffed.read(SITE) as view:
        assert roster.teams_of(view)[0] == other


@pytest.mark.parametrize(
    ("team", "field", "told"),
    [
        (Team(id="c", name=NAME, members=("nobody",)), "members.0", "there is no 'nobody'"),
        (Team(id="c", name=NAME, members=("li", "gone")), "members.1", "no longer"),
        (Team(id="c", name=NAME, members=("li", "li")), "members.1", "named twice"),
        (Team(id="c", name=NAME, leader="lii"), "leader", "did you mean 'li'"),
        (Team(id="c", name=NAME, areas=("b9",)), "areas.0", "there is no area 'b9'"),
    ],
)
def test_a_team_is_of_the_people_and_the_areas_of_the_site(
    staffed: Ledger, site: Site, team: Team, field: str, told: str
) -> None:
    before = deeds(staffed)
    with pytest.raises(NotValidError, match=told) as caught:
        actions.put_team(staffed, site, team, actor=QIAN, now=NOW)
    assert caught.value.field == field
    assert deeds(staffed) == before


def test_a_team_of_the_rotation_stays(staffed: Ledger, site: Site) -> None:
    with pytest.raises(ConflictError, match="rotation names the team a"):
        actions.remove_team(staffed, site, "a", actor=QIAN, now=NOW)
    with pytest.raises(NotFoundError):
        actions.remove_team(staffed, site, "z", actor=QIAN, now=NOW)
    extra = Team(id="c", name=NAME, members=("sun",))
    actions.put_team(staffed, site, extra, actor=QIAN, now=NOW)
    actions.remove_team(staffed, site, "c", actor=QIAN, now=NOW)
    with staffed.read(SITE) as view:
        assert [team.id for team in roster.teams_of(view)] == ["a", "b"]


@pytest.mark.parametrize(
    ("shifts", "pattern", "field"),
    [
        (SHIFTS, ({"day": "z"},), "rotation.pattern.0.day"),
        (SHIFTS, ({"day": "a"}, {"late": "a"}), "rotation.pattern.1.late"),
        (SHIFTS, ({},), "rotation.pattern"),
        ((*SHIFTS, replace(SHIFTS[0], ends=600)), PATTERN, "items.2.id"),
        ((SHIFTS[0], replace(SHIFTS[1], starts=1199)), PATTERN, "items.1.starts"),
    ],
)
def test_a_rotation_that_cannot_be_is_refused_and_the_old_one_stays(
    staffed: Ledger,
    site: Site,
    shifts: tuple[Shift, ...],
    pattern: tuple[dict[str, str], ...],
    field: str,
) -> None:
    with pytest.raises(NotValidError) as caught:
        actions.put_shifts(
            staffed, site, shifts=shifts, anchor=TODAY, pattern=pattern, actor=QIAN, now=NOW
        )
    assert caught.value.field == field
    assert crew(on_duty(staffed, site)) == ["zhou", "li"]


def test_somebody_stands_in_and_it_is_taken_back(staffed: Ledger, site: Site) -> None:
    name = override(staffed, site, "zhou", "wu")
    assert crew(on_duty(staffed, site)) == ["li", "wu"]
    assert ("qian", "roster.override", name) in deeds(staffed)
    actions.remove_override(staffed, site, name, actor=QIAN, now=NOW)
    assert crew(on_duty(staffed, site)) == ["zhou", "li"]
    with pytest.raises(NotFoundError):
        actions.remove_override(staffed, site, name, actor=QIAN, now=NOW)
    assert deeds(staffed)[-1] == ("qian", "roster.override_remove", name)


def test_an_override_fits_who_is_planned(staffed: Ledger, site: Site) -> None:
    with pytest.raises(ConflictError, match="wu is not on this shift"):
        override(staffed, site, "wu", "sun")
    with pytest.raises(ConflictError, match="li is on this shift already"):
        override(staffed, site, "zhou", "li")
    with pytest.raises(NotValidError, match="there is no 'nobody'"):
        override(staffed, site, None, "nobody")
    with pytest.raises(NotValidError, match="nobody is named"):
        override(staffed, site, None, None)
    with pytest.raises(NotValidError, match="no shift 'late' is held"):
        override(staffed, site, "zhou", "wu", shift="late")
    first = override(staffed, site, "zhou", "wu")
    second = override(staffed, site, "wu", "sun")
    assert crew(on_duty(staffed, site)) == ["li", "sun"]
    with pytest.raises(ConflictError, match="builds on it"):
        actions.remove_override(staffed, site, first, actor=QIAN, now=NOW)
    actions.remove_override(staffed, site, second, actor=QIAN, now=NOW)
    actions.remove_override(staffed, site, first, actor=QIAN, now=NOW)


def test_a_request_that_comes_twice_is_one_override_and_one_leave(
    staffed: Ledger, site: Site
) -> None:
    assert override(staffed, site, "zhou", "wu", key="k1") == override(
        staffed, site, "zhou", "wu", key="k1"
    )
    with pytest.raises(ConflictError):
        override(staffed, site, "zhou", "wu", key="k2")
    with pytest.raises(KeyReusedError):
        override(staffed, site, "li", "sun", key="k1")
    days = (date(2026, 11, 22), date(2026, 11, 25))
    assert leave(staffed, site, "li", *days, key="k3") == leave(
        staffed, site, "li", *days, key="k3"
    )
    done = [action for _, action, _ in deeds(staffed)]
    assert (done.count("roster.override"), done.count("roster.leave")) == (1, 1)


def test_leave_is_entered_once_for_a_day_and_taken_back(staffed: Ledger, site: Site) -> None:
    name = leave(staffed, site, "li", TODAY, date(2026, 11, 25))
    assert crew(on_duty(staffed, site)) == ["zhou"]
    with pytest.raises(ConflictError, match="li is on leave from 2026-11-21 to 2026-11-25"):
        leave(staffed, site, "li", date(2026, 11, 25), date(2026, 11, 30))
    with pytest.raises(NotValidError) as caught:
        leave(staffed, site, "li", TODAY, date(2026, 11, 20))
    assert caught.value.field == "to"
    with pytest.raises(NotValidError):
        leave(staffed, site, "nobody", TODAY, TODAY)
    leave(staffed, site, "li", date(2026, 11, 26), date(2026, 11, 30))
    with staffed.read(SITE) as view:
        found = roster.leaves_of(view, date(2026, 11, 25), date(2026, 11, 25))
    assert [one.id for one in found] == [name]
    actions.remove_leave(staffed, site, name, actor=QIAN, now=NOW)
    assert crew(on_duty(staffed, site)) == ["zhou", "li"]
    with pytest.raises(NotFoundError):
        actions.remove_leave(staffed, site, name, actor=QIAN, now=NOW)


def _put_team(ledger: Ledger, site: Site, actor: Actor) -> None:
    actions.put_team(ledger, site, Team(id="c", name=NAME), actor=actor, now=NOW)


def _put_day(ledger: Ledger, site: Site, actor: Actor) -> None:
    calendar_actions.put_day(
        ledger, SITE, day=TODAY, kind=Kind.WORKING, name=None, reason="x", actor=actor, now=NOW
    )


def _put_hours(ledger: Ledger, site: Site, actor: Actor) -> None:
    calendar_actions.put_hours(ledger, SITE, WorkingHours(starts=0, ends=60), actor=actor, now=NOW)


@pytest.mark.parametrize(
    ("deed", "may"),
    [
        (_put_team, {Role.FOREMAN, Role.ENGINEERING_MANAGER, Role.ADMIN}),
        (_put_day, {Role.ENGINEERING_MANAGER, Role.ADMIN}),
        (_put_hours, {Role.ENGINEERING_MANAGER, Role.ADMIN}),
    ],
)
@pytest.mark.parametrize("role", list(Role))
def test_who_may_change_roster_and_calendar(
    staffed: Ledger,
    site: Site,
    deed: Callable[[Ledger, Site, Actor], None],
    may: set[Role],
    role: Role,
) -> None:
    before = deeds(staffed)
    if role in may:
        deed(staffed, site, person("x", role))
        assert len(deeds(staffed)) == len(before) + 1
    else:
        with pytest.raises(ForbiddenError):
            deed(staffed, site, person("x", role))
        assert deeds(staffed) == before


def test_a_foreman_of_one_area_leaves_the_teams_of_others_alone(
    staffed: Ledger, site: Site
) -> None:
    of_b2 = Actor(username="he", role=Role.FOREMAN, areas=frozenset({"b2"}))
    with pytest.raises(ForbiddenError):
        actions.put_team(staffed, site, Team(id="a", name=NAME), actor=of_b2, now=NOW)
    with pytest.raises(ForbiddenError):
        override(staffed, site, "zhou", "wu", actor=of_b2)
    with pytest.raises(ForbiddenError):
        actions.put_shifts(
            staffed, site, shifts=SHIFTS, anchor=TODAY, pattern=PATTERN, actor=of_b2, now=NOW
        )
    own = Team(id="c", name=NAME, areas=("b2",))
    actions.put_team(staffed, site, own, actor=of_b2, now=NOW)


def test_who_has_areas_leaves_what_is_the_whole_sites_alone(staffed: Ledger, site: Site) -> None:
    of_b2 = Actor(username="he", role=Role.ENGINEERING_MANAGER, areas=frozenset({"b2"}))
    whole = Team(id="c", name=NAME)
    plan = Plan(teams=(whole,), shifts=(), anchor=TODAY, pattern=())
    before = deeds(staffed)
    for deed in (
        lambda: actions.put_team(staffed, site, whole, actor=of_b2, now=NOW),
        lambda: actions.remove_team(staffed, site, "b", actor=of_b2, now=NOW),
        lambda: override(staffed, site, "wu", "li", shift="night", actor=of_b2),
        lambda: actions.put_plan(staffed, site, plan, actor=of_b2, now=NOW),
        lambda: _put_day(staffed, site, of_b2),
        lambda: _put_hours(staffed, site, of_b2),
        lambda: calendar_actions.remove_day(staffed, SITE, TODAY, actor=of_b2, now=NOW),
    ):
        with pytest.raises(ForbiddenError):
            deed()
    assert deeds(staffed) == before


def test_leave_is_for_who_edits_the_roster_where_they_work(staffed: Ledger, site: Site) -> None:
    of_b2 = Actor(username="he", role=Role.FOREMAN, areas=frozenset({"b2"}))
    boss = person("admin", Role.ADMIN)
    for name, area in (("near", "b2"), ("far", "b1")):
        one = Person(username=name, display_name=name, role=Role.TECHNICIAN, areas=(area,))
        people.add(staffed, site, one, actor=boss, now=NOW)
    for name in ("far", "zhou"):
        with pytest.raises(ForbiddenError):
            leave(staffed, site, name, TODAY, TODAY, actor=of_b2)
        theirs = leave(staffed, site, name, TODAY, TODAY)
        with pytest.raises(ForbiddenError):
            actions.remove_leave(staffed, site, theirs, actor=of_b2, now=NOW)
    own = leave(staffed, site, "near", TODAY, TODAY, actor=of_b2)
    actions.remove_leave(staffed, site, own, actor=of_b2, now=NOW)


def test_a_plan_takes_the_place_of_all_there_was(staffed: Ledger, site: Site) -> None:
    plan = Plan(
        teams=(Team(id="c", name=NAME, members=("sun", "wu")),),
        shifts=(replace(SHIFTS[0], id="whole", ends=480),),
        anchor=TODAY,
        pattern=({"whole": "c"},),
        hours=WorkingHours(starts=540, ends=1080),
    )
    actions.put_plan(staffed, site, plan, actor=person("m"), now=NOW)
    with staffed.read(SITE) as view:
        assert [team.id for team in roster.teams_of(view)] == ["c"]
        assert [shift.id for shift in roster.shifts_of(view)] == ["whole"]
        assert roster.calendar_of(view, site).hours == plan.hours
    assert crew(on_duty(staffed, site)) == ["sun", "wu"]
    with pytest.raises(NotValidError):
        actions.put_plan(staffed, site, replace(plan, teams=()), actor=person("m"), now=NOW)
    assert crew(on_duty(staffed, site)) == ["sun", "wu"], "nothing of it was written"


def test_a_day_is_what_the_site_says_until_it_takes_that_back(ledger: Ledger, site: Site) -> None:
    day, boss = date(2026, 9, 20), person("chen")
    calendar_actions.put_day(
        ledger, SITE, day=day, kind=Kind.WEEKEND, name=NAME, reason="x", actor=boss, now=NOW
    )
    calendar_actions.put_day(
        ledger, SITE, day=day, kind=Kind.HOLIDAY, name=None, reason="y", actor=boss, now=NOW
    )
    with ledger.read(SITE) as view:
        found = roster.calendar_of(view, site).day(day)
    assert (found.kind, found.source, found.name) == (Kind.HOLIDAY, DaySource.SITE, None)
    with ledger.read("another-site") as view:
        assert roster.calendar_of(view, site).kind(day) is Kind.MAKE_UP_WORKING
    calendar_actions.remove_day(ledger, SITE, day, actor=boss, now=NOW)
    with ledger.read(SITE) as view:
        assert roster.calendar_of(view, site).kind(day) is Kind.MAKE_UP_WORKING
    with pytest.raises(NotFoundError):
        calendar_actions.remove_day(ledger, SITE, day, actor=boss, now=NOW)
    assert [action for _, action, _ in deeds(ledger)] == [
        "calendar.put",
        "calendar.put",
        "calendar.remove",
    ]


def test_working_hours_are_the_default_until_the_site_sets_them(ledger: Ledger, site: Site) -> None:
    with ledger.read(SITE) as view:
        assert roster.calendar_of(view, site).hours == DEFAULT_HOURS
    with pytest.raises(NotValidError):
        calendar_actions.put_hours(
            ledger, SITE, WorkingHours(starts=600, ends=600), actor=person("chen"), now=NOW
        )
    hours = WorkingHours(starts=540, ends=1440)
    calendar_actions.put_hours(ledger, SITE, hours, actor=person("chen"), now=NOW)
    with ledger.read(SITE) as view:
        assert roster.calendar_of(view, site).hours == hours


def dark_at(wall: int) -> Gateway:
    """A gateway whose clock stands ten seconds before ``wall``."""
    return Gateway(clock=ManualClock(wall - 11 * SECOND))


@pytest.mark.parametrize(
    ("raised", "priority", "due"),
    [
        # Friday 17:00: half an hour, then the make-up Sunday.
        ("2026-09-18 17:00", Priority.MINOR, "2026-09-20T11:30:00.000+08:00"),
        ("2026-09-18 17:00", Priority.MAJOR, "2026-09-18T21:00:00.000+08:00"),
        ("2026-09-30 17:00", Priority.MINOR, "2026-10-08T11:30:00.000+08:00"),
    ],
)
def test_an_order_of_minor_priority_is_due_in_working_time(
    ledger: Ledger, site: Site, raised: str, priority: Priority, due: str
) -> None:
    day, hour = raised.split()
    wall = instant_at(date.fromisoformat(day), int(hour[:2]) * 60, site.zone)
    gateway = dark_at(wall)
    assert DARK.order is not None
    terms = replace(DARK.order, complete_within=4 * HOUR)
    rules = rulebook(replace(DARK, priority=priority, order=terms))
    worker = Worker(site=site, rulebook=rules, ledger=ledger)
    worker.take(gateway.poll(11, {"lamp-1.power": 0, "lamp-1.output": 1}))
    worker.commit(gateway.now)
    with ledger.read(SITE) as view:
        (order,) = view.orders()
    assert order.created_at == wall
    assert iso(order.due.wall, site.zone) == due
    assert order.due == gateway.now.plus(order.due.wall - wall), "an instant like any other"


def test_the_sites_own_day_counts_for_an_order(ledger: Ledger, site: Site) -> None:
    sunday = date(2026, 9, 20)
    calendar_actions.put_day(
        ledger,
        SITE,
        day=sunday,
        kind=Kind.WEEKEND,
        name=None,
        reason="not worked here",
        actor=person("chen"),
        now=NOW,
    )
    gateway = dark_at(instant_at(date(2026, 9, 18), 17 * 60, site.zone))
    assert DARK.order is not None
    rule = replace(DARK, priority=Priority.MINOR, order=replace(DARK.order, complete_within=DAY))
    worker = Worker(site=site, rulebook=rulebook(rule), ledger=ledger)
    worker.take(gateway.poll(11, {"lamp-1.power": 0, "lamp-1.output": 1}))
    worker.commit(gateway.now)
    with ledger.read(SITE) as view:
        (order,) = view.orders()
    assert iso(order.due.wall, site.zone) == "2026-09-21T17:00:00.000+08:00"


def test_now_is_what_the_caller_says(staffed: Ledger, site: Site) -> None:
    later = Instant(wall=NOW.wall + HOUR, mono=NOW.mono + HOUR, boot=NOW.boot)
    actions.add_override(
        staffed,
        site,
        day=TODAY,
        shift="day",
        instead_of=None,
        username="sun",
        reason="x",
        actor=QIAN,
        now=later,
    )
    with staffed.read(SITE) as view:
        (found,) = roster.overrides_of(view, TODAY, TODAY)
    assert (found.at, found.by) == (later.wall, "qian")


def test_a_restart_on_friday_evening_does_not_move_an_order_in_working_time_to_saturday(
    ledger: Ledger, site: Site
) -> None:
    """Made on Friday at 16:00 with a limit of one working day."""
    friday = date(2026, 11, 20)
    gateway = dark_at(instant_at(friday, 16 * 60, site.zone))
    assert DARK.order is not None
    rule = replace(DARK, priority=Priority.MINOR, order=replace(DARK.order, complete_within=DAY))
    first = Worker(site=site, rulebook=rulebook(rule), ledger=ledger)
    first.take(gateway.poll(11, {"lamp-1.power": 0, "lamp-1.output": 1}))
    first.commit(gateway.now)

    def again() -> WorkOrder:
        """A process after a restart of the machine, when the clock may be trusted."""
        subject = Worker(site=site, rulebook=rulebook(rule), ledger=ledger)
        subject.load()
        gateway.clock.advance(GRACE / SECOND)
        subject.commit(gateway.now)
        with ledger.read(SITE) as view:
            (order,) = view.orders()
        return order

    evening = instant_at(friday, 18 * 60, site.zone)
    gateway.clock.reboot("boot-2", off_seconds=(evening - gateway.now.wall) / SECOND)
    order = again()
    assert iso(order.due.wall, site.zone) == "2026-11-23T16:00:00.000+08:00"
    # A clock that a restart has set back by a year is another matter: the same Friday of 2025,
    # and again, which changes nothing more.
    gateway.clock.reboot("boot-3", off_seconds=-364 * DAY / SECOND)
    assert iso(again().due.wall, site.zone) == "2025-11-24T17:30:00.000+08:00"
    gateway.clock.reboot("boot-4", off_seconds=0)
    assert iso(again().due.wall, site.zone) == "2025-11-24T17:30:00.000+08:00"
    gateway.clock.advance((order.due.wall - 364 * DAY + 2 * HOUR - gateway.now.wall) / SECOND)
    assert again().breached_at is not None
