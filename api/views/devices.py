"""Links, profiles, probes and commands as documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from api.models import devices as documents
from api.views import words
from gateway.model.equipment import Equipment, Site, link_name
from gateway.model.point import Point, PointKind
from gateway.model.profile import ByteOrder
from gateway.profile.document import PointDocument
from gateway.profile.files import ProfileFile
from rules.commands.actions import Command
from rules.commands.lifecycle import CONFIRM_WITHIN

_MODBUS_ONLY = (
    "requests",
    "replies",
    "timeouts",
    "wrong_replies",
    "crc_errors",
    "exceptions",
    "latency_ms",
    "busy",
    "budget",
)


def links(site: Site, told: Mapping[str, Any]) -> documents.Links:
    """What the gateway answered to ``links``; its shape: :mod:`gateway.link_answers`."""
    zone = site.zone
    quarantine, spool, history = told["quarantine"], told["spool"], told["history"]
    return documents.Links(
        gateway=site.gateway,
        items=[_link(site, one) for one in told["links"]],
        quarantine=documents.Quarantine(
            count=quarantine["count"],
            entries=[
                documents.QuarantineEntry(**{**entry, "at": words.moment(entry["at"], zone)})
                for entry in quarantine["entries"]
            ],
        ),
        spool=documents.SpoolFigures(
            **{
                **spool,
                "disk_failing_since": words.moment_if(spool["disk_failing_since"], zone),
            }
        ),
        history=documents.HistoryFigures(**history),
    )


def _link(site: Site, told: Mapping[str, Any]) -> documents.Link:
    own = [thing.id for thing in site.equipment.values() if thing.link == told["id"]]
    return documents.Link(
        id=told["id"],
        name=words.text(link_name(site.links[told["id"]])),
        protocol=told["protocol"],
        where=told["where"],
        connected=told["connected"],
        reason=told["reason"],
        equipment=own,
        **{name: told.get(name) for name in _MODBUS_ONLY},
        units=[documents.UnitFigures(**unit) for unit in told.get("units", ())],
        dead_addresses=[documents.DeadAddress(**one) for one in told.get("dead_addresses", ())],
        heard=told.get("heard"),
        lost=told.get("lost"),
        dropped=told.get("dropped"),
    )


def profile_summaries(
    site: Site, profiles: Mapping[str, ProfileFile]
) -> list[documents.ProfileSummary]:
    """By class and id."""
    used = _used(site)
    files = sorted(profiles.values(), key=lambda f: (f.profile.equipment_class, f.profile.id))
    return [documents.ProfileSummary(**_summary(file, used)) for file in files]


def profile(site: Site, file: ProfileFile) -> documents.Profile:
    return documents.Profile(
        **_summary(file, _used(site)),
        parameters=[
            documents.Parameter(name=name, low=limits.low, high=limits.high)
            for name, limits in file.document.parameters.items()
        ],
        point_list=[_point(point) for point in file.document.points],
    )


def _used(site: Site) -> Mapping[str, list[str]]:
    used: defaultdict[str, list[str]] = defaultdict(list)
    for thing in site.equipment.values():
        used[thing.profile].append(thing.id)
    return used


def _summary(file: ProfileFile, used: Mapping[str, list[str]]) -> dict[str, Any]:
    own = file.profile
    return {
        "id": own.id,
        "equipment_class": own.equipment_class,
        "vendor": own.vendor,
        "model": words.text(own.model),
        "protocol": own.protocol,
        "verified": own.verified,
        "source": own.source,
        "points": len(own.points),
        "equipment": used.get(own.id, []),
    }


def _point(point: PointDocument) -> documents.ProfilePoint:
    return documents.ProfilePoint(
        key=point.key,
        name=words.text(point.name.text()),
        kind=point.kind.value,
        unit=point.unit,
        low=point.low,
        high=point.high,
        decimals=point.decimals,
        source=point.source,
        place=_place(point),
        writable=point.write is not None,
    )


def _place(point: PointDocument) -> str:
    if point.modbus is not None:
        place = point.modbus
        kind = place.register_type.value
        length = "" if place.length is None else f"[{place.length}]"
        parts = [place.function.value, str(place.register_number), kind + length]
        if place.bit is not None:
            last = "" if place.width is None else f"…{place.bit + place.width - 1}"
            parts.append(f"bit {place.bit}{last}")
        if place.registers > 1 or place.order is not ByteOrder.ABCD:
            parts.append(place.order.value)
        return " ".join(parts)
    if point.mqtt is not None:
        return " ".join((point.mqtt.topic, ".".join(point.mqtt.path))).rstrip()
    if point.derived is not None:
        how = point.derived.derived()
        return f"{how.kind.value}({', '.join(how.of)})"
    return ""


def probe(told: Mapping[str, Any]) -> documents.Probe:
    """What the gateway answered to ``probe``; its shape: :mod:`gateway.probe.answers`."""
    return documents.Probe.model_validate(told)


def command(
    site: Site, found: Command, names: Mapping[str, str] | None = None
) -> documents.Command:
    """``names``: user name → name."""
    zone = site.zone
    thing = site.equipment.get(found.equipment)
    point = site.points.get(f"{found.equipment}.{found.point}")
    return documents.Command(
        id=found.id,
        equipment=found.equipment,
        equipment_name=words.text(thing.name) if thing else words.same(found.equipment),
        point=f"{found.equipment}.{found.point}",
        point_name=words.text(point.name) if point else words.same(found.point),
        unit=point.unit if point else "",
        value=found.value,
        before=found.before,
        state=found.state.value,
        by=found.by,
        by_name=(names or {}).get(found.by),
        proposed_at=words.moment(found.proposed_at, zone),
        confirm_until=words.moment(found.proposed_at + CONFIRM_WITHIN, zone),
        sent_at=words.moment_if(found.sent_at, zone),
        ended_at=words.moment_if(found.ended_at, zone),
        read_back=found.read_back,
        why=found.why,
        detail=found.detail,
    )


def allowed_commands(site: Site, thing: Equipment, role: str) -> list[documents.AllowedCommand]:
    """What the allowlist lets ``role`` tell ``thing``."""
    entries = [one for one in site.commands if one.equipment == thing.id and role in one.roles]
    points = {point.key: point for point in thing.points}
    return [
        documents.AllowedCommand(
            point=points[one.point].id,
            name=words.text(points[one.point].name),
            kind=points[one.point].kind.value,
            unit=points[one.point].unit,
            low=one.low,
            high=one.high,
            states=_states(points[one.point], one.low, one.high),
        )
        for one in entries
        if one.point in points
    ]


def _states(point: Point, low: float, high: float) -> dict[str, Any]:
    if point.kind not in (PointKind.FLAG, PointKind.STATE):
        return {}
    return {
        str(code): words.text(said) for code, said in point.states.items() if low <= code <= high
    }
