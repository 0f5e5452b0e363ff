"""Takes messages from the outbox and has them sent, each address on its own.

A slow or dead address holds up nobody but itself: it has its own task, and after a failure the
same message waits twice as long, up to five minutes, while others go. The most urgent go first.
"""

from __future__ import annotations

import asyncio
import uuid

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway import failpoint
from gateway.clock import Clock
from gateway.model.equipment import Site
from gateway.model.moment import SECOND, Instant
from rules import metrics
from rules.ledger import outbox
from rules.ledger.outbox import Claimed
from rules.ledger.store import Ledger
from rules.notify.webhook import TIMEOUT_S, Outcome, Webhook, place

_log = structlog.get_logger(__name__)

CLAIM = round(2 * TIMEOUT_S * SECOND)
"""µs after which a claim runs out: a sender that lives has marked its row long before."""
_LOOK_S = 0.5


def backoff(attempts: int) -> int:
    """µs to wait after this many attempts: 1 s, 2 s, 4 s, … 5 min."""
    return min(SECOND << min(attempts - 1, 20), outbox.LONGEST_WAIT)


class Dispatcher:
    """Sends what the outbox of ``site`` holds for the addresses of its site file."""

    def __init__(self, *, site: Site, ledger: Ledger, webhook: Webhook, clock: Clock) -> None:
        self._site = site
        self._ledger = ledger
        self._webhook = webhook
        self._clock = clock
        self._claimant = uuid.uuid4().hex

    async def run(self, stop: asyncio.Event) -> None:
        """Send until ``stop``; a message under way is finished first."""
        async with asyncio.TaskGroup() as tasks:
            for address in self._site.webhooks:
                tasks.create_task(self._serve(address, stop))

    async def deliver_one(self, address: str) -> bool:
        """Send the next message to ``address``; False if there is none now.

        1. Claim it, so that nobody else sends it.
        2. Send it, saying so if an earlier attempt may have arrived.
        3. Mark it sent, or put it back for later.
        """
        now = self._clock.now()
        claimed = await asyncio.to_thread(self._claim, address, now)
        if claimed is None:
            return False
        body = {**claimed.body, "possibly_repeated": claimed.possibly_repeated}
        answer = await self._webhook.send(address, claimed.notice, body)
        failpoint.reach(failpoint.BEFORE_MARK)
        metrics.notices.labels(outcome=answer.outcome.value).inc()
        now = self._clock.now()
        if answer.outcome is Outcome.DELIVERED:
            await asyncio.to_thread(outbox.mark_sent, self._ledger, self._site.id, claimed, now)
            return True
        _log.warning(
            "notice not delivered",
            notice=claimed.notice,
            address=place(address),
            attempts=claimed.attempts,
            detail=answer.detail,
        )
        await asyncio.to_thread(
            outbox.put_back,
            self._ledger,
            self._site.id,
            claimed,
            until=now.plus(backoff(claimed.attempts)),
            error=answer.detail,
            arrived=answer.outcome is Outcome.DOUBTFUL,
        )
        return True

    def _claim(self, address: str, now: Instant) -> Claimed | None:
        return outbox.claim(
            self._ledger,
            self._site.id,
            address,
            claimant=self._claimant,
            now=now,
            until=now.plus(CLAIM),
        )

    async def _serve(self, address: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                sent = await self.deliver_one(address)
            except SQLAlchemyError as error:
                # The row is where it was, or its claim runs out.
                _log.warning("outbox not reached", address=place(address), error=str(error))
                sent = False
            if not sent:
                await self._clock.sleep(_LOOK_S)
