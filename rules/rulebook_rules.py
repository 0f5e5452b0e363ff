"""One rule of a file → the rules that are judged: one for each of its levels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from gateway.model.point import Text
from rules.rule import Gate, Guidance, OrderTerms, Rule
from rules.rulebook_document import LevelDocument, OrderDocument, RuleDocument
from rules.rulebook_measures import life_safety

CategoryName = Callable[[str], Text]


def rules_of(
    document: RuleDocument, *, equipment_class: str, file: str, category: CategoryName
) -> Iterator[Rule]:
    """The rule itself and its further levels, each outranked by the next."""
    rule = _first(document, equipment_class, file, category)
    names = [*document.level_ids()[1:], None]
    yield replace(rule, outranked_by=names[0])
    for number, level in enumerate(document.levels, 2):
        rule = _next(rule, document, level, number, category)
        yield replace(rule, outranked_by=names[number - 1])


def _first(document: RuleDocument, equipment_class: str, file: str, category: CategoryName) -> Rule:
    clear = document.clear
    return Rule(
        id=document.id,
        equipment_class=equipment_class,
        name=document.name.text(),
        point=document.point,
        condition=document.condition.condition(document.point),
        gates=tuple(gate.gate() for gate in document.gates),
        delay=document.delay,
        clear_after=document.clear_after,
        priority=document.priority,
        cause_key=document.cause_key,
        guidance=Guidance(zh=document.guidance.zh, en=document.guidance.en),
        order=_terms(document.order, category),
        source=document.source.text(),
        file=file,
        clear=None
        if clear is None
        else Gate(
            point=clear.point or document.point, comparison=clear.comparison, limit=clear.limit
        ),
        hours=None if document.hours is None else document.hours.hours(),
        latches=document.latch,
        explains=frozenset(document.explains),
        explained_by=frozenset(document.explained_by),
        life_safety=life_safety(document, equipment_class, document.priority),
    )


def _next(
    below: Rule, document: RuleDocument, level: LevelDocument, number: int, category: CategoryName
) -> Rule:
    name = Text(zh=f"{document.name.zh}（{number} 级）", en=f"{document.name.en} (level {number})")
    return replace(
        below,
        id=document.level_ids()[number - 1],
        name=name if level.name is None else level.name.text(),
        condition=replace(below.condition, limit=level.limit),
        delay=below.delay if level.delay is None else level.delay,
        priority=level.priority,
        order=below.order if level.order is None else _terms(level.order, category),
        life_safety=life_safety(document, below.equipment_class, level.priority),
    )


def _terms(order: OrderDocument | None, category: CategoryName) -> OrderTerms | None:
    if order is None:
        return None
    return OrderTerms(
        category=order.category,
        category_name=category(order.category),
        complete_within=order.complete_within,
        close_after=order.close_after,
        cycles=None if order.cycles is None else order.cycles.cycles(),
        raising=order.raising(),
    )
