"""What forbids a handover: the clauses of S1 as one table. Pure.

A condition is either seen by the system, in what the ledger and the readings say, or by a person,
who answers a required question. All of them must be answered or gone before anybody signs, unless
a manager lets one pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.model.point import Text
from rules.handover import looks
from rules.handover.book import HandoverBook
from rules.handover.facts import AnswerKind, Facts, Matter
from rules.handover.looks import Look


class Seen(StrEnum):
    SYSTEM = "system"
    ANSWER = "answer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A row of the table."""

    key: str
    clauses: Sequence[str]
    seen: Seen
    name: Text
    mend: Text
    """What to do."""
    look: Look
    answered_by: AnswerKind | None
    """The kind of answer that lifts it; None: the thing itself has to change."""
    passable: bool
    """Whether a manager may let it pass."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A condition that holds."""

    id: str
    """A function of all that it says: once it says something else it is another one."""
    condition: Condition
    about: str
    text: Text
    answered_by: AnswerKind | None
    overridden: bool


def blocks(book: HandoverBook, facts: Facts, passed: frozenset[str] = frozenset()) -> list[Block]:
    """All that holds, in the order of the table; ``passed``: the ids of those that a manager has
    let pass."""
    return [
        Block(
            id=_id(row, found),
            condition=row,
            about=found.id,
            text=found.text,
            answered_by=row.answered_by if found.answerable else None,
            overridden=_id(row, found) in passed,
        )
        for row in CONDITIONS
        for found in row.look(book, facts)
    ]


def _id(row: Condition, found: Matter) -> str:
    since = "" if found.since is None else str(found.since)
    said = "\x1f".join((row.key, found.id, found.text.zh, since))
    return hashlib.sha256(said.encode()).hexdigest()[:20]


def _row(
    key: str,
    clauses: Sequence[str],
    look: Look,
    *,
    name: tuple[str, str],
    mend: tuple[str, str],
    seen: Seen = Seen.SYSTEM,
    answered_by: AnswerKind | None = None,
    passable: bool = True,
) -> Condition:
    return Condition(
        key=key,
        clauses=clauses,
        seen=seen,
        name=Text(zh=name[0], en=name[1]),
        mend=Text(zh=mend[0], en=mend[1]),
        look=look,
        answered_by=answered_by,
        passable=passable,
    )


REQUIRED_QUESTIONS: Mapping[str, str] = {
    "briefed": "S1 4.1.8.1",
    "records_kept": "S1 4.1.8.1",
    "rooms_clean": "S1 4.1.8.1",
    "relief_fit": "S1 4.1.8.3",
    "checked": "S1 4.1.3",
    "records_match": "S1 7.1",
    "crews_here": "S1 7.2",
}
"""Question → the clause that cannot be seen without it: no site may leave it out."""


def _asked(
    key: str,
    about: str,
    clauses: Sequence[str],
    name: tuple[str, str],
    mend: tuple[str, str],
) -> Condition:
    """A row that lives from the answer to the question ``about``."""
    return _row(
        key,
        clauses,
        looks.question(about),
        name=name,
        mend=mend,
        seen=Seen.ANSWER,
        answered_by=AnswerKind.QUESTION,
    )


CONDITIONS: Sequence[Condition] = (
    _asked(
        "status-unexplained",
        "briefed",
        ("S1 4.1.4", "S1 4.1.8.1"),
        ("上一班运行情况未交代清楚", "Status not explained"),
        ("交班人员讲清运行情况和注意事项，接班人员确认", "Brief the relief until clear"),
    ),
    _asked(
        "records-irregular",
        "records_kept",
        ("S1 4.1.8.1",),
        ("记录不规范", "Records irregular"),
        ("交班人员补齐值班记录，更正另写", "Complete the log; corrections are added"),
    ),
    _asked(
        "rooms-dirty",
        "rooms_clean",
        ("S1 4.1.8.1", "S1 4.3.3"),
        ("值班室、操作间不清洁", "Rooms not clean"),
        ("交班人员返工清洁，接班人员复查", "The outgoing crew cleans; check again"),
    ),
    _row(
        "relief-absent",
        ("S1 4.1.8.2",),
        looks.relief_absent,
        name=("接班人未到岗", "Relief absent"),
        mend=(
            "接班人员本人签到；无人到岗时联系领班安排替班",
            "The relief signs in; if nobody comes, the foreman finds a stand-in",
        ),
        # Nobody would be there to sign for the incoming crew.
        passable=False,
    ),
    _asked(
        "relief-unfit",
        "relief_fit",
        ("S1 4.1.8.3", "S1 7.3"),
        ("接班人员精神状态不良（疲倦、醉酒、伤病）", "Relief unfit"),
        ("通知工程经理，另找替班人员", "Tell the manager and find somebody else"),
    ),
    _row(
        "accident",
        ("S1 4.1.8.4",),
        looks.each(lambda facts: facts.accidents),
        name=("事故处理中", "An accident is being handled"),
        mend=("处理完毕或挂起该工单后再交接", "Complete or suspend the order first"),
    ),
    _row(
        "fault-meanwhile",
        ("S1 4.1.8.5",),
        looks.each(lambda facts: facts.faults),
        name=("交接班过程中发生故障", "A fault came up during the handover"),
        mend=(
            "停止交接，由交班人员处理，接班人员协助；报警消除或工单挂起、完工后继续",
            "The outgoing crew handles it; go on when the alarm has gone, or its order is "
            "suspended or completed",
        ),
    ),
    _asked(
        "check-abnormal",
        "checked",
        ("S1 4.1.3", "S1 4.1.3.2"),
        ("接班检查设备有异常", "The joint check found something"),
        (
            "立即采取措施并通知交班人员处理，确认无异常后再交接",
            "Act at once; the outgoing crew handles it, then check again",
        ),
    ),
    _row(
        "record-and-sensor",
        ("S1 7.1",),
        looks.unexplained(lambda facts: facts.differing),
        name=("记录与测点不符", "A record differs from its sensor"),
        mend=(
            "核对现场，在巡检中更正数值，或由交班人员写明原因",
            "Check on the spot; enter the round's number again, or the outgoing crew says why",
        ),
        answered_by=AnswerKind.EXPLAIN,
    ),
    _asked(
        "records-differ",
        "records_match",
        ("S1 7.1",),
        ("设备记录与实际运行状况不符", "Records differ from the actual state"),
        ("核对现场，更正记录并说明", "Check on the spot; correct the record"),
    ),
    _row(
        "crew-incomplete",
        ("S1 7.2",),
        looks.crew_incomplete,
        name=("接班人数不齐", "Relief incomplete"),
        mend=(
            "等待其余人员签到，或由领班在排班表中安排替班",
            "Wait for the others, or have the foreman change the roster",
        ),
    ),
    _asked(
        "crew-not-here",
        "crews_here",
        ("S1 7.2",),
        ("交接班人员不在场", "Somebody of the crews is not here"),
        ("双方人员到场后再交接", "Wait until both crews are here"),
    ),
    _row(
        "joint-repair",
        ("S1 7.4",),
        looks.joint_repairs,
        name=("抢修须交接双方共同处理", "A repair needs both crews"),
        mend=(
            "说明一班能否独立处理；须双方处理时，完工或挂起后再交接，或在工单上取消标记",
            "Say whether one crew can go on; if not, complete or suspend it first, or take the "
            "mark off the order",
        ),
        answered_by=AnswerKind.REPAIR,
    ),
    _row(
        "cause-unknown",
        ("S1 7.5",),
        looks.unexplained(lambda facts: facts.abnormal),
        name=("运行异常原因不明或运行情况不明", "Abnormal, and nobody knows why"),
        mend=(
            "交班人员写明原因和已采取的措施，或排除异常",
            "The outgoing crew states the cause and what was done, or mends it",
        ),
        answered_by=AnswerKind.EXPLAIN,
    ),
    _row(
        "count-differs",
        ("S1 7.6",),
        looks.miscounted,
        name=("仪表、工具、钥匙、资产与清单不符", "The count differs from the list"),
        mend=(
            "重新清点；确有缺失时通知工程经理",
            "Count again; if something is missing, tell the manager",
        ),
        seen=Seen.ANSWER,
        answered_by=AnswerKind.COUNT,
    ),
)
"""Each row has a test that is named for its clause."""
