"""What people ask for: once, with a promise that is postponed once, and never a flood of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from duty_room import NOON, SITE, person, site
from order_desk import OrderDesk
from sqlalchemy import select

from gateway.clock import ManualClock
from gateway.model.moment import HOUR, SECOND
from gateway.model.point import Text
from rules.actions import places as place_actions
from rules.actions import requests
from rules.actions.act import Act
from rules.actions.requests import Task, Wish
from rules.ledger import places
from rules.ledger.loads import loads
from rules.ledger.rows import OrderSource, WorkOrder
from rules.ledger.store import Ledger
from rules.ledger.tables.outbox import outbox
from rules.orders.book import OrderBook
from rules.people.roles import Actor, ForbiddenError, Role
from rules.priority import Priority
from rules.refusals import ConflictError, NotFoundError, NotValidError

BOOK = OrderBook(categories={"water_supply": Text(zh="给排水", en="Water")})
NOW = ManualClock(NOON).now()
DESK = person("zhou", Role.OFFICER)
WISH = Wish(
    name="王女士",
    phone="13900000000",
    place="1 号楼 801",
    area="b1",
    category="water_supply",
    description="水龙头漏水",
)
CODE = "K7QF2M3XPAK7QF2M"


def ask(ledger: Ledger, wish: Wish = WISH, *, actor: Actor = DESK, key="call") -> WorkOrder:
    return requests.ask(ledger, site(), BOOK, wish, actor=actor, key=key, now=NOW)


def promise(ledger: Ledger, order: WorkOrder, hours: int, reason=None) -> WorkOrder:
    act = Act(ledger, site().id, order.id, DESK, NOW)
    return requests.promise(act, NOW.wall + hours * HOUR, reason=reason)


def test_a_call_becomes_an_order_that_says_who_asked(ledger: Ledger) -> None:
    order = ask(ledger)
    assert order.source is OrderSource.REQUEST
    assert order.requester is not None
    assert (order.requester.name, order.requester.place) == ("王女士", "1 号楼 801")
    assert (order.description, order.created_by) == ("水龙头漏水", "zhou")


def test_a_call_that_is_sent_twenty_times_at_once_is_one_order(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as hands:
        made = list(hands.map(lambda _: ask(ledger, key="one").id, range(20)))
    assert len(set(made)) == 1
    with ledger.read(SITE) as view:
        assert [order.id for order in view.orders()] == made[:1]


def test_two_calls_from_one_place_are_two_orders(ledger: Ledger) -> None:
    assert ask(ledger, key="one").id != ask(ledger, key="two").id


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"area": "nowhere"}, "area"),
        ({"category": "gardening"}, "category"),
        ({"promised_until": NOON}, "promised_until"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(ledger: Ledger, wrong, field) -> None:
    asked = replace(WISH, **wrong)
    with pytest.raises(NotValidError) as refusal:
        ask(ledger, asked)
    assert refusal.value.field == field
    with ledger.read(SITE) as view:
        assert view.orders() == []


def test_a_promise_is_postponed_once_with_a_reason_and_never_again(ledger: Ledger) -> None:
    """S0: never postponed twice."""
    order = ask(ledger)
    assert promise(ledger, order, 4).promise is not None
    with pytest.raises(NotValidError):
        promise(ledger, order, 8)
    postponed = promise(ledger, order, 8, "等配件").promise
    assert postponed is not None
    assert postponed.postponed
    with pytest.raises(ConflictError):
        promise(ledger, order, 9, "还是没到")
    sooner = promise(ledger, order, 6).promise
    assert sooner is not None and sooner.until == NOW.wall + 6 * HOUR


def test_a_promise_that_is_not_kept_is_told_once(ledger: Ledger) -> None:
    desk = OrderDesk(ledger, book=OrderBook())
    desk.gateway.clock.step_wall((NOW.wall - desk.gateway.now.wall) / SECOND)
    order = ask(ledger)
    promise(ledger, order, 4)
    promise(ledger, order, 8, "等配件")
    desk.restart()
    desk.tick(4 * 3600)
    assert "breach" not in desk.steps(), "it was postponed"
    desk.restart()
    desk.tick(4 * 3600)
    desk.wait(3600)
    assert [event.why for event in desk.events() if event.event == "breach"] == ["promise"]
    assert [kind for kind, _ in desk.notices()].count("order_breached") == 1


def test_nothing_is_promised_to_nobody(ledger: Ledger) -> None:
    task = Task(
        category="water_supply",
        priority=Priority.MINOR,
        title="换灯管",
        description=None,
        equipment="pump-1",
        area=None,
    )
    made = requests.make(ledger, site(), BOOK, task, actor=DESK, key="a", now=NOW)
    assert (made.source, made.equipment, made.area) == (OrderSource.PERSON, "pump-1", "b1")
    with pytest.raises(ConflictError):
        promise(ledger, made, 4)


def test_who_may_not_makes_nothing(ledger: Ledger) -> None:
    with pytest.raises(ForbiddenError):
        ask(ledger, actor=person("lin", Role.PROJECT_MANAGER))
    elsewhere = Actor(username="li", role=Role.TECHNICIAN, areas=frozenset({"tower-1"}))
    with pytest.raises(ForbiddenError):
        ask(ledger, actor=elsewhere)


def test_a_code_stays_until_it_is_renewed(ledger: Ledger) -> None:
    def hang(code: str, *, renew: bool = False) -> str:
        return place_actions.hang(ledger, site(), "b1", code, renew=renew, actor=DESK, now=NOW)

    other = CODE[::-1]
    assert hang(CODE) == CODE
    assert hang(other) == CODE
    assert hang(other, renew=True) == other
    with ledger.read(SITE) as view:
        assert (places.area_of(view, other), places.area_of(view, CODE)) == ("b1", None)
    with pytest.raises(NotFoundError):
        place_actions.hang(ledger, site(), "no", CODE, renew=False, actor=DESK, now=NOW)


def test_requests_from_outside_are_not_taken_without_end(ledger: Ledger) -> None:
    """A code that somebody has put on the net would fill the board."""
    for number in range(requests.MOST_FROM_OUTSIDE):
        requests.ask_in_public(ledger, site(), BOOK, WISH, key=str(number), now=NOW)
    with pytest.raises(requests.TooManyError):
        requests.ask_in_public(ledger, site(), BOOK, WISH, key="more", now=NOW)
    assert ask(ledger).number == requests.MOST_FROM_OUTSIDE + 1


def test_nobody_has_anything_to_do_before_something_was_assigned(ledger: Ledger) -> None:
    ask(ledger)
    with ledger.read(SITE) as view:
        assert loads(view) == {}


@pytest.mark.parametrize(
    ("category", "priority", "told"),
    [("fire", Priority.CRITICAL, True), ("water_supply", Priority.CRITICAL, False)],
)
def test_a_fire_that_is_telephoned_in_is_told_like_one_that_a_detector_saw(
    ledger: Ledger, category: str, priority: Priority, told: bool
) -> None:
    book = OrderBook(categories={category: Text(zh="类别", en="Category")})
    heard = site(webhooks=("http://127.0.0.1:9/duty",))
    wish = replace(WISH, category=category, priority=priority)
    requests.ask(ledger, heard, book, wish, actor=DESK, key="call", now=NOW)
    task = Task(
        category=category,
        priority=priority,
        title="走廊起火",
        description=None,
        equipment=None,
        area="b1",
    )
    requests.make(ledger, heard, book, task, actor=DESK, key="task", now=NOW)
    with ledger.reading() as connection:
        bodies = connection.execute(select(outbox.c.body)).scalars().all()
    assert [body["life_safety"] for body in bodies] == [told, told]
