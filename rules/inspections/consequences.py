"""What a late or missed round causes, as it is kept with the round: whatever becomes of its
regime, the round keeps what it was planned with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model.point import Text
from rules.inspections.items import RoundItem
from rules.inspections.regime import Answer, Band, Missed, Regime, Severity
from rules.people.roles import Role
from rules.rule import OrderTerms

MISSED = "missed"
"""The line of a missed round on which its finding stands."""
_SETTING = Text(zh="[现场设定]", en="[site setting]")
_NAME = Text(zh="本次巡检未进行", en="The round was not done")


@dataclass(frozen=True, kw_only=True, slots=True)
class Consequence:
    tell: tuple[Role, ...] = ()
    finding: Severity | None = None
    terms: OrderTerms | None = None
    """Of the order that the finding raises; None: it is a line in the record."""


def of(regime: Regime) -> dict[str, Any]:
    """What follows from a round of ``regime``, as JSON: by ``late`` and ``missed``, where
    anything does."""
    said: dict[str, Any] = {}
    if regime.late is not None:
        said["late"] = {"tell": [role.value for role in regime.late.tell]}
    if regime.missed is not None:
        said["missed"] = _of_missed(regime, regime.missed)
    return said


def _of_missed(regime: Regime, missed: Missed) -> dict[str, Any]:
    terms = regime.terms
    said: dict[str, Any] = {"tell": [role.value for role in missed.tell]}
    if missed.finding is not None:
        said["finding"] = missed.finding.value
    if missed.finding in (Severity.SERIOUS, Severity.NORMAL):
        name = terms.category_names[terms.category]
        is_serious = missed.finding is Severity.SERIOUS
        said["terms"] = {
            "category": terms.category,
            "category_name": {"zh": name.zh, "en": name.en},
            "complete_within": terms.serious_within if is_serious else terms.normal_within,
            "close_after": terms.close_after,
        }
    return said


def first_at(said: Mapping[str, Any], *, due_at: int, late_until: int, now: int) -> int | None:
    """When the first of what :func:`of` has written follows, of what is left at ``now`` (µs UTC);
    None: nothing does. A round that is missed already is not told of as late."""
    if "late" in said and now < late_until:
        return due_at
    return late_until if "missed" in said else None


def read(said: Mapping[str, Any]) -> Consequence:
    """One of what :func:`of` has written."""
    finding, terms = said.get("finding"), said.get("terms")
    return Consequence(
        tell=tuple(Role(role) for role in said["tell"]),
        finding=None if finding is None else Severity(finding),
        terms=None
        if terms is None
        else OrderTerms(**{**terms, "category_name": Text(**terms["category_name"])}),
    )


def missed_line(
    consequence: Consequence, *, regime: str, area: str | None, subject: str, subject_name: Text
) -> RoundItem:
    """The line on which the finding of a missed round stands; ``subject``: the area or the site."""
    assert consequence.finding is not None
    return RoundItem(
        key=MISSED,
        section=None,
        name=_NAME,
        guidance=None,
        proof=None,
        answer=Answer.TICK,
        unit="",
        band=Band(),
        choices=(),
        severity=consequence.finding,
        subject=subject,
        subject_name=subject_name,
        equipment=None,
        area=area,
        cause_key=f"{regime}.{MISSED}",
        terms=consequence.terms,
        source=_SETTING,
    )
