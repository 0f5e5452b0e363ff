"""A duty room that is handed over: zhou and li have the day, wu and sun the night; two pumps and a
fire panel, and the shipped questions and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import uuid4

from alarm_room import FIRE, HOLDS, HOOK, LEAK, SITE, STOPPED, Room, person
from duty_room import equipment, site
from staff import hire

from gateway.latest import Current, Latest
from gateway.model.equipment import Site
from gateway.model.moment import HOUR, MINUTE, SECOND
from gateway.model.point import PointKind, Text
from rules.actions.act import Act
from rules.book_folders import SHIPPED
from rules.handover import actions, keeping
from rules.handover.actions import NewAnswer
from rules.handover.blocks import Block
from rules.handover.book import Side
from rules.handover.facts import AnswerKind
from rules.handover.files import read_handover
from rules.handover.sheet import SectionKey
from rules.ledger import handover_sheet, handover_view, shift_log_lines, shift_log_view
from rules.ledger.handover_facts import names_of
from rules.ledger.handover_view import Handover
from rules.ledger.shift_log_view import NewEntry, ShiftLog
from rules.ledger.shift_log_view import WrittenEntry as Written
from rules.people.roles import Actor, Role
from rules.rule import Priority, Rule, Rulebook
from rules.shifts import actions as roster
from rules.shifts.duty import Team
from rules.shifts.local_time import instant_at
from rules.shifts.rotation import Shift

TODAY = date(2026, 11, 21)
DAY, NIGHT = "2026-11-21.day", "2026-11-21.night"
CREWS = {"a": ("zhou", "li"), "b": ("wu", "sun")}
CHEN = person("chen", Role.ENGINEERING_MANAGER)
WEAK = replace(
    STOPPED,
    id="drip",
    name=Text(zh="规则 drip", en="Rule drip"),
    point="drip",
    cause_key="drip",
    priority=Priority.MINOR,
)
BOOK = read_handover([SHIPPED], None).book
NAME = Text(zh="班", en="Shift")


def installed() -> Site:
    flag = PointKind.FLAG
    pump = {"running": flag, "stopped": flag, "leak": flag, "drip": flag}
    return site(
        equipment("pump-1", "pump", **pump),
        equipment("pump-2", "pump", **pump),
        equipment("fire-1", "fire_panel", fire=flag),
        webhooks=(HOOK,),
    )


@dataclass
class HandoverRoom(Room):
    rules: tuple[Rule, ...] = (STOPPED, LEAK, WEAK, FIRE)
    site: Site = field(default_factory=installed)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.latest = Latest(self.site)
        self.book = Rulebook(
            rules={one.id: one for one in self.rules},
            fingerprint="x",
            acknowledgement=HOLDS,
            handover=BOOK,
        )
        now = self.gateway.now
        for names in CREWS.values():
            for name in names:
                hire(self.ledger, self.site, name, Role.TECHNICIAN, now)
        hire(self.ledger, self.site, "qian", Role.FOREMAN, now)
        boss = person("chen")
        for team, members in CREWS.items():
            crew = Team(id=team, name=NAME, members=members)
            roster.put_team(self.ledger, self.site, crew, actor=boss, now=now)
        shifts = (
            Shift(id="day", name=Text(zh="白班", en="Day"), starts=480, ends=1200, minimum=2),
            Shift(id="night", name=Text(zh="夜班", en="Night"), starts=1200, ends=480, minimum=2),
        )
        pattern = ({"day": "a", "night": "b"},)
        roster.put_shifts(
            self.ledger,
            self.site,
            shifts=shifts,
            anchor=TODAY,
            pattern=pattern,
            actor=boss,
            now=now,
        )

    def go_to(self, clock: str) -> None:
        """To that time of the first day (past 24: of the next), and see what is due."""
        hours, minutes = map(int, clock.split(":"))
        at = instant_at(TODAY, 0, self.site.zone) + hours * HOUR + minutes * MINUTE
        self.gateway.clock.advance((at - self.gateway.now.wall) / SECOND)
        self.worker.commit(self.gateway.now)
        self.keep()

    def keep(self) -> None:
        self.runs()
        keeping.keep(self.ledger, self.site, self.book, self.currents(), self.gateway.now)

    def runs(self, **running: float) -> None:
        """The pumps say whether they run."""
        said = {"pump-1": 1.0, "pump-2": 0.0, **running}
        record = self.gateway.say({f"{name}.running": value for name, value in said.items()})
        self.latest.take(record, self.gateway.now)

    def currents(self) -> Mapping[str, Current]:
        return self.latest.snapshot(self.gateway.now)

    def room(self) -> actions.Room:
        return actions.Room(self.site, self.book, self.currents())

    def act(self, by: str | Actor, of: str = DAY, key: str | None = None) -> Act:
        actor = person(by, Role.TECHNICIAN) if isinstance(by, str) else by
        return Act(self.ledger, SITE, of, actor, self.gateway.now, key)

    @property
    def handover(self) -> Handover:
        with self.ledger.read(SITE) as view:
            found = handover_view.handover_with(view, DAY)
            assert found is not None
            return found

    def history(self, of: str = DAY) -> list[str]:
        with self.ledger.read(SITE) as view:
            return [one.event for one in handover_view.events(view, of)]

    def logs(self) -> list[ShiftLog]:
        """Oldest first."""
        with self.ledger.read(SITE) as view:
            return list(reversed(shift_log_view.logs(view)))

    def entries(self, of: str = DAY) -> list[Written]:
        with self.ledger.read(SITE) as view:
            return shift_log_view.entries(view, of)

    def lines(self, of: str = DAY) -> list[str]:
        """The log of a shift, in Chinese."""
        called = names_of(self.site, self.book)
        with self.ledger.read(SITE) as view:
            log = shift_log_view.log_with(view, of)
            assert log is not None
            now = self.gateway.now.wall
            return [line.text.zh for line in shift_log_lines.lines(view, log, now, called)]

    def write(self, by: str, text: str, *, corrects: str | None = None, of: str = DAY) -> str:
        new = NewEntry(
            id=str(uuid4()), text=text, happened_at=self.gateway.now.wall, corrects=corrects
        )
        actions.write(self.act(by, of), self.site, new)
        return new.id

    def blocks(self) -> list[Block]:
        with self.ledger.read(SITE) as view:
            return actions.scene_of(view, self.room(), DAY, self.gateway.now).blocks

    def clauses(self) -> list[str]:
        """The last clause of each condition that holds and is not let pass."""
        return [one.condition.clauses[-1] for one in self.blocks() if not one.overridden]

    def section(self, key: SectionKey) -> list[str]:
        with self.ledger.read(SITE) as view:
            scene = actions.scene_of(view, self.room(), DAY, self.gateway.now)
            found = {one.key: one for one in handover_sheet.compose(scene)}
            return [line.text.zh for line in found[key].lines]

    def answer(
        self, by: str, kind: AnswerKind, subject: str, value: int = 1, note: str | None = None
    ) -> None:
        actions.answer(self.act(by), self.room(), [_new(kind, subject, value, note)])

    def meet(self) -> None:
        """Both of the night have signed in at 19:46, and everything is answered."""
        self.go_to("19:46")
        for name in CREWS["b"]:
            actions.arrive(self.act(name), self.room())
        self.answer_all()

    def answer_all(self) -> None:
        said: dict[str, list[NewAnswer]] = {"zhou": [], "wu": []}
        for question in BOOK.questions:
            by = "zhou" if question.asked is Side.OUTGOING else "wu"
            said[by].append(_new(AnswerKind.QUESTION, question.key))
        for key, item in BOOK.counted.items():
            said["wu"].append(_new(AnswerKind.COUNT, key, item.quantity))
        for by, answers in said.items():
            actions.answer(self.act(by), self.room(), answers)

    def override(self, by: str | Actor, *, reason: str, passed: list[str] | None = None) -> None:
        """``passed``: ids of blocks; all that forbid it now if none are said."""
        ids = [one.id for one in self.blocks()] if passed is None else passed
        actions.override(self.act(by), self.room(), reason=reason, passed=ids)

    def give(self, by: str = "zhou") -> None:
        actions.give(self.act(by), self.room())

    def take(self, by: str = "wu") -> None:
        actions.take_over(self.act(by), self.room())


def _new(kind: AnswerKind, subject: str, value: int = 1, note: str | None = None) -> NewAnswer:
    return NewAnswer(id=str(uuid4()), kind=kind, subject=subject, value=value, note=note)
