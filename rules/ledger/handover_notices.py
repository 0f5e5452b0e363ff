"""Telling who answers for it of a handover that does not come about, each time once: the row that
says so and the message are written in one transaction."""

from __future__ import annotations

from sqlalchemy import select

from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.handover import telling
from rules.handover.telling import Told
from rules.ledger.handover_facts import Scene
from rules.ledger.roster import roster_of
from rules.ledger.rows import ChangeKind, words
from rules.ledger.store import Entry
from rules.ledger.tables.handover import handover_notice
from rules.ledger.tables.people import membership
from rules.notify.posting import post
from rules.people.roles import Role


def due(scene: Scene) -> list[Told]:
    """What is to be told now."""
    return telling.due(
        scene.handover.state,
        ends_at=scene.log.ends_at,
        escalate=scene.book.escalate,
        told=[one.kind for one in scene.handover.notices],
        now=scene.now,
    )


def tell(entry: Entry, scene: Scene, what: Told, now: Instant) -> bool:
    """False where somebody was told of this already."""
    of, log = scene.handover, scene.log
    to = _leader(scene) if what is not Told.ESCALATED else ()
    to = to or _with_role(
        entry, Role.ENGINEERING_MANAGER if what is Told.ESCALATED else Role.FOREMAN
    )
    shifts = Text(
        zh=f"{log.name.zh} {log.team_name.zh} → {of.next_name.zh} {of.next_team_name.zh}",
        en=f"{log.name.en}, {log.team_name.en} → {of.next_name.en}, {of.next_team_name.en}",
    )
    notice = telling.notice(what, of.id, of=shifts, blocks=scene.blocks, to=to, at=now.wall)
    is_new = entry.insert_once(
        handover_notice,
        handover_id=of.id,
        kind=what.value,
        people=list(to),
        text=words(notice.title),
        at=now.wall,
    )
    if is_new:
        post(entry, scene.site, notice, now)
        entry.changed(ChangeKind.SHIFT, of.id, now.wall)
    return is_new


def _leader(scene: Scene) -> tuple[str, ...]:
    """Who leads the outgoing crew's team, if they are still there."""
    roster = roster_of(scene.view, scene.site, scene.log.date, scene.log.date)
    team = roster.teams.get(scene.log.team)
    leader = None if team is None or team.leader is None else roster.people.get(team.leader)
    return (leader.username,) if leader is not None and leader.active else ()


def _with_role(entry: Entry, role: Role) -> tuple[str, ...]:
    """Of the whole site; nobody: everybody who hears of notices is told."""
    query = (
        select(membership.c.username)
        .where(membership.c.site_id == entry.site, membership.c.active)
        .where(membership.c.role == role.value)
        .order_by(membership.c.username)
    )
    return tuple(entry.connection.execute(query).scalars())
