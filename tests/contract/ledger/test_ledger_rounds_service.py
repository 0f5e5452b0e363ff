"""The rounds as a service: it outlives a ledger that is down, and rests while nothing is due."""

from __future__ import annotations

import asyncio

import pytest
from api_room import wait_for
from inspections import regime, rulebook
from round_desk import HERE, TODAY, Desk
from sqlalchemy.exc import OperationalError

from gateway.latest import Latest
from gateway.model.moment import MINUTE, SECOND
from rules.inspections import service
from rules.inspections.upkeep import Upkeep
from rules.ledger.store import Ledger


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    return Desk(ledger)


class Broken:
    """A ledger that does not answer the first times."""

    def __init__(self, real: Ledger, failures: int) -> None:
        self._real = real
        self.failures = failures

    def read(self, name: str) -> object:
        if self.failures > 0:
            self.failures -= 1
            raise OperationalError("select", {}, Exception("down"))
        return self._real.read(name)

    def write(self, name: str) -> object:
        return self._real.write(name)


def test_the_service_survives_a_ledger_that_is_down(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_TICK_S", 0.01)
    broken = Broken(desk.ledger, failures=5)

    async def main() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(
            service.run(
                site=HERE,
                rulebook=rulebook(regime()),
                ledger=broken,  # type: ignore[arg-type]
                latest=Latest(HERE),
                clock=desk.clock,
                stop=stop,
            )
        )
        await asyncio.to_thread(wait_for, lambda: TODAY in desk.states())
        desk.go("2026-11-21 08:00")
        await asyncio.to_thread(wait_for, lambda: ("open", "planned", "due") in desk.events())
        stop.set()
        await running

    asyncio.run(main())
    assert broken.failures == 0


def test_the_service_does_nothing_while_nothing_is_due(desk: Desk) -> None:
    desk.tick()
    rounds_service = service.Rounds(
        site=HERE, rulebook=rulebook(regime()), ledger=desk.ledger, latest=Latest(HERE)
    )
    asyncio.run(rounds_service.tick(desk.now))
    counted = Broken(desk.ledger, failures=99)
    rounds_service._upkeep = Upkeep(
        site=HERE,
        rulebook=rulebook(regime()),
        ledger=counted,  # type: ignore[arg-type]
    )
    for _ in range(60):
        desk.clock.advance(4)
        asyncio.run(rounds_service.tick(desk.now))
    assert counted.failures == 99, "the ledger was not even asked"
    desk.clock.advance(MINUTE / SECOND)
    with pytest.raises(OperationalError):
        asyncio.run(rounds_service.tick(desk.now))


def test_the_service_opens_nothing_within_a_minute_of_a_step_of_the_clock(desk: Desk) -> None:
    subject = service.Rounds(
        site=HERE, rulebook=rulebook(regime()), ledger=desk.ledger, latest=Latest(HERE)
    )

    def look() -> dict[str, str]:
        asyncio.run(subject.tick(desk.now))
        return {found.id: "open" if found.opened_at else "planned" for found in desk.all()}

    assert look() == {TODAY: "planned"}
    desk.clock.step_wall(24 * 3600)
    assert look() == {TODAY: "planned"}
    desk.clock.advance(59)
    assert look() == {TODAY: "planned"}
    desk.clock.step_wall(-24 * 3600)
    assert look() == {TODAY: "planned"}
    desk.go("2026-11-21 08:00")
    assert look() == {TODAY: "open"}, "the clock has been right for an hour"
    desk.clock.step_wall(24 * 3600)
    tomorrow = "daily-pumps.b1.2026-11-22"
    assert look() == {TODAY: "open"}
    desk.clock.advance(60)
    assert look() == {TODAY: "open", tomorrow: "open"}, "the step was meant"
