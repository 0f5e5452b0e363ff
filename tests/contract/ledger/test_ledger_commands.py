"""Commands to devices: proposed, confirmed once, ended; by whom the site's list says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from duty_room import SITE, person, site

from gateway.clock import ManualClock
from gateway.model.equipment import AllowedCommand, Site
from gateway.model.moment import SECOND
from rules.commands import actions
from rules.commands.actions import NotOnListError, Outcome
from rules.commands.lifecycle import SENT_AT_MOST, CommandEvent, CommandState
from rules.ledger import audit
from rules.ledger.store import Ledger
from rules.lifecycle import IllegalTransitionError
from rules.people.roles import ForbiddenError, Role, Via
from rules.refusals import ConflictError, NotFoundError

POINT = "running"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_763_719_200_000_000)


@pytest.fixture
def commanded() -> Site:
    allowed = AllowedCommand(
        equipment="pump-1", point=POINT, low=0, high=1, roles=("technician", "foreman")
    )
    return replace(site(), commands=(allowed,))


def propose(ledger: Ledger, commanded: Site, clock: ManualClock, **other: object) -> str:
    given = {"value": 1.0, "actor": person("li", Role.TECHNICIAN), "command_id": "c1", **other}
    value = given.pop("value")
    made = actions.propose(
        ledger, commanded, "pump-1", POINT, value, before=0.0, now=clock.now(), **given
    )
    return made.id


def test_fifty_confirmations_at_once_send_it_once(
    ledger: Ledger, commanded: Site, clock: ManualClock
) -> None:
    """Experiment 58."""
    made = propose(ledger, commanded, clock)
    actor, now = person("li", Role.TECHNICIAN), clock.now()

    def confirm(_: int) -> bool:
        try:
            return actions.confirm(ledger, commanded, made, actor=actor, now=now)[1]
        except IllegalTransitionError:
            return False

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(confirm, range(50))) == 1


def test_what_became_of_it_is_kept_and_audited(
    ledger: Ledger, commanded: Site, clock: ManualClock
) -> None:
    made = propose(ledger, commanded, clock)
    actor = person("li", Role.TECHNICIAN)
    actions.confirm(ledger, commanded, made, actor=actor, now=clock.now())
    clock.advance(1)
    outcome = Outcome(event=CommandEvent.SUCCEED, read_back=1.0)
    ended = actions.end(ledger, commanded, made, outcome, actor=actor, now=clock.now())
    assert (ended.state, ended.read_back) == (CommandState.DONE, 1.0)
    with ledger.read(SITE) as view:
        assert actions.newest(view) == [ended]
        assert actions.newest(view, equipment="pump-2") == []
        told = [row.action for row in audit.newest(view, limit=5)]
        assert told[:2] == ["device.command.done", "device.command"]
        assert audit.verify(view).ok


def test_a_command_whose_api_died_becomes_unknown_once(
    ledger: Ledger, commanded: Site, clock: ManualClock
) -> None:
    """It stayed sent for ever, and no audit said that nobody knows."""
    made = propose(ledger, commanded, clock)
    actor = person("li", Role.TECHNICIAN)
    actions.confirm(ledger, commanded, made, actor=actor, now=clock.now())
    clock.advance(SENT_AT_MOST / SECOND)
    assert actions.give_up(ledger, commanded, now=clock.now()) == 0
    clock.advance(1)
    now = clock.now()
    with ThreadPoolExecutor(5) as pool:
        counts = pool.map(lambda _: actions.give_up(ledger, commanded, now=now), range(10))
        assert sum(counts) == 1
    with ledger.read(SITE) as view:
        (found,) = actions.newest(view)
        assert (found.state, found.why) == (CommandState.UNKNOWN, "api_gone")
        told = [row.action for row in audit.newest(view, limit=9)]
        assert told.count("device.command.unknown") == 1
        assert audit.verify(view).ok


def test_a_clock_that_was_set_back_keeps_no_command_sent(
    ledger: Ledger, commanded: Site, clock: ManualClock
) -> None:
    made = propose(ledger, commanded, clock)
    actor = person("li", Role.TECHNICIAN)
    actions.confirm(ledger, commanded, made, actor=actor, now=clock.now())
    assert actions.give_up(ledger, commanded, now=clock.step_wall(-3600)) == 1


def test_every_entry_of_the_list_counts_not_only_the_first(
    ledger: Ledger, commanded: Site, clock: ManualClock
) -> None:
    """A foreman whose own entry stood second was refused."""
    (first,) = commanded.commands
    site = replace(
        commanded,
        commands=(
            replace(first, roles=("technician",)),
            replace(first, high=5, roles=("foreman",)),
        ),
    )
    foreman = person("zhao", Role.FOREMAN)
    assert propose(ledger, site, clock, actor=foreman, value=5.0)
    with pytest.raises(NotOnListError):
        propose(ledger, site, clock, value=5.0, command_id="c2")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"value": 2.0}, NotOnListError),
        ({"actor": person("wang", Role.OFFICER)}, NotOnListError),
        ({"actor": person("boss", Role.PROJECT_MANAGER)}, ForbiddenError),
        ({"actor": replace(person("li", Role.TECHNICIAN), via=Via.PIN)}, ForbiddenError),
        ({"actor": replace(person("li", Role.TECHNICIAN), via=Via.TOKEN)}, ForbiddenError),
        (
            {"actor": replace(person("li", Role.TECHNICIAN), areas=frozenset({"elsewhere"}))},
            ForbiddenError,
        ),
    ],
    ids=["range", "role-not-listed", "role", "pin", "token", "area"],
)
def test_who_may_not_has_changed_nothing(
    ledger: Ledger, commanded: Site, clock: ManualClock, change: dict, error: type[Exception]
) -> None:
    with pytest.raises(error):
        propose(ledger, commanded, clock, **change)
    with ledger.read(SITE) as view:
        assert actions.newest(view) == []


def test_without_a_list_nothing_is_told_to_anything(ledger: Ledger, clock: ManualClock) -> None:
    with pytest.raises(NotOnListError):
        propose(ledger, site(), clock)


def test_only_who_proposed_it_confirms_it_and_in_time(
    ledger: Ledger, commanded: Site, clock: ManualClock
) -> None:
    made = propose(ledger, commanded, clock)
    other = person("zhao", Role.FOREMAN)
    with pytest.raises(ConflictError):
        actions.confirm(ledger, commanded, made, actor=other, now=clock.now())
    clock.advance(61)
    actor = person("li", Role.TECHNICIAN)
    with pytest.raises(ConflictError):
        actions.confirm(ledger, commanded, made, actor=actor, now=clock.now())
    with pytest.raises(NotFoundError):
        actions.confirm(ledger, commanded, "nothing", actor=actor, now=clock.now())
    with ledger.read(SITE) as view:
        assert actions.newest(view)[0].state is CommandState.PROPOSED
