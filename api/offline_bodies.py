"""The body of an entry of a phone, as a deed of the rules; one that does not fit is kept too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from api.models.base import Document
from api.models.offline import BODIES, RoundItemBody, TickBody
from api.models.orders import Completion, ReasonBody, Suspension
from api.models.rounds import RoundSignature
from gateway.model.moment import SECOND
from rules.attached_files import AttachedFile
from rules.inspections.judge import NewEntry, Scan
from rules.ledger.order_steps import Work
from rules.offline.protocol import Answer, Deed, Finish, Photo, Step, Tick, Times

_DEEPEST = 6
_LARGEST = 1 << 53


class NotFittingError(Exception):
    """A body that is none of its kind; says why."""


def deed_of(kind: str, entry_id: str, body: Mapping[str, Any], times: Times) -> Deed:
    """Raises :class:`NotFittingError`."""
    model = BODIES.get(kind)
    if model is None:
        raise NotFittingError(f"there is no kind {kind}")
    try:
        said = model.model_validate(body)
    except ValidationError as error:
        raise NotFittingError(_complaints(error)) from None
    return _deed(said, entry_id, times)


def photo_of(body: Mapping[str, Any], sha256: str) -> Photo:
    """A photograph that was kept, from its own row."""
    file = AttachedFile(
        media_type=body["media_type"],
        # Those of before photographs were drawn anew lie there as they came.
        size=body.get("kept_size", body["size"]),
        sha256=sha256,
        sent_size=body["size"],
        sent_sha256=body["sha256"],
    )
    return Photo(item=body["item"], file=file, caption=body["caption"])


def clean(value: Any, depth: int = 0) -> Any:
    """``value``, which came as JSON, as every ledger and every JSON can hold it: no half
    characters, no NaN, no number that not everybody reads alike, no endless nesting."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode().replace("\x00", "�")
        case dict() | list() if depth == _DEEPEST:
            return "…"
        case dict():
            return {clean(str(name)): clean(one, depth + 1) for name, one in value.items()}
        case list():
            return [clean(one, depth + 1) for one in value]
        case float() | int() if not -_LARGEST < value < _LARGEST:
            return str(value)[:400]
    return value


def _complaints(error: ValidationError) -> str:
    said = [f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors()]
    return "; ".join(said)[:1000]


def _deed(said: Document, entry_id: str, times: Times) -> Deed:
    deed: Deed = Step()
    match said:
        case RoundItemBody():
            deed = Answer(item=said.item, given=_given(said, entry_id, times))
        case RoundSignature():
            deed = Finish(note=said.note)
        case ReasonBody():
            deed = Step(note=said.reason)
        case Suspension():
            deed = Step(why=said.why, note=said.note)
        case TickBody():
            deed = Tick(number=said.step, done=said.done)
        case Completion():
            deed = Step(work=Work(**said.model_dump()))
    return deed


def _given(said: RoundItemBody, entry_id: str, times: Times) -> NewEntry:
    """Its times by our clock."""
    scan = said.scan
    return NewEntry(
        id=entry_id,
        value=said.value,
        passed=said.passed,
        note=said.note,
        taken_at=times.corrected,
        scan=None
        if scan is None
        else Scan(
            scan.code,
            min(round(scan.at.timestamp() * SECOND) + times.offset, times.received_at),
        ),
    )
