"""The watchdog outside: a small process that asks ``/healthz`` and tells people what it hears.

It shares nothing with what it watches but the address, so it may run on another machine, and
should. Who watches the watchdog: an address that hears of it while all is well (``heartbeat``),
and raises the alarm itself when that stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import httpx2
import orjson
import structlog

from gateway.clock import Clock
from gateway.model.moment import SECOND, Instant, iso
from rules.notify.carrier import Outcome
from rules.notify.webhook import Outlet, place

HEARTBEAT_S = 30.0
_ANSWER_S = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What people are told."""

    well: bool
    since: Instant
    """When it was first seen to be so."""
    trouble: str = ""


class Watch:
    """Turns looks into verdicts. Pure: time is an argument.

    It is unwell after ``after`` µs without one good look, and well again at the first good one.
    """

    def __init__(self, after: int, began: Instant) -> None:
        self._after = after
        self._good = began
        """The last good look, or the beginning."""
        self._is_well = True

    def look(self, trouble: str | None, now: Instant) -> Verdict | None:
        """The verdict, where it is another one than before."""
        if trouble is None:
            self._good = now
            if self._is_well:
                return None
            self._is_well = True
            return Verdict(well=True, since=now)
        if not self._is_well or now.since(self._good) < self._after:
            return None
        self._is_well = False
        return Verdict(well=False, since=self._good, trouble=trouble)


async def run(
    *,
    url: str,
    webhooks: Sequence[str],
    heartbeat: str | None,
    every: float,
    after: float,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Look every ``every`` s until ``stop``; a message that was not taken is sent again."""
    watch, beaten = Watch(round(after * SECOND), clock.now()), None
    due: dict[str, dict[str, Any]] = {}
    async with (
        Outlet() as outlet,
        httpx2.AsyncClient(timeout=_ANSWER_S, trust_env=False, follow_redirects=False) as client,
    ):
        while not stop.is_set():
            found = await trouble(client, url)
            now = clock.now()
            verdict = watch.look(found, now)
            if verdict is not None:
                log.warning("well again" if verdict.well else "unwell", trouble=verdict.trouble)
                due = {address: notice(url, verdict) for address in webhooks}
            due = {at: body for at, body in due.items() if not await _sent(outlet, at, body)}
            is_time = beaten is None or now.since(beaten) >= HEARTBEAT_S * SECOND
            if heartbeat is not None and found is None and is_time:
                body = {"id": f"watchdog.{url}", "kind": "watchdog_heartbeat", "subject": url}
                answer = await outlet.send(heartbeat, body["id"], body)
                if answer.outcome is Outcome.DELIVERED:
                    beaten = now
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every)


async def trouble(client: httpx2.AsyncClient, url: str) -> str | None:
    """What is wrong by the answer of ``url``; None: all is well."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            answer = await client.get(url)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
        return f"no answer ({type(error).__name__})"
    if answer.status_code == httpx2.codes.OK:
        return None
    with suppress(orjson.JSONDecodeError, KeyError, AttributeError, TypeError):
        checks = orjson.loads(answer.content)["checks"]
        return "; ".join(f"{part}: {said}" for part, said in checks.items() if said != "ok")
    return f"HTTP {answer.status_code}"


def notice(url: str, verdict: Verdict) -> dict[str, Any]:
    """The message, in the shape of the other notices."""
    kind = "watchdog_well" if verdict.well else "watchdog_unwell"
    title = (
        {"zh": "值班系统已恢复", "en": "The duty room system is well again"}
        if verdict.well
        else {
            "zh": f"值班系统异常：{verdict.trouble}",
            "en": f"The duty room system is not well: {verdict.trouble}",
        }
    )
    return _body(kind, url, verdict.since, title, urgent=not verdict.well)


def of_unit(unit: str, now: Instant) -> dict[str, Any]:
    """What systemd tells: a unit has failed and is not started again."""
    title = {"zh": f"服务 {unit} 已停止", "en": f"The service {unit} has failed"}
    return _body("watchdog_failed", unit, now, title, urgent=True)


async def tell(webhooks: Sequence[str], body: dict[str, Any]) -> bool:
    """Whether every address has taken it."""
    async with Outlet() as outlet:
        taken = [await _sent(outlet, address, body) for address in webhooks]
    return all(taken)


def _body(
    kind: str, subject: str, at: Instant, title: dict[str, str], *, urgent: bool
) -> dict[str, Any]:
    return {
        "id": f"{kind}.{subject}.{at.wall}",
        "kind": kind,
        "at": iso(at.wall, UTC),
        "subject": subject,
        "title": title,
        "priority": "critical" if urgent else "info",
        "possibly_repeated": False,
    }


async def _sent(outlet: Outlet, address: str, body: dict[str, Any]) -> bool:
    answer = await outlet.send(address, body["id"], body)
    if answer.outcome is Outcome.DELIVERED:
        return True
    log.warning("not taken", address=place(address), detail=answer.detail)
    body["possibly_repeated"] |= answer.outcome is Outcome.DOUBTFUL
    return False
