"""What somebody wants a device to be told, and whether that is allowed. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.bus.questions import QuestionRefusedError
from gateway.modbus.encode import encode_words
from gateway.model.equipment import Equipment, NotListedError, Site, is_life_safety, listed
from gateway.model.point import Point, PointKind
from gateway.model.profile import ModbusPlace, MqttCommand, RegisterType
from gateway.model.refusal import Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What somebody wants a device to be told."""

    command: str
    """The command's own id: it is carried out once."""
    equipment: str
    point: str
    """Key."""
    value: float
    role: str
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """An order that is allowed."""

    thing: Equipment
    point: Point
    how: ModbusPlace | MqttCommand
    value: float


def order_of(body: Mapping[str, Any]) -> Order:
    """``body``, checked: it comes from outside this process."""
    value = body.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise QuestionRefusedError(Refusal.BAD_QUESTION, "value is missing or no number")
    return Order(
        command=_text(body, "command"),
        equipment=_text(body, "equipment"),
        point=_text(body, "point"),
        value=value,
        role=_text(body, "role"),
        by=_text(body, "by"),
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    given = body.get(name)
    if not isinstance(given, str) or not given:
        raise QuestionRefusedError(Refusal.BAD_QUESTION, f"{name} is missing or no text")
    return given


def allowed(site: Site, order: Order) -> Job:
    """What ``order`` comes to; QuestionRefusedError if it must not or cannot be carried out."""
    thing = site.equipment.get(order.equipment)
    if thing is None:
        raise QuestionRefusedError(
            Refusal.NOT_ALLOWED, f"there is no equipment {order.equipment!r}"
        )
    how = thing.writes.get(order.point)
    for other in guarded(site):
        if other is thing or _shares_line(thing, other) or _shares_topic(thing, how, other):
            raise forbidden(other)
    if not site.commands:
        raise QuestionRefusedError(Refusal.COMMANDS_OFF, "the site file allows no commands")
    point = next((point for point in thing.points if point.key == order.point), None)
    if point is None or how is None:
        raise QuestionRefusedError(Refusal.NOT_ALLOWED, f"{order.point!r} cannot be written")
    if thing.unit == 0:
        raise QuestionRefusedError(Refusal.NOT_ALLOWED, "unit 0 is every device on the line")
    try:
        listed(site.commands, thing.id, point.key, order.role, order.value)
    except NotListedError as error:
        raise QuestionRefusedError(Refusal.NOT_ALLOWED, str(error)) from None
    _check_value(point, order.value)
    return Job(thing=thing, point=point, how=how, value=float(order.value))


def guarded(site: Site) -> list[Equipment]:
    """The fire and lift equipment of ``site``."""
    return [one for one in site.equipment.values() if is_life_safety(one.equipment_class)]


def forbidden(guard: Equipment, why: str = "") -> QuestionRefusedError:
    """What is refused because it might reach ``guard``."""
    return QuestionRefusedError(
        Refusal.CLASS_FORBIDDEN, f"{guard.id} is of class {guard.equipment_class}{why}"
    )


def _shares_line(thing: Equipment, guard: Equipment) -> bool:
    """Whether a write to ``thing`` goes over a Modbus line that ``guard`` is on: a unit that was
    set wrong, or one that answers for others, would be enough. Whether another link leads to the
    same place is asked before the wire."""
    return thing.unit is not None and thing.link == guard.link


def _shares_topic(
    thing: Equipment, how: ModbusPlace | MqttCommand | None, guard: Equipment
) -> bool:
    """Whether ``thing`` says or is told something on a topic of ``guard``, or below it."""
    said = {how.topic} if isinstance(how, MqttCommand) else set()
    ours = said | {thing.topic or ""} | {place.topic for place in thing.mqtt.values()}
    theirs = {guard.topic or ""} | {place.topic for place in guard.mqtt.values()}
    theirs |= {one.topic for one in guard.status_requests}
    theirs |= {one.topic for one in guard.writes.values() if isinstance(one, MqttCommand)}
    return _meet(ours - {""}, theirs - {""})


def _meet(ours: Iterable[str], theirs: set[str]) -> bool:
    return any(
        one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
        for one in ours
        for other in theirs
    )


def _check_value(point: Point, value: float) -> None:
    """Whether ``value`` is one that the point can have, to the digit."""
    match point.kind:
        case PointKind.TEXT:
            wrong = "a text is not written"
        case PointKind.FLAG:
            wrong = "" if value in (0, 1) else "a flag is 0 or 1"
        case PointKind.STATE:
            known = ", ".join(str(code) for code in point.states)
            wrong = "" if value in point.states else f"not one of {known}"
        case PointKind.NUMBER:
            exact = math.isclose(round(value, point.decimals), value, rel_tol=1e-12, abs_tol=1e-12)
            wrong = "" if exact else f"finer than {point.decimals} decimals"
    wrong = wrong or point.out_of_range(value) or ""
    if wrong:
        raise QuestionRefusedError(Refusal.WRONG_VALUE, f"{value:.10g}: {wrong}")


def words(place: ModbusPlace, job: Job) -> tuple[int, ...]:
    """The registers to write; they must say exactly the value."""
    try:
        found = encode_words(place, job.value)
    except ValueError as error:
        raise QuestionRefusedError(Refusal.WRONG_VALUE, str(error)) from None
    raw = (job.value - place.offset) / place.scale
    if place.type not in (RegisterType.FLOAT32, RegisterType.FLOAT64) and not math.isclose(
        raw, round(raw), rel_tol=1e-9, abs_tol=1e-6
    ):
        steps = f"the device has steps of {abs(place.scale):g}"
        raise QuestionRefusedError(Refusal.WRONG_VALUE, f"{job.value:.10g}: {steps}")
    return found


def payload(how: MqttCommand, job: Job) -> bytes:
    """The message that tells it."""
    word = how.codes.get(job.value)
    if word is None:
        if how.codes and job.point.kind is not PointKind.NUMBER:
            raise QuestionRefusedError(
                Refusal.WRONG_VALUE, f"the profile has no word for {job.value:.10g}"
            )
        word = f"{job.value:.{job.point.decimals}f}"
    return how.payload.replace("{value}", word).encode()
