"""What a person may do with a limit of the rulebook; see the package."""

from __future__ import annotations

from gateway.files.durations import write
from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.ledger import audit, overrides
from rules.ledger.idempotency import is_new
from rules.ledger.store import Ledger
from rules.overrides import variant
from rules.people.roles import Actor, Permission, require
from rules.refusals import NotFoundError, NotValidError
from rules.rule import Rulebook


def set_limit(
    ledger: Ledger,
    site: Site,
    rulebook: Rulebook,
    rule_id: str,
    equipment_id: str,
    *,
    limit: float | None,
    delay: int | None,
    reason: str,
    actor: Actor,
    now: Instant,
    idempotency_key: str | None = None,
) -> None:
    """From now on the rule has this limit, this delay (µs), or both, for this equipment.

    Raises ``NotFoundError``, ``NotValidError``, ``ConflictError`` (the rule has no limit, or is
    none for the equipment) or ``KeyReusedError``; then nothing has changed.
    """
    require(actor, Permission.EDIT_RULES)
    rule, thing = rulebook.rules.get(rule_id), site.equipment.get(equipment_id)
    if rule is None or thing is None:
        raise NotFoundError(f"there is no rule {rule_id} for {equipment_id}")
    require(actor, Permission.EDIT_RULES, thing.area)
    if limit is None and delay is None:
        raise NotValidError("limit", "say another limit or another delay")
    variant(rule, thing, limit, delay)
    with ledger.write(site.id) as entry:
        by, subject = actor.username, f"{rule_id} {equipment_id}"
        if not is_new(entry, idempotency_key, "rule.limit", subject, by=by, now=now):
            return
        overrides.put(
            entry, rule_id, equipment_id, limit=limit, delay=delay, reason=reason, by=by, now=now
        )
        audit.record(
            entry,
            actor,
            "rule.limit",
            subject,
            now.wall,
            limit=limit,
            delay=None if delay is None else write(delay),
            reason=reason,
        )


def drop_limit(
    ledger: Ledger,
    site: Site,
    rule_id: str,
    equipment_id: str,
    *,
    actor: Actor,
    now: Instant,
    idempotency_key: str | None = None,
) -> None:
    """The file's limit is in force again. Raises as :func:`set_limit` does.

    Rule and equipment need not be there any more.
    """
    require(actor, Permission.EDIT_RULES)
    thing = site.equipment.get(equipment_id)
    require(actor, Permission.EDIT_RULES, None if thing is None else thing.area)
    with ledger.write(site.id) as entry:
        by, subject = actor.username, f"{rule_id} {equipment_id}"
        if not is_new(entry, idempotency_key, "rule.limit_drop", subject, by=by, now=now):
            return
        if not overrides.remove(entry, rule_id, equipment_id):
            raise NotFoundError(f"the site has set no limit of {rule_id} for {equipment_id}")
        audit.record(entry, actor, "rule.limit_drop", subject, now.wall)
