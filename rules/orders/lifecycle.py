"""The life of a work order: 待派 open → 已派 assigned → 已接 accepted → 到场 on_site → 处理中
in_progress ⇄ 挂起 suspended → 完工 completed → 验收 verified → 回访 → 关闭 closed, with 作废 void.

Small things need not go through every state: who accepts an order may complete it at once. An
order that nobody asked for in person has nobody to visit: it is closed as soon as it is verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rules import lifecycle


class OrderState(StrEnum):
    NEW = "new"
    """Before it is written; no row has this state."""
    OPEN = "open"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    IN_PROGRESS = "in_progress"
    SUSPENDED = "suspended"
    """Waits for parts, for the owner, for somebody else: its clocks pause."""
    COMPLETED = "completed"
    VERIFIED = "verified"
    """The work is good; who asked for it has not been visited yet."""
    CLOSED = "closed"
    VOID = "void"
    """It should not have been made, or another order answers its trouble."""


class OrderEvent(StrEnum):
    CREATE = "create"
    JOIN = "join"
    """Another alarm of the same cause while the order is not over."""
    ESCALATE = "escalate"
    """What joined, or came back, is more urgent than the order was."""
    ASSIGN = "assign"
    """To somebody, or to somebody else."""
    DECLINE = "decline"
    """退回: who has it gives it back."""
    ACCEPT = "accept"
    ARRIVE = "arrive"
    START = "start"
    SUSPEND = "suspend"
    RESUME = "resume"
    """On with the work."""
    RESUME_ON_SITE = "resume_on_site"
    """The same where nobody had begun it: somebody was there."""
    RESUME_ACCEPTED = "resume_accepted"
    """The same where nobody was there yet."""
    BREACH = "breach"
    """One of the times allowed is over."""
    REMIND = "remind"
    """Somebody higher hears of it."""
    COMPLETE = "complete"
    REJECT = "reject"
    """返工: the work was looked at and is not good."""
    VERIFY = "verify"
    VISIT = "visit"
    """回访: who asked for it was asked."""
    RELAPSE = "relapse"
    """An alarm of the same cause after completion."""
    CLOSE = "close"
    VOID = "void"


_S, _E = OrderState, OrderEvent

RUNNING = (_S.OPEN, _S.ASSIGNED, _S.ACCEPTED, _S.ON_SITE, _S.IN_PROGRESS, _S.SUSPENDED)
"""Somebody still has to do something."""
NOT_CLOSED = (*RUNNING, _S.COMPLETED, _S.VERIFIED)
OVER = (_S.CLOSED, _S.VOID)
TAKEN = (_S.ACCEPTED, _S.ON_SITE, _S.IN_PROGRESS, _S.SUSPENDED)
"""Somebody has taken it."""

TRANSITIONS: Mapping[tuple[OrderState, OrderEvent], OrderState] = {
    (_S.NEW, _E.CREATE): _S.OPEN,
    # What may happen to every order that somebody still has to see to.
    **{
        (state, event): state
        for state in RUNNING
        for event in (_E.JOIN, _E.ESCALATE, _E.BREACH, _E.REMIND)
    },
    **{(state, _E.VOID): _S.VOID for state in RUNNING},
    # To somebody; whoever has it hands it over the same way.
    **{(state, _E.ASSIGN): _S.ASSIGNED for state in RUNNING},
    **{(state, _E.DECLINE): _S.OPEN for state in RUNNING if state is not _S.OPEN},
    (_S.OPEN, _E.ACCEPT): _S.ACCEPTED,
    (_S.ASSIGNED, _E.ACCEPT): _S.ACCEPTED,
    (_S.ACCEPTED, _E.ARRIVE): _S.ON_SITE,
    (_S.ACCEPTED, _E.START): _S.IN_PROGRESS,
    (_S.ACCEPTED, _E.SUSPEND): _S.SUSPENDED,
    (_S.ACCEPTED, _E.COMPLETE): _S.COMPLETED,
    (_S.ON_SITE, _E.START): _S.IN_PROGRESS,
    (_S.ON_SITE, _E.SUSPEND): _S.SUSPENDED,
    (_S.ON_SITE, _E.COMPLETE): _S.COMPLETED,
    (_S.IN_PROGRESS, _E.SUSPEND): _S.SUSPENDED,
    (_S.IN_PROGRESS, _E.COMPLETE): _S.COMPLETED,
    # To where it was: who was on the way has not arrived by waiting.
    (_S.SUSPENDED, _E.RESUME): _S.IN_PROGRESS,
    (_S.SUSPENDED, _E.RESUME_ON_SITE): _S.ON_SITE,
    (_S.SUSPENDED, _E.RESUME_ACCEPTED): _S.ACCEPTED,
    (_S.COMPLETED, _E.RELAPSE): _S.OPEN,
    (_S.COMPLETED, _E.REJECT): _S.IN_PROGRESS,
    (_S.COMPLETED, _E.VERIFY): _S.VERIFIED,
    (_S.VERIFIED, _E.RELAPSE): _S.OPEN,
    (_S.VERIFIED, _E.REJECT): _S.IN_PROGRESS,
    # Who asked for it was not visited in time.
    (_S.VERIFIED, _E.BREACH): _S.VERIFIED,
    (_S.VERIFIED, _E.VISIT): _S.CLOSED,
    (_S.VERIFIED, _E.CLOSE): _S.CLOSED,
}

RESUMING: Mapping[OrderState, OrderEvent] = {
    _S.ACCEPTED: _E.RESUME_ACCEPTED,
    _S.ON_SITE: _E.RESUME_ON_SITE,
    _S.IN_PROGRESS: _E.RESUME,
}
"""How an order goes on that was suspended in a state."""


def step(state: OrderState, event: OrderEvent, *, order: str) -> OrderState:
    """The state of ``order`` after ``event``; raises ``IllegalTransitionError``."""
    return lifecycle.step(TRANSITIONS, state, event, subject=order)
