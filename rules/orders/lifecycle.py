"""The life of a work order.

The whole life is 待派 open → 已派 assigned → 已接 accepted → 到场 on_site → 处理中 in_progress ⇄
挂起 suspended → 完工 completed → 验收 verified → 回访 → 关闭 closed, with 作废 void. The table
holds the states that something can reach today.

A completed order waits: if its cause comes back it is open again, else it is closed after the
rulebook's ``close_after`` without an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rules import lifecycle


class OrderState(StrEnum):
    NEW = "new"
    """Before it is written; no row has this state."""
    OPEN = "open"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CLOSED = "closed"


class OrderEvent(StrEnum):
    CREATE = "create"
    JOIN = "join"
    """Another alarm of the same cause while the order is not closed."""
    ESCALATE = "escalate"
    """What joined, or came back, is more urgent than the order was."""
    ACCEPT = "accept"
    BREACH = "breach"
    """The time allowed is over."""
    COMPLETE = "complete"
    RELAPSE = "relapse"
    """An alarm of the same cause after completion."""
    CLOSE = "close"


TRANSITIONS: Mapping[tuple[OrderState, OrderEvent], OrderState] = {
    (OrderState.NEW, OrderEvent.CREATE): OrderState.OPEN,
    (OrderState.OPEN, OrderEvent.JOIN): OrderState.OPEN,
    (OrderState.OPEN, OrderEvent.ESCALATE): OrderState.OPEN,
    (OrderState.OPEN, OrderEvent.BREACH): OrderState.OPEN,
    (OrderState.OPEN, OrderEvent.ACCEPT): OrderState.ACCEPTED,
    (OrderState.ACCEPTED, OrderEvent.JOIN): OrderState.ACCEPTED,
    (OrderState.ACCEPTED, OrderEvent.ESCALATE): OrderState.ACCEPTED,
    (OrderState.ACCEPTED, OrderEvent.BREACH): OrderState.ACCEPTED,
    (OrderState.ACCEPTED, OrderEvent.COMPLETE): OrderState.COMPLETED,
    (OrderState.COMPLETED, OrderEvent.RELAPSE): OrderState.OPEN,
    (OrderState.COMPLETED, OrderEvent.CLOSE): OrderState.CLOSED,
}

RUNNING = (OrderState.OPEN, OrderState.ACCEPTED)
"""Somebody still has to do something: the clock runs."""
NOT_CLOSED = (*RUNNING, OrderState.COMPLETED)


def step(state: OrderState, event: OrderEvent, *, order: str) -> OrderState:
    """The state of ``order`` after ``event``; raises ``IllegalTransitionError``."""
    return lifecycle.step(TRANSITIONS, state, event, subject=order)
