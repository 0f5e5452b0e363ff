"""What somebody asks for: an owner's request (报修) at the desk or by the code at a place, an order
that a person makes, and what was promised; see the package."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import RowMapping, func, select, update

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.actions.act import Act
from rules.actions.order_step import order_of, step
from rules.ledger import audit, order_clocks, orders
from rules.ledger.idempotency import is_new
from rules.ledger.orders import NewOrder
from rules.ledger.roster import calendar_of
from rules.ledger.rows import ChangeKind, OrderSource, Requester, WorkOrder
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.orders import work_order
from rules.notify.notice import Notice, NoticeKind
from rules.notify.posting import post
from rules.orders.book import OrderBook
from rules.orders.life_safety import is_life_safety
from rules.orders.lifecycle import NOT_CLOSED, RUNNING
from rules.people.roles import WHOLE_SITE, Actor, Permission, require
from rules.priority import Priority
from rules.refusals import ConflictError, NotValidError

OUTSIDE = "@outside"
"""Stands for whoever asks without being logged in; no user name looks like that."""
MOST_FROM_OUTSIDE = 50
"""Requests from outside that may wait in one area; what comes beyond is sent to the telephone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What somebody asks for, about a place."""

    name: str
    phone: str | None
    place: str
    area: str | None
    """None: the whole site's."""
    category: str
    description: str
    priority: Priority = Priority.MINOR
    cost: float | None = None
    promised_until: int | None = None
    """µs UTC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """An order that a person makes."""

    category: str
    priority: Priority
    title: str
    description: str | None
    equipment: str | None
    area: str | None


class TooManyError(ConflictError):
    """So many requests from outside wait that another one would only wait too."""


def ask(
    ledger: Ledger,
    site: Site,
    book: OrderBook,
    wish: Wish,
    *,
    actor: Actor,
    key: str,
    now: Instant,
) -> WorkOrder:
    """Take down at the desk what somebody asks for; the same ``key`` again is the same order.
    Raises ``NotValidError``."""
    require(actor, Permission.CREATE_ORDER)
    require(actor, Permission.CREATE_ORDER, wish.area or WHOLE_SITE)
    with ledger.write(site.id) as entry:
        by = actor.username
        order_id = _id(OrderSource.REQUEST, by, key)
        if is_new(entry, key, "request", order_id, by=by, now=now):
            _take_down(entry, site, book, order_id, wish, by=by, now=now)
            audit.record(entry, actor, "request.take", order_id, now.wall, place=wish.place)
        return order_of(entry, order_id)


def ask_in_public(
    ledger: Ledger, site: Site, book: OrderBook, wish: Wish, *, key: str, now: Instant
) -> WorkOrder:
    """What somebody without a log-in asks for; the same ``key`` again is the same order. Raises
    ``NotValidError`` or :class:`TooManyError`.

    They do not say how urgent it is: whoever is in danger calls.
    """
    by = f"{OUTSIDE} {wish.area}"
    order_id = _id(OrderSource.REQUEST, by, key)
    with ledger.write(site.id) as entry:
        if is_new(entry, key, "request", order_id, by=by, now=now):
            if _waiting_from_outside(entry, wish.area) >= MOST_FROM_OUTSIDE:
                raise TooManyError("very many requests wait here already: call the duty room")
            _take_down(entry, site, book, order_id, wish, by=OUTSIDE, now=now)
        return order_of(entry, order_id)


def make(
    ledger: Ledger,
    site: Site,
    book: OrderBook,
    task: Task,
    *,
    actor: Actor,
    key: str,
    now: Instant,
) -> WorkOrder:
    """An order by hand; ``key`` as for :func:`ask`. Raises ``NotValidError``."""
    require(actor, Permission.CREATE_ORDER)
    thing = None if task.equipment is None else site.equipment.get(task.equipment)
    if task.equipment is not None and thing is None:
        raise NotValidError("equipment", f"the site has no equipment {task.equipment}")
    area = task.area if thing is None else thing.area
    require(actor, Permission.CREATE_ORDER, area or WHOLE_SITE)
    about, name = _about(site, area) if thing is None else (thing.id, thing.name)
    by = actor.username
    order_id = _id(OrderSource.PERSON, by, key)
    new = NewOrder(
        id=order_id,
        source=OrderSource.PERSON,
        equipment=about,
        equipment_name=name,
        area=area or site.id,
        category=task.category,
        category_name=_category(book, task.category),
        title=Text(zh=task.title, en=task.title),
        cause_key=order_id,
        priority=task.priority,
        description=task.description,
        created_by=by,
    )
    with ledger.write(site.id) as entry:
        if is_new(entry, key, "order", order_id, by=by, now=now):
            orders.make(entry, new, book, at=now, now=now, calendar=calendar_of(entry, site))
            if task.priority is Priority.CRITICAL:
                _tell(entry, site, new, now)
            audit.record(entry, actor, "order.create", order_id, now.wall, title=task.title)
        return order_of(entry, order_id)


def promise(act: Act, until: int, *, reason: str | None) -> WorkOrder:
    """Promise the requester when it will be done (µs UTC); postponed once, with a reason, and
    never again (S0). Raises ``NotValidError``, ``ConflictError``."""

    def take(entry: Entry, row: RowMapping) -> None:
        if row["requester"] is None:
            raise ConflictError("nobody asked for this order, so nothing can be promised")
        if row["state"] not in NOT_CLOSED:
            raise ConflictError("this order is over")
        if until <= act.now.wall:
            raise NotValidError("until", "lies in the past")
        before = row["promised_until"]
        postponed = before is not None and until > before
        if postponed and row["promise_postponed"]:
            raise ConflictError("this was postponed once already, and is not postponed again")
        if postponed and not reason:
            raise NotValidError("reason", "say why it is postponed")
        entry.connection.execute(
            update(work_order)
            .where(work_order.c.site_id == act.site, work_order.c.id == act.subject)
            .values(
                promised_until=until,
                promised_by=act.by,
                promise_postponed=bool(row["promise_postponed"]) or postponed,
                promise_reason=reason,
            )
        )
        order_clocks.promised(entry, act.subject, until, act.now)
        entry.changed(ChangeKind.ORDER, act.subject, act.now.wall)
        act.record(entry, "order.promise", until=until, why=reason)

    return step(act, "promise", Permission.ASSIGN_ORDER, take)


def _take_down(
    entry: Entry,
    site: Site,
    book: OrderBook,
    order_id: str,
    wish: Wish,
    *,
    by: str,
    now: Instant,
) -> None:
    about, name = _about(site, wish.area)
    category = _category(book, wish.category)
    if wish.promised_until is not None and wish.promised_until <= now.wall:
        raise NotValidError("promised_until", "lies in the past")
    title = Text(zh=f"报修：{wish.place} {category.zh}", en=f"Request: {wish.place}, {category.en}")
    new = NewOrder(
        id=order_id,
        source=OrderSource.REQUEST,
        equipment=about,
        equipment_name=name,
        area=wish.area or site.id,
        category=wish.category,
        category_name=category,
        title=title,
        cause_key=order_id,
        priority=wish.priority,
        description=wish.description,
        created_by=by,
        requester=Requester(name=wish.name, phone=wish.phone, place=wish.place),
        cost=wish.cost,
        promised_until=wish.promised_until,
        promised_by=None if wish.promised_until is None else by,
    )
    orders.make(entry, new, book, at=now, now=now, calendar=calendar_of(entry, site))
    _tell(entry, site, new, now)


def _tell(entry: Entry, site: Site, new: NewOrder, now: Instant) -> None:
    notice = Notice(
        id=f"{NoticeKind.REQUEST_RECEIVED}.{new.id}",
        kind=NoticeKind.REQUEST_RECEIVED,
        at=now.wall,
        subject=new.id,
        title=new.title,
        priority=new.priority,
        area=new.area,
        life_safety=is_life_safety(new.category, new.priority),
    )
    post(entry, site, notice, now)


def _waiting_from_outside(entry: Entry, area: str | None) -> int:
    query = select(func.count()).where(
        work_order.c.site_id == entry.site,
        work_order.c.area == area,
        work_order.c.created_by == OUTSIDE,
        work_order.c.state.in_(RUNNING),
    )
    return entry.connection.execute(query).scalar_one()


def _about(site: Site, area: str | None) -> tuple[str, Text]:
    """Id and name of what an order is about that is about no equipment."""
    if area is None:
        return site.id, site.name
    if area not in site.areas:
        raise NotValidError("area", f"the site has no area {area}")
    return area, site.areas[area].name


def _category(book: OrderBook, category: str) -> Text:
    name = book.categories.get(category)
    if name is None:
        raise NotValidError("category", f"there is no category {category}")
    return name


def _id(source: OrderSource, by: str, key: str) -> str:
    """The same for a request that comes twice."""
    return f"{source.value}.{hashlib.sha256(f'{by} {key}'.encode()).hexdigest()[:16]}.order"
