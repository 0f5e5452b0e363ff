"""Limits of the site's own: set, refused, in force within a commit, taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from duty_room import DARK, HOT, NOON, SITE, TEMPERATURE, Gateway, person, rulebook, site
from structlog.testing import capture_logs

from gateway.model.equipment import Site
from gateway.model.moment import DAY, SECOND, Instant
from rules.actions.limits import drop_limit, set_limit
from rules.ledger import audit, overrides
from rules.ledger.idempotency import KeyReusedError
from rules.ledger.store import Ledger
from rules.overrides import LimitOverride, applied, variant
from rules.people.roles import ForbiddenError, Role, Via
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.worker import Worker

BOOK = rulebook(HOT, DARK)
NOW = Instant(wall=NOON, mono=0, boot="a")


def bounded() -> Site:
    """The site, its thermometers reading 0 to 120."""
    plain = site()
    things = {
        name: replace(
            thing,
            points=tuple(
                replace(point, low=0.0, high=120.0) if point.key == "motor_temperature" else point
                for point in thing.points
            ),
        )
        for name, thing in plain.equipment.items()
    }
    return replace(plain, equipment=things)


def put(
    ledger: Ledger,
    limit: float | None = 90.0,
    *,
    rule: str = HOT.id,
    equipment: str = "pump-1",
    delay: int | None = None,
    role: Role = Role.ENGINEERING_MANAGER,
    key: str | None = None,
) -> None:
    set_limit(
        ledger,
        bounded(),
        BOOK,
        rule,
        equipment,
        limit=limit,
        delay=delay,
        reason="the motor is of class F",
        actor=person("zhang", role),
        now=NOW,
        idempotency_key=key,
    )


def drop(ledger: Ledger, *, rule: str = HOT.id, equipment: str = "pump-1") -> None:
    drop_limit(ledger, bounded(), rule, equipment, actor=person("zhang"), now=NOW)


def kept(ledger: Ledger) -> tuple[LimitOverride, ...]:
    with ledger.read(SITE) as view:
        return overrides.load(view)


def audited(ledger: Ledger) -> list[tuple[str, str]]:
    with ledger.read(SITE) as view:
        assert audit.verify(view).ok
        return [(row.action, row.subject) for row in audit.rows(view)]


def test_a_limit_is_set_with_its_reason_and_audited_and_taken_back(ledger: Ledger):
    put(ledger)
    [one] = kept(ledger)
    assert (one.rule, one.equipment, one.limit, one.delay) == (HOT.id, "pump-1", 90.0, None)
    assert (one.by, one.reason, one.at) == ("zhang", "the motor is of class F", NOON)
    put(ledger, 95.0, delay=30 * SECOND)
    [one] = kept(ledger)
    assert (one.limit, one.delay) == (95.0, 30 * SECOND)
    drop(ledger)
    assert not kept(ledger)
    subject = f"{HOT.id} pump-1"
    assert audited(ledger) == [
        ("rule.limit", subject),
        ("rule.limit", subject),
        ("rule.limit_drop", subject),
    ]


def test_the_same_key_again_changes_nothing(ledger: Ledger):
    put(ledger, 90.0, key="k1")
    put(ledger, 95.0, key="k1")
    assert kept(ledger)[0].limit == 90.0
    with pytest.raises(KeyReusedError):
        put(ledger, 95.0, equipment="pump-2", key="k1")


@pytest.mark.parametrize(
    ("limit", "delay", "said"),
    [
        (120.0, None, "120 is never passed: motor_temperature reports 120 at most"),
        (float("nan"), None, "a limit is a number"),
        (1.0, None, "the alarm would never clear: it clears at -2"),
        (None, -1, "a delay is 0s to 30d"),
        (None, None, "say another limit or another delay"),
    ],
)
def test_what_can_never_be_is_refused_and_changes_nothing(
    ledger: Ledger, limit: float | None, delay: int | None, said: str
):
    with pytest.raises(NotValidError, match=said):
        put(ledger, limit, delay=delay)
    assert not kept(ledger)
    assert not audited(ledger)


def test_a_rule_without_a_limit_or_for_other_equipment_is_refused(ledger: Ledger):
    with pytest.raises(NotFoundError):
        put(ledger, rule="no-such-rule")
    with pytest.raises(NotFoundError):
        put(ledger, equipment="no-such-thing")
    with pytest.raises(ConflictError, match="no rule for lamp-1"):
        put(ledger, equipment="lamp-1")
    with pytest.raises(NotFoundError):
        drop(ledger)


@pytest.mark.parametrize("role", [Role.OFFICER, Role.TECHNICIAN, Role.FOREMAN])
def test_who_does_not_answer_for_the_rules_sets_no_limit(ledger: Ledger, role: Role):
    with pytest.raises(ForbiddenError):
        put(ledger, role=role)
    assert not kept(ledger)


# -- in force -------------------------------------------------------------------------------------


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def worker(ledger: Ledger) -> Worker:
    made = Worker(site=bounded(), rulebook=BOOK, ledger=ledger)
    made.load()
    return made


def up(ledger: Ledger) -> list[str]:
    with ledger.read(SITE) as view:
        return [alarm.equipment for alarm in view.alarms() if alarm.cleared_at is None]


def poll(made: Worker, gateway: Gateway, degrees: float, seconds: int = 12) -> None:
    made.take(gateway.poll(seconds, {TEMPERATURE: degrees, "pump-2.motor_temperature": degrees}))
    made.commit(gateway.now)


def test_a_limit_is_in_force_with_the_next_commit_without_a_restart(
    ledger: Ledger, gateway: Gateway
):
    made = worker(ledger)
    poll(made, gateway, 40)
    put(ledger, 90.0)
    made.commit(gateway.now)
    poll(made, gateway, 85)
    assert up(ledger) == ["pump-2"]


def test_an_alarm_that_is_up_is_judged_by_the_new_limit(ledger: Ledger, gateway: Gateway):
    made = worker(ledger)
    poll(made, gateway, 85)
    assert sorted(up(ledger)) == ["pump-1", "pump-2"]
    put(ledger, 100.0)
    made.commit(gateway.now)
    poll(made, gateway, 85, 25)
    assert up(ledger) == ["pump-2"]
    drop(ledger)
    made.commit(gateway.now)
    poll(made, gateway, 85, 15)
    assert sorted(up(ledger)) == ["pump-1", "pump-2"]


def test_a_limit_is_in_force_after_a_restart_and_a_delay_that_ran_goes_on(
    ledger: Ledger, gateway: Gateway
):
    put(ledger, 90.0)
    made = worker(ledger)
    poll(made, gateway, 95, 6)
    assert not up(ledger)
    again = worker(ledger)
    poll(again, gateway, 95, 5)
    assert sorted(up(ledger)) == ["pump-1", "pump-2"]


def test_another_delay_alone_leaves_the_limit(ledger: Ledger, gateway: Gateway):
    put(ledger, None, delay=60 * SECOND)
    made = worker(ledger)
    poll(made, gateway, 85, 30)
    assert up(ledger) == ["pump-2"]
    poll(made, gateway, 85, 35)
    assert sorted(up(ledger)) == ["pump-1", "pump-2"]


def test_no_data_after_a_new_limit_still_clears_nothing(ledger: Ledger, gateway: Gateway):
    made = worker(ledger)
    poll(made, gateway, 85)
    put(ledger, 100.0)
    made.commit(gateway.now)
    gateway.clock.advance(3600)
    made.tick(gateway.now)
    made.commit(gateway.now)
    assert sorted(up(ledger)) == ["pump-1", "pump-2"]


def test_an_override_that_a_later_file_makes_wrong_changes_nothing():
    overridden = [
        LimitOverride(
            rule=HOT.id, equipment="pump-1", limit=130.0, delay=None, reason="x", by="a", at=0
        ),
        LimitOverride(
            rule="gone", equipment="pump-1", limit=1.0, delay=None, reason="x", by="a", at=0
        ),
    ]
    assert not applied(BOOK, bounded(), overridden).variants


def test_what_else_is_judged_goes_on_under_the_new_limit(ledger: Ledger, gateway: Gateway):
    made = worker(ledger)
    before = made._conditions.pairs
    put(ledger, 100.0)
    made.commit(gateway.now)
    assert made._conditions.pairs == before, "the links too"


@pytest.mark.parametrize("moved", [-2.0, 5.0])
def test_a_delay_that_runs_is_judged_by_the_new_limit_although_nothing_new_is_read(
    ledger: Ledger, gateway: Gateway, moved: float
):
    """80 is above 75 and pending for 8 of 10 s, when 75 becomes 73 or 80."""
    made = worker(ledger)
    poll(made, gateway, 80, 8)
    put(ledger, 75.0 + moved)
    made.commit(gateway.now)
    made.take(gateway.poll(10, {"lamp-1.power": 5}))
    made.commit(gateway.now)
    assert sorted(up(ledger)) == (["pump-1", "pump-2"] if moved < 0 else ["pump-2"])


def test_a_delay_that_runs_is_judged_by_the_new_limit_after_a_restart_too(
    ledger: Ledger, gateway: Gateway
):
    made = worker(ledger)
    poll(made, gateway, 80, 8)
    put(ledger, 90.0)
    again = worker(ledger)
    again.take(gateway.poll(10, {"lamp-1.power": 5}))
    again.commit(gateway.now)
    assert up(ledger) == ["pump-2"]


def test_what_was_read_before_the_new_limit_outlives_a_restart(ledger: Ledger, gateway: Gateway):
    """Judged by the new limit it is kept by the new limit, and is no unknown value then."""
    made = worker(ledger)
    poll(made, gateway, 95, 5)
    put(ledger, 90.0)
    made.commit(gateway.now)
    made.commit(gateway.now)
    again = worker(ledger)
    rows = {(row.rule, row.equipment): row for row in again._conditions.rows()}
    assert rows[HOT.id, "pump-1"].value == 95


def test_only_rows_with_another_limit_are_touched(ledger: Ledger, gateway: Gateway):
    made = worker(ledger)
    poll(made, gateway, 40)
    made.commit(gateway.now)
    put(ledger, 90.0)
    made.commit(gateway.now)
    touched = made._conditions.take_dirty()
    assert [(row.rule, row.equipment) for row in touched] == [(HOT.id, "pump-1")]


# -- fire and entrapment --------------------------------------------------------------------------

LIFE = replace(HOT, id="fire", life_safety=True)


@pytest.mark.parametrize(
    ("limit", "delay", "said"),
    [
        (76.0, None, "fire or entrapment: no limit above 75"),
        (None, 11 * SECOND, "fire or entrapment: no longer delay than 10s"),
        (70.0, 11 * SECOND, "fire or entrapment: no longer delay than 10s"),
    ],
)
@pytest.mark.parametrize("role", [Role.ENGINEERING_MANAGER, Role.ADMIN])
def test_nobody_makes_a_fire_alarm_slower_or_less_sensitive(
    ledger: Ledger, role: Role, limit: float | None, delay: int | None, said: str
):
    with pytest.raises(NotValidError, match=said):
        set_limit(
            ledger,
            site(),
            rulebook(LIFE),
            LIFE.id,
            "pump-1",
            limit=limit,
            delay=delay,
            reason="quiet",
            actor=person("zhang", role),
            now=NOW,
        )
    assert not kept(ledger)


def test_a_fire_alarm_may_be_made_quicker_and_more_sensitive():
    quicker = variant(LIFE, site().equipment["pump-1"], 70.0, 0)
    assert (quicker.limit, quicker.delay) == (70.0, 0)


def test_a_stored_override_that_would_silence_a_fire_falls_away_and_is_told(
    ledger: Ledger, gateway: Gateway
):
    """A ledger from before this was refused, or a rule that has come to be about life safety."""
    with ledger.write(SITE) as entry:
        overrides.put(
            entry, LIFE.id, "pump-1", limit=None, delay=30 * DAY, reason="x", by="a", now=NOW
        )
    made = Worker(site=site(), rulebook=rulebook(LIFE), ledger=ledger)
    with capture_logs() as told:
        made.load()
    [line] = [one for one in told if one["log_level"] == "warning"]
    assert (line["rule"], line["equipment"]) == (LIFE.id, "pump-1")
    assert "no longer delay than 10s" in line["why"]
    poll(made, gateway, 80)
    assert "pump-1" in up(ledger)


@pytest.mark.parametrize("via", [Via.PIN, Via.TOKEN])
def test_a_limit_is_set_in_person_only(ledger: Ledger, via: Via):
    actor = replace(person("zhang"), via=via)
    with pytest.raises(ForbiddenError):
        set_limit(
            ledger,
            site(),
            BOOK,
            HOT.id,
            "pump-1",
            limit=80.0,
            delay=None,
            reason="x",
            actor=actor,
            now=NOW,
        )
    with pytest.raises(ForbiddenError):
        drop_limit(ledger, site(), HOT.id, "pump-1", actor=actor, now=NOW)
    assert not kept(ledger)
