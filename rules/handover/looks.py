"""How a condition that forbids a handover is found in the facts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.model.point import Text
from rules.handover.book import HandoverBook
from rules.handover.facts import AnswerKind, Facts, Matter

Look = Callable[[HandoverBook, Facts], Sequence[Matter]]
"""All that it is found in; nothing: it does not hold."""


def question(key: str) -> Look:
    """Not answered, or answered that it is not in order."""

    def look(book: HandoverBook, facts: Facts) -> Sequence[Matter]:
        asked = book.question(key)
        if asked is None:
            return ()
        given = facts.answers.get((AnswerKind.QUESTION, key))
        if given is not None and given.value == 1:
            return ()
        zh, en, note = "未回答", "Not answered", ""
        if given is not None:
            zh, en, note = "不符合", "Not so", given.note or ""
        text = Text(
            zh=f"{zh}：{asked.text.zh}" + (f"：{note}" if note else ""),
            en=f"{en}: {asked.text.en}" + (f": {note}" if note else ""),
        )
        return (Matter(id=key, text=text),)

    return look


def each(matters: Callable[[Facts], Sequence[Matter]]) -> Look:
    """Every one of ``matters``, whatever is said of it."""
    return lambda _book, facts: matters(facts)


def unexplained(matters: Callable[[Facts], Sequence[Matter]]) -> Look:
    """Those of ``matters`` that nobody has explained at this handover."""

    def look(_book: HandoverBook, facts: Facts) -> Sequence[Matter]:
        return [one for one in matters(facts) if (AnswerKind.EXPLAIN, one.id) not in facts.answers]

    return look


def relief_absent(_book: HandoverBook, facts: Facts) -> Sequence[Matter]:
    if facts.arrived:
        return ()
    text = Text(
        zh="接班人员未到岗签到，交班人员不得离岗",
        en="nobody of the relief has signed in; the outgoing crew stays",
    )
    return (Matter(text=text),)


def crew_incomplete(_book: HandoverBook, facts: Facts) -> Sequence[Matter]:
    here, required = len(facts.arrived), max(1, facts.required)
    if here == 0 or here >= required:
        return ()
    missing = [name for username, name in facts.relief.items() if username not in facts.arrived]
    names = "、".join(missing)
    text = Text(
        zh=f"接班应到 {required} 人，实到 {here} 人" + (f"，未到：{names}" if names else ""),
        en=f"{here} of {required} have signed in" + (f", missing: {names}" if names else ""),
    )
    return (Matter(text=text),)


def joint_repairs(_book: HandoverBook, facts: Facts) -> Sequence[Matter]:
    """Marked on the order itself, not said yet, or said to need both crews."""
    found = []
    for one in facts.repairs:
        given, why = facts.answers.get((AnswerKind.REPAIR, one.id)), facts.joint.get(one.id)
        if why is not None:
            zh = f"工单已注明须双方共同处理：{one.text.zh}（{why}）"
            en = f"marked on the order as needing both crews: {one.text.en} ({why})"
        elif given is None:
            zh, en = f"未说明是否需双方共同处理：{one.text.zh}", f"not said yet: {one.text.en}"
        elif given.value == 1:
            zh, en = f"须双方共同处理：{one.text.zh}", f"needs both crews: {one.text.en}"
        else:
            continue
        found.append(Matter(id=one.id, text=Text(zh=zh, en=en), answerable=why is None))
    return found


def miscounted(book: HandoverBook, facts: Facts) -> Sequence[Matter]:
    found = []
    for key, item in book.counted.items():
        given = facts.answers.get((AnswerKind.COUNT, key))
        if given is None:
            zh, en = f"未清点：{item.name.zh}", f"not counted: {item.name.en}"
        elif given.value != item.quantity:
            zh = f"{item.name.zh}：清单 {item.quantity}，实点 {given.value}"
            en = f"{item.name.en}: {item.quantity} on the list, {given.value} counted"
        else:
            continue
        found.append(Matter(id=key, text=Text(zh=zh, en=en)))
    return found
