"""What phones wrote down without signal: once each, nothing lost, nothing overwritten."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from duty_room import SITE, person
from inspections import CLEAN, LEAKS, TEMPERATURE, current, item, regime, rulebook
from order_desk import OrderDesk
from round_desk import HERE, TODAY, Desk
from staff import hire
from structlog.testing import capture_logs

from api.offline_bodies import NotFittingError, deed_of, photo_of
from gateway.model.moment import HOUR, MINUTE, Instant
from gateway.model.quality import Quality
from rules.actions.act import Act
from rules.inspections import actions
from rules.inspections.judge import NewEntry, Value
from rules.inspections.proving import Evidence, Proving
from rules.ledger import attachments, audit, offline, round_view
from rules.ledger.offline import OfflineEntry
from rules.ledger.pruning import RETENTIONS, prune
from rules.ledger.store import Ledger, open_ledger
from rules.offline import deciding, doing, taking, today
from rules.offline.facts import LaidOutSoonError
from rules.offline.protocol import Keep, Kind, Note, Outcome, Reason, Times
from rules.offline.taking import House, Sent, Taken
from rules.orders.lifecycle import OrderState
from rules.people import people
from rules.people.roles import PROGRAM, Actor, ForbiddenError, Role
from rules.refusals import ConflictError, NotFoundError

LI = person("li", Role.TECHNICIAN)
WANG = person("wang", Role.TECHNICIAN)
FOREMAN = person("zhou", Role.FOREMAN)
MANAGER = person("chen", Role.ENGINEERING_MANAGER)
SHOWN = item("shown", proving=Proving(evidence=(Evidence.PHOTO,)))


@dataclass
class Phone:
    """A phone that has fetched ``version`` of everything and then lost its signal."""

    house: House
    now: Callable[[], Instant]
    actor: Actor = LI
    device: str = "phone-1"
    behind: int = 0
    """µs by which its clock is wrong."""

    def version(self, subject: str) -> str:
        with self.house.ledger.read(SITE) as view:
            versions = offline.round_versions(view, [subject])
            return offline.order_versions(view, [subject])[subject].replace(
                offline.UNSEEN, versions[subject]
            )

    def sent(
        self, kind: str, subject: str, version: str, body: Any = None, entry: str | None = None
    ) -> Sent:
        now = self.now().wall
        phone = now - self.behind
        times = Times(entered_at=phone - HOUR, sent_at=phone, received_at=now)
        entry = entry or str(uuid4())
        said = {
            "id": entry,
            "kind": kind,
            "subject": subject,
            "version": version,
            "device": self.device,
            "times": times,
            "body": body or {},
        }
        if kind.endswith("photo"):
            return Sent(**said, deed=photo_of(said["body"], said["body"]["sha256"]))
        try:
            return Sent(**said, deed=deed_of(kind, entry, said["body"], times))
        except NotFittingError as error:
            return Sent(**said, deed=None, problem=str(error))

    def send(self, kind: str, subject: str, version: str, body: Any = None) -> Taken:
        return self.take(self.sent(kind, subject, version, body))

    def take(self, sent: Sent) -> Taken:
        return taking.take(self.house, sent, actor=self.actor, now=self.now())

    def answer(self, key: str, value: Value, version: str, **more: Any) -> Taken:
        return self.send("round_item", TODAY, version, {"item": key, "value": value, **more})


def decide(
    phone: Phone, row: OfflineEntry, keep: Keep, by: Actor = FOREMAN, key: str | None = None
) -> OfflineEntry:
    act = Act(phone.house.ledger, SITE, row.id, by, phone.now(), key)
    if row.sha256 is not None:
        deed: Any = photo_of(row.body, row.sha256)
    else:
        times = Times(entered_at=row.entered_at, sent_at=row.sent_at, received_at=row.received_at)
        deed = deed_of(row.kind, row.id, row.body, times)
    return deciding.resolve(act, phone.house, keep=keep, reason="looked again", deed=deed)


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    """Today's round is due since ten minutes: one line telemetry has answered, one is handed over,
    the others are a person's."""
    made = Desk(ledger, (regime("daily-pumps", TEMPERATURE, CLEAN, LEAKS, SHOWN),))
    made.regimes = (replace(made.regimes[0], countersign_role=Role.ENGINEERING_MANAGER),)
    for one in (LI, WANG, FOREMAN, MANAGER):
        hire(ledger, HERE, one.username, one.role, made.now)
    made.go("2026-11-21 08:00")
    made.tick({"pump-2.motor_temperature": current(None, made.now, Quality.BAD)})
    made.clock.advance(600)
    return made


@pytest.fixture
def phone(desk: Desk) -> Phone:
    house = House(ledger=desk.ledger, site=HERE, rulebook=rulebook(*desk.regimes))
    return Phone(house, lambda: desk.now)


def page(desk: Desk, key: str, value: Value, by: Actor = WANG) -> None:
    """Somebody answers at the page."""
    given = NewEntry(id=str(uuid4()), value=value)
    actions.enter(desk.ledger, HERE, TODAY, key, given, book=desk.book, actor=by, now=desk.now)


def waiting(phone: Phone, actor: Actor = FOREMAN) -> list[OfflineEntry]:
    with phone.house.ledger.read(SITE) as view:
        seen = replace(deciding.seen_by(actor), waiting=True)
        return offline.listed(view, seen, limit=100)


def answers(desk: Desk, key: str) -> list[tuple[str, Value]]:
    with desk.ledger.read(SITE) as view:
        return [(one.by, one.value) for one in round_view._entries(view, TODAY) if one.item == key]


def test_a_round_that_was_walked_without_signal_is_signed(desk: Desk, phone: Phone) -> None:
    with desk.ledger.read(SITE) as view:
        (fetched,) = today.rounds(view, HERE, phone.house.rulebook, LI, desk.now.wall)
        assert today.rounds(view, HERE, phone.house.rulebook, MANAGER, desk.now.wall) == []
    told = {line.kept.item.key: line for line in fetched.lines}
    assert told["temperature.pump-1"].kept.reading is not None
    assert list(told["shown"].lacks) == [Evidence.PHOTO]
    seen = fetched.version
    desk.clock.advance(2 * HOUR / 1e6)
    picture = {
        "item": "shown",
        "media_type": "image/jpeg",
        "size": 3,
        "sha256": "ab" * 32,
        "caption": None,
    }
    for key in ("temperature.pump-2", "clean", "leaks.pump-1", "leaks.pump-2", "shown"):
        value: Value = 60.0 if key.startswith("temperature") else True
        assert phone.answer(key, value, seen).outcome is Outcome.APPLIED
    early = phone.send("round_finish", TODAY, seen)
    assert (early.outcome, early.row.reason) == (Outcome.REFUSED, Reason.INCOMPLETE)
    assert phone.send("round_photo", TODAY, seen, picture).outcome is Outcome.APPLIED
    done = phone.send("round_finish", TODAY, seen, {"note": "all seen"})
    assert done.outcome is Outcome.APPLIED
    assert desk.states()[TODAY] == "done"
    kept = desk.items()["clean"].entry
    assert kept is not None
    # An hour before it arrived, by our clock.
    assert (kept.taken_at, kept.received_at) == (desk.now.wall - HOUR, desk.now.wall)


def test_the_same_batch_again_and_from_two_phones_at_once_is_done_once(
    place: str, desk: Desk, phone: Phone
) -> None:
    seen = phone.version(TODAY)
    batch = [
        phone.sent("round_item", TODAY, seen, {"item": key, "value": False})
        for key in ("clean", "leaks.pump-1", "leaks.pump-2")
    ]
    together = Barrier(2)

    def send(device: str) -> list[Taken]:
        ledger = open_ledger(place)
        mine = replace(phone, house=replace(phone.house, ledger=ledger), device=device)
        together.wait()
        try:
            return [mine.take(replace(one, device=device)) for one in batch]
        finally:
            ledger.close()

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(send, ("phone-1", "phone-2")))
    for one, other in zip(*both, strict=True):
        assert {one.outcome, other.outcome} == {Outcome.APPLIED, Outcome.KNOWN}
        assert replace(one.row) == replace(other.row)
    assert [phone.take(one).outcome for one in batch] == [Outcome.KNOWN] * 3
    assert answers(desk, "clean") == [("li", False)]
    # Two lines that are normal, each a finding with its order, once.
    assert len(desk.orders()) == 2


def test_the_same_id_with_other_content_changes_nothing_and_is_kept_beside(
    desk: Desk, phone: Phone
) -> None:
    seen = phone.version(TODAY)
    first = phone.sent("round_item", TODAY, seen, {"item": "clean", "value": True})
    assert phone.take(first).outcome is Outcome.APPLIED
    other = phone.sent("round_item", TODAY, seen, {"item": "clean", "value": False}, first.id)
    told = phone.take(other)
    assert (told.outcome, told.row.reason) == (Outcome.REFUSED, Reason.REUSED)
    assert told.row.id != first.id
    again = phone.take(other)
    assert (again.outcome, again.row) == (Outcome.KNOWN, told.row)
    # Another person's entry with that id is not told what the first one says.
    wangs = replace(phone, actor=WANG).take(first)
    assert (wangs.outcome, wangs.row.reason) == (Outcome.REFUSED, Reason.REUSED)
    assert answers(desk, "clean") == [("li", True)]
    assert [one.reason for one in waiting(phone)] == [Reason.REUSED, Reason.REUSED]


def test_two_answers_to_one_line_wait_for_a_person(desk: Desk, phone: Phone) -> None:
    seen = phone.version(TODAY)
    page(desk, "clean", False)
    page(desk, "leaks.pump-1", True)
    told = phone.answer("clean", True, seen, note="dry here")
    row = told.row
    assert (told.outcome, row.reason) == (Outcome.CONFLICT, Reason.TWO_ANSWERS)
    assert row.theirs is not None
    assert (row.theirs.by, row.theirs.value, row.theirs.passed) == ("wang", False, False)
    assert row.body["note"] == "dry here"
    # What depends on it waits; another line does not.
    assert phone.answer("clean", True, seen).row.reason is Reason.TWO_ANSWERS
    assert phone.answer("leaks.pump-2", True, seen).outcome is Outcome.APPLIED
    finish = phone.send("round_finish", TODAY, seen).row
    assert (finish.reason, finish.waits_for) == (Reason.WAITS, row.id)
    assert answers(desk, "clean") == [("wang", False)]

    with pytest.raises(ForbiddenError):
        decide(phone, row, Keep.MINE, LI)
    with pytest.raises(NotFoundError):
        decide(phone, row, Keep.THEIRS, WANG)
    with pytest.raises(ConflictError, match="is decided first"):
        decide(phone, finish, Keep.MINE)
    kept = decide(phone, row, Keep.MINE, key="k1")
    assert (kept.kept, kept.resolved_by) == (Keep.MINE, "zhou")
    assert decide(phone, row, Keep.MINE, key="k1") == kept
    with pytest.raises(ConflictError, match="decided already"):
        decide(phone, row, Keep.THEIRS, key="k2")
    # Both are there, and the phone's counts.
    assert answers(desk, "clean") == [("wang", False), ("li", True)]
    with desk.ledger.read(SITE) as view:
        (entered, resolved) = list(audit.rows(view))[-2:]
    assert (entered.by, entered.action) == ("li", "round.enter")
    assert entered.detail["at_session_of"] == "zhou"
    assert (resolved.by, resolved.action) == ("zhou", "offline.resolve")


def test_who_wrote_it_may_let_it_go_and_nothing_changes(desk: Desk, phone: Phone) -> None:
    seen = phone.version(TODAY)
    page(desk, "clean", True)
    row = phone.answer("clean", False, seen).row
    assert [one.id for one in waiting(phone, LI)] == [row.id]
    assert waiting(phone, WANG) == []
    decide(phone, row, Keep.THEIRS, LI)
    assert waiting(phone, LI) == []
    assert answers(desk, "clean") == [("wang", True)]
    # Sent again it is known, and says what was decided.
    sent = phone.sent("round_item", TODAY, seen, row.body, row.id)
    again = phone.take(replace(sent, times=replace(sent.times, entered_at=row.entered_at)))
    assert (again.outcome, again.row.kept) == (Outcome.KNOWN, Keep.THEIRS)


def test_a_later_answer_of_ones_own_is_no_conflict_and_an_unknown_version_has_seen_nothing(
    desk: Desk, phone: Phone
) -> None:
    seen = phone.version(TODAY)
    assert phone.answer("clean", False, seen).outcome is Outcome.APPLIED
    assert phone.answer("clean", True, seen).outcome is Outcome.APPLIED
    page(desk, "leaks.pump-1", True)
    now = phone.version(TODAY)
    assert phone.answer("leaks.pump-1", False, now).outcome is Outcome.APPLIED
    page(desk, "leaks.pump-2", True)
    # As from before a restore: the number is there, the time is another's.
    restored = f"{phone.version(TODAY).split('-', maxsplit=1)[0]}-17"
    assert phone.answer("leaks.pump-2", False, restored).row.reason is Reason.TWO_ANSWERS
    assert phone.answer("leaks.pump-2", False, "9" * 30 + "-1").row.reason is Reason.TWO_ANSWERS
    # Who signs has not seen wang's answers.
    assert phone.send("round_finish", TODAY, seen).row.reason is Reason.WAITS
    for row in waiting(phone):
        decide(phone, row, Keep.THEIRS)
    assert phone.send("round_finish", TODAY, seen).row.reason is Reason.UNSEEN_ANSWERS


def test_a_round_that_is_over_takes_nothing_and_keeps_what_was_read(
    desk: Desk, phone: Phone
) -> None:
    seen = phone.version(TODAY)
    telemetry = phone.answer("temperature.pump-1", 99.0, seen).row
    assert telemetry.reason is Reason.BY_TELEMETRY
    assert telemetry.theirs is not None
    assert telemetry.theirs.state == "passed"
    # It was entered in time, by a phone whose clock nobody trusts.
    desk.go("2026-11-22 08:30")
    desk.tick()
    late = phone.answer("clean", False, seen)
    assert (late.outcome, late.row.reason) == (Outcome.CONFLICT, Reason.NOT_OPEN)
    assert late.row.theirs is not None
    assert late.row.theirs.state == "missed"
    with pytest.raises(ConflictError, match="cannot be filled in"):
        decide(phone, late.row, Keep.MINE)
    assert [one.id for one in waiting(phone)] == [telemetry.id, late.row.id]
    assert answers(desk, "clean") == []
    picture = {
        "item": "clean",
        "media_type": "image/png",
        "size": 1,
        "sha256": "cd" * 32,
        "caption": None,
    }
    kept = phone.send("round_photo", TODAY, seen, picture)
    assert kept.row.reason is Reason.NOT_OPEN
    # A backup takes its file along.
    assert "cd" * 32 in attachments.hashes(desk.ledger)


def test_a_changed_regime_is_said_and_is_no_conflict(desk: Desk, phone: Phone) -> None:
    seen = phone.version(TODAY)
    changed = rulebook(replace(desk.regimes[0], version="another"))
    phone.house = replace(phone.house, rulebook=changed)
    told = phone.answer("clean", True, seen)
    assert (told.outcome, told.row.notes) == (Outcome.APPLIED, (Note.REGIME_CHANGED,))
    with desk.ledger.read(SITE) as view:
        (one,) = today.rounds(view, HERE, changed, LI, desk.now.wall)
    assert one.regime_changed
    assert one.round.version == desk.regimes[0].version
    gone = phone.answer("no-such-line", True, seen)
    assert gone.row.reason is Reason.LAID_OUT_ANEW


def test_a_wrong_clock_moves_no_limit_and_no_time(desk: Desk, phone: Phone) -> None:
    seen = phone.version(TODAY)
    phone.behind = 3 * 365 * 24 * HOUR
    told = phone.answer("clean", True, seen, scan={"code": "nowhere", "at": _phone(phone)})
    assert (told.outcome, told.row.notes) == (Outcome.REFUSED, (Note.CLOCK_OFF,))
    assert told.row.reason is Reason.NOT_VALID
    told = phone.answer("leaks.pump-1", True, seen, scan={"code": "pump-1", "at": _phone(phone)})
    assert told.outcome is Outcome.APPLIED
    entry = desk.items()["leaks.pump-1"].entry
    assert entry is not None
    assert (entry.taken_at, entry.scanned_at) == (desk.now.wall - HOUR, desk.now.wall - MINUTE)
    assert told.row.entered_at == desk.now.wall - phone.behind - HOUR


def _phone(phone: Phone) -> str:
    """A minute ago by the phone's clock."""
    seconds = (phone.now().wall - phone.behind - MINUTE) / 1e6
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def test_who_may_not_any_more_is_refused_and_loses_nothing(desk: Desk, phone: Phone) -> None:
    seen = phone.version(TODAY)
    elsewhere = Actor(username="li", role=Role.TECHNICIAN, areas=frozenset({"b2"}))
    for actor in (elsewhere, Actor(username="li", role=Role.PROJECT_MANAGER)):
        told = replace(phone, actor=actor).answer("clean", False, seen, note="water on the floor")
        assert (told.outcome, told.row.reason) == (Outcome.REFUSED, Reason.NOT_ALLOWED)
        assert told.row.theirs is None
    refused = waiting(phone)[0]
    assert refused.body["note"] == "water on the floor"
    # Decided in favour of it: as who wrote it, with the rights of now.
    assert decide(phone, refused, Keep.MINE).kept is Keep.MINE
    people.change(
        desk.ledger,
        HERE,
        "li",
        lambda known: replace(known, active=False),
        actor=PROGRAM,
        now=desk.now,
    )
    with pytest.raises(ConflictError, match="does not work here"):
        decide(phone, waiting(phone)[0], Keep.MINE)


def test_a_mistake_of_the_server_over_one_entry_is_kept_and_can_be_tried_again(
    desk: Desk, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = phone.version(TODAY)
    with monkeypatch.context() as broken, capture_logs() as logged:
        broken.setattr(doing, "do", lambda *_: 1 // 0)
        told = phone.answer("clean", True, seen)
    assert [one["exc_info"] for one in logged] == [True]
    assert (told.outcome, told.row.reason) == (Outcome.CONFLICT, Reason.FAILED)
    # What is entered next about the same line comes after it.
    assert phone.answer("clean", False, seen).row.reason is Reason.WAITS
    decide(phone, told.row, Keep.MINE)
    assert answers(desk, "clean") == [("li", True)]
    # Nobody has laid out the round of tomorrow yet: it is sent again in a moment.
    desk.go("2026-11-22 07:00")
    desk.tick()
    desk.go("2026-11-22 08:00")
    tomorrow = "daily-pumps.b1.2026-11-22"
    with pytest.raises(LaidOutSoonError):
        phone.send("round_item", tomorrow, "0", {"item": "clean", "value": True})
    assert all(one.subject == TODAY for one in waiting(phone))


@pytest.fixture
def orders(ledger: Ledger) -> OrderDesk:
    made = OrderDesk(ledger)
    for one in (LI, WANG, FOREMAN, MANAGER):
        hire(ledger, made.site, one.username, one.role, made.gateway.now)
    made.heat()
    return made


def test_an_order_done_in_the_basement_and_one_that_somebody_else_took(orders: OrderDesk) -> None:
    house = House(ledger=orders.ledger, site=orders.site, rulebook=rulebook())
    phone = Phone(house, lambda: orders.gateway.now)
    order = orders.order().id
    seen = phone.version(order)
    with orders.ledger.read(SITE) as view:
        (fetched,) = today.orders(view, LI)
    assert (fetched.version, fetched.acts) == (seen, [Kind.ORDER_ACCEPT])
    # The foreman gives it to who has taken it already, without knowing.
    orders.do("assign", FOREMAN, to="li", note=None)
    for kind in ("order_accept", "order_arrive", "order_start"):
        assert phone.send(kind, order, seen).outcome is Outcome.APPLIED, kind
    assert orders.order().state is OrderState.IN_PROGRESS
    # Meanwhile the foreman completes it and the manager sends it back: the old note is no answer.
    orders.do("complete", FOREMAN, note="done by the foreman")
    orders.do("verify", MANAGER, passed=False, note="still hot")
    late = phone.send("order_complete", order, seen, {"note": "bearing greased"}).row
    assert (late.reason, late.body["note"]) == (Reason.MOVED_ON, "bearing greased")
    assert late.theirs is not None
    assert (late.theirs.event, late.theirs.by) == ("reject", "chen")
    decide(phone, late, Keep.MINE)
    assert (orders.order().state, orders.order().note) == (
        OrderState.COMPLETED,
        "bearing greased",
    )

    wang = replace(phone, actor=WANG, device="phone-2")
    taken = wang.send("order_accept", order, seen).row
    assert taken.reason is Reason.TAKEN
    after = wang.send("order_start", order, seen).row
    assert after.reason is Reason.TAKEN
    with pytest.raises(ConflictError, match="cannot be done any more"):
        decide(phone, taken, Keep.MINE)
    assert orders.order().assigned_to == "li"


def test_what_waits_for_nobody_is_cleared_away_after_a_year(desk: Desk, phone: Phone) -> None:
    seen = phone.version(TODAY)
    assert phone.answer("clean", True, seen).outcome is Outcome.APPLIED
    page(desk, "leaks.pump-1", True)
    row = phone.answer("leaks.pump-1", False, seen).row
    phone.answer("leaks.pump-2", "", seen)
    (retention,) = [one for one in RETENTIONS if one.table.name == "offline_entry"]
    later = desk.now.wall + 400 * 24 * HOUR

    def cleared() -> int:
        with desk.ledger.write(SITE) as entry:
            return prune(entry, retention, later, least=1)

    assert cleared() == 1
    assert next(one.id for one in waiting(phone)) == row.id
    decide(phone, row, Keep.THEIRS)
    assert cleared() == 1
