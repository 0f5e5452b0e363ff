"""Who is told of a handover that does not come about, and when. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

from gateway.model.point import Text
from rules.handover.blocks import Block, Seen
from rules.handover.lifecycle import OPEN, HandoverState
from rules.notify.notice import Notice, NoticeKind
from rules.priority import Priority

_NAMED = 2
"""So many reasons are in a message; the others are on the page."""


class Told(StrEnum):
    """Each once a handover."""

    STOPPED = "stopped"
    """A fault stops it: to who leads the outgoing crew."""
    OVERDUE = "overdue"
    """The shift is over, and nobody has taken over: to the same."""
    ESCALATED = "escalated"
    """Still nobody: to the engineering manager."""


_KINDS = {
    Told.STOPPED: (NoticeKind.HANDOVER_STOPPED, Text(zh="交接班停止", en="Handover stopped")),
    Told.OVERDUE: (NoticeKind.HANDOVER_OVERDUE, Text(zh="交接班逾期", en="Handover overdue")),
    Told.ESCALATED: (
        NoticeKind.HANDOVER_ESCALATED,
        Text(zh="交接班仍未办理，请督办", en="Handover still not done, see to it"),
    ),
}


def due(
    state: HandoverState, *, ends_at: int, escalate: int, told: Collection[Told], now: int
) -> list[Told]:
    """What is to be told at ``now``; ``ends_at``: when the shift ends; ``escalate``: µs after that
    the manager hears of it."""
    if state not in OPEN:
        return []
    holds = {
        Told.STOPPED: state is HandoverState.STOPPED,
        Told.OVERDUE: now >= ends_at,
        Told.ESCALATED: now >= ends_at + escalate,
    }
    return [one for one in Told if holds[one] and one not in told]


def notice(
    what: Told, handover: str, *, of: Text, blocks: Sequence[Block], to: tuple[str, ...], at: int
) -> Notice:
    """``of``: the two shifts in words; ``blocks``: what forbids it at ``at`` (µs UTC)."""
    kind, title = _KINDS[what]
    why = _why([one for one in blocks if not one.overridden])
    return Notice(
        id=f"{kind}.{handover}",
        kind=kind,
        at=at,
        subject=handover,
        title=Text(zh=f"{title.zh}：{of.zh}{why.zh}", en=f"{title.en}: {of.en}{why.en}"),
        priority=Priority.MAJOR,
        to=to,
    )


def _why(blocks: Sequence[Block]) -> Text:
    if not blocks:
        return Text(zh="，可以签字，无人签字", en="; nothing forbids it, nobody has signed")
    # What the system sees says more than what nobody has answered yet.
    seen = sorted(blocks, key=lambda one: one.condition.seen is Seen.ANSWER)
    names = list({one.condition.key: one.condition.name for one in seen}.values())
    rest = len(names) - _NAMED
    zh, en = (
        "、".join(one.zh for one in names[:_NAMED]),
        ", ".join(one.en for one in names[:_NAMED]),
    )
    if rest > 0:
        zh, en = f"{zh} 等 {len(names)} 项", f"{en} and {rest} more"
    return Text(zh=f"，{zh}", en=f"; {en}")
