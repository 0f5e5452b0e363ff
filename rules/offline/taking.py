"""One entry of a phone, in one transaction with its record: whatever comes of it, it is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.actions.act import Act
from rules.inspections.regime import Regime
from rules.ledger import audit, offline
from rules.ledger.joined import JoinedLedger
from rules.ledger.offline import OfflineEntry
from rules.ledger.round_rows import Round
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry, Ledger
from rules.ledger.view import View
from rules.offline import doing
from rules.offline import facts as known
from rules.offline.facts import Found, LaidOutSoonError
from rules.offline.protocol import (
    Answer,
    Deed,
    Kind,
    Note,
    Outcome,
    Photo,
    Reason,
    Times,
    conflict,
    is_already,
)
from rules.people.roles import Actor, require
from rules.rule import Rulebook

MOST_PHOTOS = 200
"""Photographs of one person that may wait for a decision."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """An entry as the phone sent it."""

    id: str
    kind: str
    subject: str
    version: str
    device: str
    times: Times
    body: Mapping[str, Any]
    deed: Deed | None
    """None: ``kind`` and ``body`` are not valid."""
    problem: str | None = None
    """What is wrong with them."""

    def digest(self, by: str) -> str:
        """Of all that an entry says, which never changes."""
        said = [by, self.kind, self.subject, self.version, self.times.entered_at, self.body]
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What became of an entry."""

    outcome: Outcome
    """``KNOWN``: it was here before, and ``row`` says what became of it then."""
    row: OfflineEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class House:
    """Where entries are taken."""

    ledger: Ledger
    site: Site
    rulebook: Rulebook


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verdict:
    reason: Reason | None = None
    """None: it was applied."""
    detail: str | None = None
    found: Found | None = None
    notes: tuple[Note, ...] = ()


def take(house: House, sent: Sent, *, actor: Actor, now: Instant) -> Taken:
    """Raises only what a ledger raises that does not answer, and ``LaidOutSoonError``: then
    nothing is kept, and the phone sends it again."""
    with house.ledger.write(house.site.id) as entry:
        view = View(connection=entry.connection, site=entry.site)
        digest = sent.digest(actor.username)
        before = offline.find(view, sent.id)
        if before is not None and before.digest != digest:
            # Kept under a name of its own beside what was there first.
            sent = replace(sent, id=f"{sent.id}.{digest[:12]}")
            before = offline.find(view, sent.id)
            reused = _Verdict(reason=Reason.REUSED, detail="the id was used for something else")
        else:
            reused = None
        if before is not None:
            return Taken(outcome=Outcome.KNOWN, row=before)
        verdict = reused or _tried(house, entry, sent, actor, now)
        row = offline.add(entry, _row(house, view, sent, verdict, actor=actor, now=now))
        if row.reason is not None:
            _tell(entry, row, verdict, actor, now)
        return Taken(outcome=row.outcome, row=row)


def _tried(house: House, entry: Entry, sent: Sent, actor: Actor, now: Instant) -> _Verdict:
    if sent.deed is None:
        return _Verdict(reason=Reason.NOT_VALID, detail=sent.problem)
    kind, found = Kind(sent.kind), None
    notes: tuple[Note, ...] = ()
    try:
        require(actor, known.permission(kind))
        found = known.find(
            entry,
            kind,
            sent.subject,
            sent.deed,
            version=sent.version,
            by=actor.username,
            device=sent.device,
            now=now.wall,
        )
        require(actor, known.permission(kind), found.area)
        reason = conflict(kind, found.facts)
        if reason is not None:
            return _Verdict(reason=reason, found=found)
        if is_already(kind, found.facts):
            notes = (Note.ALREADY,)
        else:
            with entry.apart(Exception):
                do(
                    house,
                    entry,
                    sent.deed,
                    entry_id=sent.id,
                    subject=sent.subject,
                    kind=kind,
                    actor=actor,
                    now=now,
                )
    except (OperationalError, PoolTimeoutError, LaidOutSoonError):
        raise
    except Exception as error:
        reason = doing.reason_of(error, kind)
        if reason is Reason.FAILED:
            log.exception("an offline entry failed", entry=sent.id, kind=sent.kind)
            return _Verdict(reason=reason, found=found, detail="it has been logged")
        return _Verdict(reason=reason, found=found, detail=str(error))
    return _Verdict(found=found, notes=notes)


def do(
    house: House,
    entry: Entry,
    deed: Deed,
    *,
    entry_id: str,
    subject: str,
    kind: Kind,
    actor: Actor,
    now: Instant,
) -> None:
    """The action, in the transaction of ``entry``; raises what it raises."""
    act = Act(JoinedLedger(entry), house.site.id, subject, actor, now, entry_id)
    doing.do(act, house.site, kind, deed, house.rulebook.order_book)


def _row(
    house: House, view: View, sent: Sent, verdict: _Verdict, *, actor: Actor, now: Instant
) -> OfflineEntry:
    deed, found, reason = sent.deed, verdict.found, verdict.reason
    its_round = None if found is None else found.round
    waits_for = None if found is None or reason is not Reason.WAITS else found.facts.waits_for
    return OfflineEntry(
        id=sent.id,
        digest=sent.digest(actor.username),
        kind=sent.kind,
        subject=sent.subject,
        item=deed.item if isinstance(deed, Answer | Photo) else None,
        area=None if found is None else found.shown_area,
        by=actor.username,
        via=actor.via.value,
        device=sent.device,
        version=sent.version,
        entered_at=sent.times.entered_at,
        sent_at=sent.times.sent_at,
        received_at=sent.times.received_at,
        body={**sent.body, **_kept_as(deed)},
        sha256=deed.file.sha256 if isinstance(deed, Photo) else None,
        outcome=Outcome.APPLIED if reason is None else reason.outcome,
        reason=reason,
        detail=verdict.detail,
        notes=(*sent.times.notes(), *_of_regime(its_round, house.rulebook.regimes), *verdict.notes),
        theirs=None if found is None else found.theirs(reason, now.wall),
        waits_for=waits_for,
        change=view.last_change_id() if reason is None else None,
    )


def _kept_as(deed: Deed | None) -> Mapping[str, Any]:
    """Of a photograph, beside what was sent, by which alone it is known when it comes again: drawn
    anew by a newer program it would be another file."""
    return {"kept_size": deed.file.size} if isinstance(deed, Photo) else {}


def _of_regime(found: Round | None, regimes: Mapping[str, Regime]) -> tuple[Note, ...]:
    if found is None or not regime_changed(found, regimes):
        return ()
    return (Note.REGIME_CHANGED,)


def regime_changed(found: Round, regimes: Mapping[str, Regime]) -> bool:
    """Whether the regime's file is another one by now, or gone; the round keeps its version."""
    regime = regimes.get(found.regime)
    return regime is None or not found.is_of(regime)


def _tell(entry: Entry, row: OfflineEntry, verdict: _Verdict, actor: Actor, now: Instant) -> None:
    assert row.reason is not None
    if row.outcome is Outcome.CONFLICT:
        audit.record(
            entry,
            actor,
            "offline.conflict",
            row.subject,
            now.wall,
            of=row.id,
            kind=row.kind,
            item=row.item,
            reason=row.reason.value,
        )
    else:
        audit.record(
            entry,
            actor,
            "offline.refuse",
            row.subject,
            now.wall,
            of=row.id,
            kind=row.kind,
            reason=row.reason.value,
        )
    told(entry, row, verdict.found is not None, now)


def told(entry: Entry, row: OfflineEntry, is_there: bool, now: Instant) -> None:
    """Whoever looks at its round or order hears of it."""
    if is_there:
        kind = ChangeKind.ROUND if row.kind.startswith("round_") else ChangeKind.ORDER
        entry.changed(kind, row.subject, now.wall)
