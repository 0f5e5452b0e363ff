"""Regimes built by hand, and the readings and days that a round is tried with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from gateway.latest import Current
from gateway.model.equipment import Site
from gateway.model.moment import HOUR, MINUTE, SECOND, Instant
from gateway.model.point import Text
from gateway.model.quality import Quality
from gateway.model.reading import Reading
from rules.inspections.regime import (
    Answer,
    Band,
    Days,
    FindingTerms,
    Item,
    Level,
    LocalTime,
    Proof,
    Regime,
    Scope,
    Severity,
    Window,
)
from rules.people.roles import Role
from rules.rule import Rule, Rulebook

SHANGHAI = ZoneInfo("Asia/Shanghai")


def text(words: str) -> Text:
    return Text(zh=words, en=words)


def at(when: str, zone: ZoneInfo = SHANGHAI) -> int:
    """A local time such as ``2026-11-21 08:00`` in µs UTC."""
    return round(datetime.fromisoformat(when).replace(tzinfo=zone).timestamp()) * SECOND


def local(words: str) -> LocalTime:
    """``08:00`` or ``+1d 08:00``."""
    days, _, clock = words.rpartition(" ")
    hours, minutes = clock.split(":")
    return LocalTime(days=int(days.strip("+d") or 0), minutes=60 * int(hours) + int(minutes))


def item(key: str, **changes: object) -> Item:
    """A tick that is a serious matter if it fails."""
    plain = Item(
        key=key,
        section=text("section"),
        name=text(key),
        guidance=None,
        equipment_class=None,
        where_present=False,
        proof=None,
        point=None,
        counted=None,
        answer=Answer.TICK,
        unit="",
        band=Band(),
        choices=(),
        severity=Severity.SERIOUS,
        cause_key=None,
        category=None,
        source=text("[NV]"),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


TEMPERATURE = item(
    "temperature",
    equipment_class="pump",
    proof=Proof.POINT,
    point="motor_temperature",
    answer=Answer.NUMBER,
    unit="℃",
    band=Band(high=75),
    cause_key="motor-overheat",
)
NO_FAULT = item(
    "no-fault",
    equipment_class="pump",
    proof=Proof.POINT,
    point="fault",
    band=Band(equals=0),
    severity=Severity.NORMAL,
)
CLEAN = item("clean", severity=Severity.MINOR)
LEAKS = item("leaks", equipment_class="pump", severity=Severity.NORMAL)
COMPLETION = item(
    "completion",
    proof=Proof.COMPLETION,
    answer=Answer.NUMBER,
    unit="%",
    band=Band(low=100),
    severity=Severity.MINOR,
)


def regime(name: str = "daily-pumps", *items: Item, **changes: object) -> Regime:
    """Every day in the area of the pumps: from 08:00, due 18:00, missed at 08:00 the day after."""
    plain = Regime(
        id=name,
        level=Level.DAILY,
        name=text(name),
        form=text("form"),
        role=Role.TECHNICIAN,
        countersign_role=None,
        scope=Scope(classes=("pump",), areas=(), whole_site=False),
        days=Days.ALL,
        on=None,
        looks_back=False,
        window=window("08:00", "18:00", "+1d 08:00"),
        patience=10 * MINUTE,
        terms=FindingTerms(
            category="water_supply",
            category_names={"water_supply": text("water")},
            serious_within=2 * HOUR,
            normal_within=24 * HOUR,
            close_after=30 * MINUTE,
        ),
        items=items or (TEMPERATURE, NO_FAULT, CLEAN),
        statement=None,
        source=text("[NV]"),
        file="by-hand",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def window(opens: str, due: str, late_until: str) -> Window:
    return Window(opens=local(opens), due=local(due), late_until=local(late_until))


def rulebook(*regimes: Regime, rules: tuple[Rule, ...] = ()) -> Rulebook:
    return Rulebook(
        rules={rule.id: rule for rule in rules},
        regimes={one.id: one for one in regimes},
        fingerprint="by-hand",
    )


def weekdays(day: date) -> bool:
    return day.isoweekday() <= 5


def current(value: float | None, now: Instant, quality: Quality = Quality.GOOD) -> Current:
    """A reading received a second ago; the device's clock is two seconds behind that."""
    received = now.wall - SECOND
    reading = Reading(
        value=value,
        text=None,
        quality=quality,
        reason=None if quality is Quality.GOOD else "because",
        received=received,
        source_time=received - 2 * SECOND,
    )
    return Current(reading=reading, last_good=None)


def currents(
    now: Instant, site: Site, changes: Mapping[str, float | Current] | None = None
) -> dict[str, Current]:
    """Every point of ``site`` reads 0, but for ``changes``."""
    said: dict[str, float | Current] = {**dict.fromkeys(site.points, 0.0), **(changes or {})}
    return {
        point: one if isinstance(one, Current) else current(one, now) for point, one in said.items()
    }
