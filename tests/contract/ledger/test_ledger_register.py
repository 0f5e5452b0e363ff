"""The equipment register on a ledger: records, imports, dates that somebody is told of once, and
records that are kept as long as the site says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from duty_room import NOON, SITE, equipment, person, site
from order_desk import HOOK, OrderDesk
from sqlalchemy import func, select
from staff import hire

from gateway.clock import ManualClock
from gateway.model.moment import DAY, MINUTE, SECOND
from gateway.model.point import PointKind, Text
from rules.actions import order_ends
from rules.actions.act import Act
from rules.ledger import audit, equipment_register_view
from rules.ledger.rows import ChangeKind
from rules.ledger.tables.alarms import alarm
from rules.ledger.tables.attachments import attachment
from rules.ledger.tables.orders import work_order
from rules.ledger.tables.outbox import outbox
from rules.ledger.tables.rounds import round_, round_finding, round_item
from rules.ledger.tables.work import change
from rules.ledger.view import View
from rules.people.roles import Actor, ForbiddenError, Role
from rules.pruning import Records
from rules.refusals import ConflictError, NotValidError
from rules.register import actions
from rules.register.actions import NotRightError
from rules.register.book import RegisterBook
from rules.register.record import Attributes, DueDate, Record, SparePart
from rules.register.service import Dates
from rules.register.sheets import EQUIPMENT_SHEET

BOOK = RegisterBook(date_kinds={"lift_inspection": Text(zh="电梯检验", en="Lift inspection")})
HERE = site(webhooks=(HOOK,))
NOW = ManualClock(NOON)
MANAGER = person("chen")
BOX = Record(
    equipment="box-1",
    attributes=Attributes(name_zh="灭火器箱", area="b1", equipment_class="extinguisher"),
    dates=(DueDate(kind="lift_inspection", next_due=date(2026, 12, 1), who="特检院"),),
    parts=(SparePart(name="灭火器", quantity=2.0, minimum=4.0),),
)


def put(ledger, record: Record, *, by: Actor = MANAGER, key=None, clock=NOW) -> Record:
    act = Act(ledger, SITE, record.equipment, by, clock.now(), key)
    return actions.put(act, HERE, BOOK, record)


def there(ledger) -> dict[str, Record]:
    with ledger.read(SITE) as view:
        return dict(equipment_register_view.records(view))


def test_a_record_is_kept_whole_with_who_changed_what(ledger):
    kept = put(ledger, BOX)
    assert kept == replace(BOX, version=1) == there(ledger)["box-1"]
    moved = replace(
        kept, attributes=replace(kept.attributes, serial="X-1"), dates=(), parts=kept.parts * 2
    )
    assert put(ledger, moved).version == 2
    assert there(ledger)["box-1"] == replace(moved, version=2)
    with ledger.read(SITE) as view:
        newest, first = equipment_register_view.changes(view, "box-1", limit=9)
        changed = {one.field: (one.before, one.after) for one in newest.fields}
        assert changed["serial"] == (None, "X-1")
        assert changed["dates.lift_inspection"][1] is None
        assert (newest.by, newest.version, first.version) == ("chen", 2, 1)
        assert [row.action for row in audit.newest(view, limit=9)] == ["register.put"] * 2
        kinds = view.connection.execute(select(change.c.kind)).scalars().all()
    assert kinds == [ChangeKind.REGISTER] * 2


def test_nobody_overwrites_what_somebody_else_has_just_written(ledger):
    kept = put(ledger, BOX, key="k1")
    assert put(ledger, BOX, key="k1") == kept, "the same request again"
    with pytest.raises(ConflictError, match="it is version 1"):
        put(ledger, replace(BOX, parts=()))
    assert put(ledger, kept) == kept, "nothing said otherwise is no new version"
    with pytest.raises(NotValidError, match="by the site file"):
        put(ledger, Record(equipment="pump-1", attributes=Attributes(area="roof")))
    said = Attributes(area="b1", name_zh="设备 pump-1", serial="7")
    assert put(ledger, Record(equipment="pump-1", attributes=said)).attributes == Attributes(
        serial="7"
    ), "what the site file says is not said twice"


def test_the_register_is_changed_by_who_may_in_its_area(ledger):
    for actor in (
        person("li", Role.TECHNICIAN),
        Actor(username="fang", role=Role.FOREMAN, areas=frozenset({"roof"})),
    ):
        with pytest.raises(ForbiddenError):
            put(ledger, BOX, by=actor)
        sheets = {EQUIPMENT_SHEET: [["设备编号", "型号"], ["pump-1", "CR"]]}
        with pytest.raises(ForbiddenError):
            actions.take_in(Act(ledger, SITE, "hash", actor, NOW.now()), HERE, BOOK, sheets)
    assert there(ledger) == {}


def test_an_import_is_whole_or_nothing_and_once(ledger):
    kept = put(ledger, BOX)
    rows = [["设备编号", "型号", "版本"], ["pump-1", "CR 32", None], ["box-1", "MFZ", 0]]
    act = Act(ledger, SITE, "hash", MANAGER, NOW.now(), "k1")
    with pytest.raises(NotRightError) as refused:
        actions.take_in(act, HERE, BOOK, {EQUIPMENT_SHEET: rows})
    assert [one.where for one in refused.value.errors] == ["台账!C3"]
    assert there(ledger) == {"box-1": kept}
    rows[2][2] = 1
    with ledger.read(SITE) as view:
        would = actions.would_change(view, HERE, BOOK, {EQUIPMENT_SHEET: rows})
    assert {after.equipment for _, after in would.changed} == {"pump-1", "box-1"}
    assert there(ledger) == {"box-1": kept}, "a try changes nothing"
    assert len(actions.take_in(act, HERE, BOOK, {EQUIPMENT_SHEET: rows}).changed) == 2
    found = there(ledger)
    assert (found["pump-1"].attributes.model, found["box-1"].attributes.model) == ("CR 32", "MFZ")
    assert (found["box-1"].dates, found["box-1"].version) == (kept.dates, 2)
    assert actions.take_in(act, HERE, BOOK, {EQUIPMENT_SHEET: rows}).changed == ()
    with ledger.read(SITE) as view:
        assert [row.action for row in audit.newest(view, limit=9)] == [
            "register.import",
            "register.put",
        ]


def test_the_manager_hears_of_a_date_once_when_it_comes_near_and_once_when_it_has_passed(ledger):
    clock = ManualClock(NOON)
    hire(ledger, HERE, "chen", Role.ENGINEERING_MANAGER, clock.now())
    dates = Dates(site=HERE, book=BOOK, ledger=ledger)
    over = Attributes(serial="1", warranty_until=date(2020, 1, 1))
    put(ledger, Record(equipment="pump-1", attributes=over))
    kept = put(ledger, replace(BOX, dates=(replace(BOX.dates[0], next_due=date(2026, 12, 22)),)))

    def told() -> list[tuple[str, list[str]]]:
        with ledger.reading() as connection:
            rows = connection.execute(select(outbox).order_by(outbox.c.created_at)).mappings()
            return [(row["notice"], row["people"]) for row in rows]

    assert dates.tick(clock.now()) == 0, "31 days before; a warranty long over is no news"
    clock.advance(DAY / SECOND)
    near = ("register_date.box-1.lift_inspection.2026-12-22.near", ["chen"])
    assert (dates.tick(clock.now()), told()) == (1, [near])
    assert Dates(site=HERE, book=BOOK, ledger=ledger).tick(clock.now()) == 0, "another process"
    clock.advance(30 * DAY / SECOND)
    assert dates.tick(clock.now()) == 0, "its own day"
    clock.advance(DAY / SECOND)
    passed = ("register_date.box-1.lift_inspection.2026-12-22.passed", ["chen"])
    assert (dates.tick(clock.now()), told()) == (1, [near, passed])
    put(ledger, replace(kept, dates=(replace(kept.dates[0], next_due=date(2027, 12, 1)),)))
    assert (dates.tick(clock.now()), len(told())) == (0, 2)


def test_a_wall_clock_that_steps_ahead_tells_of_nothing_until_it_has_settled(ledger):
    clock = ManualClock(NOON)
    put(ledger, replace(BOX, dates=(replace(BOX.dates[0], next_due=date(2027, 6, 1)),)))
    dates = Dates(site=HERE, book=BOOK, ledger=ledger)
    assert dates.tick(clock.now()) == 0
    clock.step_wall(300 * DAY / SECOND)
    assert dates.tick(clock.now()) == 0
    clock.step_wall(-300 * DAY / SECOND)
    clock.advance(10 * MINUTE / SECOND)
    assert dates.tick(clock.now()) == 0
    clock.step_wall(300 * DAY / SECOND)
    assert dates.tick(clock.now()) == 0
    clock.advance(10 * MINUTE / SECOND)
    assert dates.tick(clock.now()) == 1


def test_alarms_and_orders_of_a_class_go_when_its_years_are_over(ledger):
    here = site(
        equipment("pump-1", "lift", motor_temperature=PointKind.NUMBER, fault=PointKind.FLAG),
        webhooks=(HOOK,),
    )
    desk = OrderDesk(ledger)
    order = desk.heat()
    desk.cool()
    act = Act(ledger, SITE, order.id, MANAGER, desk.gateway.now, None)
    order_ends.void(act, reason="误报")
    book = replace(BOOK, keep_years={"lift": 4})
    wall = desk.gateway.now.wall

    def counts() -> list[int]:
        with ledger.reading() as connection:
            return [
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (work_order, alarm)
            ]

    records = Records(here, book, ledger)
    assert (records.step(wall + 3 * 366 * DAY), counts()) == (0, [1, 1])
    assert Records(here, BOOK, ledger).step(wall + 90 * 366 * DAY) == 0, "without a word for ever"
    assert Records(HERE, book, ledger).step(wall + 90 * 366 * DAY) == 0, "a pump is no lift"
    assert records.step(wall + 5 * 366 * DAY) == 0, "nobody has seen its alarm yet"
    with ledger.writing() as connection:
        connection.execute(alarm.update().values(state="closed"))
    assert (records.step(wall + 5 * 366 * DAY), counts()) == (1, [0, 0])
    with ledger.read(SITE) as view:
        assert audit.newest(view, limit=1)[0].action == "records.prune"


def test_a_round_goes_before_the_order_that_it_opened(ledger):
    words = {"zh": "a", "en": "a"}
    desk = OrderDesk(ledger)
    order = desk.heat()
    desk.cool()
    wall = desk.gateway.now.wall
    times = {"opens_at": 1, "due_at": 2, "late_until": 3, "planned_at": 0, "patience": 0}
    with ledger.write(SITE) as entry:
        entry.add(
            round_,
            id="r",
            regime="d",
            name=words,
            level="daily",
            period="2026-11-21",
            role="technician",
            **times,
        )
        entry.add(
            round_item,
            round_id="r",
            key="k",
            position=0,
            name=words,
            points=[],
            answer="tick",
            unit="",
            choices=[],
            severity="minor",
            subject="pump-1",
            subject_name=words,
            equipment="pump-1",
            cause_key="c",
            source="s",
            state="failed",
        )
        entry.add(
            round_finding,
            id="r.k",
            round_id="r",
            item="k",
            severity="minor",
            text=words,
            order_id=order.id,
            at=wall,
        )
        for line in ("r.k", "s.k"):
            photo = {"kind": "photo", "media_type": "image/png", "size": 1, "sha256": "0"}
            of = {"subject_kind": "round_item", "subject": line, "by": "li", "at": wall}
            entry.add(attachment, id=line, **of, **photo)
        entry.connection.execute(work_order.update().values(state="void", voided_at=wall))
        entry.connection.execute(alarm.update().values(state="closed"))
        view = View(connection=entry.connection, site=SITE)
        (found,) = equipment_register_view.findings(view, "pump-1", limit=5)
        assert (found.id, found.round, found.order) == ("r.k", "r", order.id)
    records = Records(HERE, replace(BOOK, keep_years={"pump": 1}), ledger)
    assert records.step(wall + 400 * DAY) == 2, "the round, then in the same step its order"
    with ledger.reading() as connection:
        for table in (round_, round_item, round_finding, work_order, alarm):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
        left = connection.execute(select(attachment.c.subject)).scalars().all()
    assert left == ["s.k"], "its photographs go with it, those of another round stay"
