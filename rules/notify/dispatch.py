"""Takes messages from the outbox and has them sent, each channel on its own.

A slow or dead channel holds up nobody but itself: it has its own task, and after a failure the
same message waits twice as long, up to five minutes, while others go. Fire and entrapment go
first, then the most urgent; what is too much for a channel is gathered (``pace``).
"""

from __future__ import annotations

import asyncio
import traceback
import uuid
from collections.abc import Mapping
from urllib.parse import quote

import structlog

from gateway import failpoint
from gateway.clock import Clock
from gateway.model.channels import ROBOTS, Channel, ChannelKind
from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, SECOND, Instant
from rules import metrics
from rules.contractor_link import token_of
from rules.ledger import outbox, outbox_digest, outbox_view
from rules.ledger.outbox import Claimed, Sender, Waiting
from rules.ledger.store import Ledger
from rules.notify import digest, mail, posting, wire
from rules.notify.carrier import Answer, Carrier, Message, Outcome
from rules.notify.pace import HARD, REST, Next, Pace
from rules.notify.recipients import recipients

_log = structlog.get_logger(__name__)

CLAIM = round(2 * wire.TIMEOUT_S * SECOND)
"""µs after which a claim runs out: a sender that lives has marked its row long before."""
_MAIL_CLAIM = round(2 * mail.TIMEOUT_S * SECOND)
_LOOK_S = 0.5
_HELD_EVERY = SECOND
"""µs between two looks at what the night has held back."""
_GAUGE_S = 5.0
_LIFE_SAFETY_WAIT = MINUTE // 2
"""µs that fire and entrapment wait at most between two attempts."""
_QUICK_TEXTS = 5
"""After so many attempts, of which the last two at least may have been texts that somebody pays
for, ... Those that the gateway refused count too: an attempt is counted before it is made, so none
is forgotten, and there are fewer texts than that and never more."""
_NEXT_TEXT = 30 * MINUTE
"""... and then one in so many µs: each may have arrived."""
_PAGES = {
    "alarm_raised": "alarms",
    "alarm_again": "alarms",
    "order_assigned": "orders",
    "order_breached": "orders",
    "order_escalated": "orders",
    "nobody_there": "orders",
    "request_received": "orders",
    "handover_stopped": "handover",
    "handover_overdue": "handover",
    "handover_escalated": "handover",
}
"""Kind of a notice → the page on which its subject is."""


def backoff(attempts: int, longest: int = outbox.LONGEST_WAIT) -> int:
    """µs to wait after this many attempts: 1 s, 2 s, 4 s, … 5 min."""
    return min(SECOND << min(attempts - 1, 20), longest)


class Dispatcher:
    """Sends what the outbox of ``site`` holds for the channels of its site file.

    ``public_url``: where people reach the page; empty: messages have no link. ``link_key``: what
    contractors' links are made with; empty: messages have none of these.
    """

    def __init__(
        self,
        *,
        site: Site,
        ledger: Ledger,
        carriers: Mapping[str, Carrier],
        clock: Clock,
        public_url: str = "",
        link_key: bytes = b"",
    ) -> None:
        self._site = site
        self._ledger = ledger
        self._clock = clock
        claimant = uuid.uuid4().hex
        self._lines = {
            channel.id: _Line(
                site=site,
                channel=channel,
                ledger=ledger,
                carrier=carriers[channel.id],
                clock=clock,
                claimant=claimant,
                public_url=public_url.rstrip("/"),
                link_key=link_key,
            )
            for channel in site.channels
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Send until ``stop``; a message under way is finished first."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._settle_orphans(stop))
            for channel in self._lines:
                tasks.create_task(self._serve(channel, stop))
            if self._lines:
                tasks.create_task(self._measure(stop))

    async def deliver_one(self, channel: str) -> bool:
        """Send what is next by ``channel``; False if there is nothing now."""
        return await self._lines[channel].deliver_one()

    async def _serve(self, channel: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                sent = await self.deliver_one(channel)
            except Exception as error:
                # The row is where it was, or its claim runs out; whatever it is, it ends neither
                # the other channels nor the rules.
                _log.warning("channel not served", channel=channel, **_failure(error))
                sent = False
            if not sent:
                await self._clock.sleep(_LOOK_S)

    async def _settle_orphans(self, stop: asyncio.Event) -> None:
        """See to what waits for channels that the site file had once."""
        while not stop.is_set():
            try:
                settled = await asyncio.to_thread(self._settled)
            except Exception as error:
                _log.warning("outbox not looked through", **_failure(error))
                await self._clock.sleep(_LOOK_S)
                continue
            for channel, count in settled.items():
                _log.error("channel is not in the site file", channel=channel, dropped=count)
            return

    def _settled(self) -> dict[str, int]:
        with self._ledger.write(self._site.id) as entry:
            return posting.settle_orphans(entry, self._site, self._clock.now())

    async def _measure(self, stop: asyncio.Event) -> None:
        """Tell Prometheus how the channels are doing."""
        ids = list(self._lines)
        while not stop.is_set():
            try:
                healths = await asyncio.to_thread(self._healths, ids)
            except Exception as error:
                _log.warning("channels not measured", **_failure(error))
                healths = {}
            now = self._clock.now().wall
            for channel, health in healths.items():
                metrics.notices_waiting.labels(channel=channel).set(health.waiting)
                failing = 0 if health.failing_since is None else now - health.failing_since
                metrics.notices_failing.labels(channel=channel).set(failing / SECOND)
            try:
                async with asyncio.timeout(_GAUGE_S):
                    await stop.wait()
            except TimeoutError:
                continue

    def _healths(self, ids: list[str]) -> Mapping[str, outbox_view.Health]:
        with self._ledger.read(self._site.id) as view:
            return outbox_view.healths(view, ids)


def _failure(error: Exception) -> dict[str, object]:
    """What went wrong and where, for the log. Not in its own words: they may quote a secret."""
    return {"error": type(error).__name__, "where": traceback.format_tb(error.__traceback__)[-4:]}


class _Line:
    """One channel: what goes next by it, and what became of it."""

    def __init__(
        self,
        *,
        site: Site,
        channel: Channel,
        ledger: Ledger,
        carrier: Carrier,
        clock: Clock,
        claimant: str,
        public_url: str,
        link_key: bytes,
    ) -> None:
        self._site = site
        self._channel = channel
        self._ledger = ledger
        self._carrier = carrier
        self._clock = clock
        self._claimant = claimant
        self._public_url = public_url
        self._link_key = link_key
        self._has_links = (
            bool(link_key and public_url) and channel.kind is ChannelKind.SMS and not channel.to
        )
        """Whether it may carry contractors' links; in a digest they would be lost."""
        self._pace: Pace | None = None
        self._held_seen: Instant | None = None

    async def deliver_one(self) -> bool:
        """Send what is next; False if there is nothing now.

        1. Claim it, so that nobody else sends it.
        2. Send it, saying so if an earlier attempt may have arrived.
        3. Mark it sent, or put it back for later.
        """
        now = self._clock.now()
        claimed = await asyncio.to_thread(self._next, now)
        if claimed is None:
            return False
        people = await asyncio.to_thread(recipients, self._ledger, self._site.id, claimed.people)
        answer = await self._carried(
            Message(
                id=claimed.notice,
                body=self._body(claimed),
                people=people,
                reached=claimed.reached,
                languages=self._channel.languages,
            )
        )
        failpoint.reach(failpoint.BEFORE_MARK)
        metrics.notices.labels(channel=self._channel.id, outcome=answer.outcome.value).inc()
        await asyncio.to_thread(self._mark, claimed, answer, self._clock.now())
        return True

    async def _carried(self, message: Message) -> Answer:
        try:
            return await self._carrier.send(message)
        except Exception as error:
            _log.error(
                "carrier failed", channel=self._channel.id, notice=message.id, **_failure(error)
            )
            return Answer(outcome=Outcome.DOUBTFUL, detail=type(error).__name__)

    def _body(self, claimed: Claimed) -> dict[str, object]:
        body = {**claimed.body, "possibly_repeated": claimed.possibly_repeated}
        page = _PAGES.get(str(body["kind"]))
        link = body.pop("contractor_link", None)
        if self._public_url and link is not None and self._reaches_one_alone(claimed):
            token = token_of(self._link_key, self._site.id, str(link))
            body["link"] = f"{self._public_url}/c/{token}"
        elif self._public_url and page is not None:
            body["link"] = f"{self._public_url}/{page}/{quote(str(body['subject']), safe='')}"
        elif self._public_url and body["kind"] == "digest":
            body["link"] = f"{self._public_url}/notices"
        return body

    def _reaches_one_alone(self, claimed: Claimed) -> bool:
        """A contractor's link: a chat or a list of addresses is no place for it."""
        return self._has_links and len(claimed.people) == 1

    def _next(self, now: Instant) -> Claimed | None:
        """The message to send now, claimed."""
        sender = Sender(
            site=self._site.id,
            channel=self._channel.id,
            claimant=self._claimant,
            now=now,
            until=now.plus(_MAIL_CLAIM if self._channel.kind is ChannelKind.EMAIL else CLAIM),
        )
        after = self._channel.digest_after
        pace = None if after is None else self._paced(after, now)
        morning = self._after_the_night(sender, pace)
        if morning is not None or pace is None:
            return morning or outbox.claim(self._ledger, sender)
        waiting = outbox.waiting(
            self._ledger, self._site.id, self._channel.id, now, most=pace.counts_up_to
        )
        chosen = pace.next(waiting, now)
        if chosen is Next.NOTHING:
            return None
        urgent = chosen in (Next.URGENT, Next.ALL_URGENT)
        claimed = None
        if chosen in (Next.ALL_URGENT, Next.ALL_ROUTINE):
            # One that was refused before comes first, else a flood would leave it behind.
            claimed = outbox.claim(
                self._ledger, sender, urgent=urgent, digests=True
            ) or self._gather(sender, urgent=urgent)
            if claimed is None:
                # All are under way with a sender that died, or go one by one: none is gathered.
                chosen = Next.URGENT if urgent else Next.ROUTINE
        claimed = claimed or outbox.claim(self._ledger, sender, urgent=urgent)
        if claimed is not None:
            pace.tried(chosen, now)
        return claimed

    def _after_the_night(self, sender: Sender, pace: Pace | None) -> Claimed | None:
        """What the night has held back, as one message; not before fire, and not beyond what the
        channel takes."""
        now = sender.now
        if self._held_seen is not None and 0 <= now.since(self._held_seen) < _HELD_EVERY:
            return None
        self._held_seen = now
        held = outbox_digest.held_and_due(self._ledger, sender.site, sender.channel, now)
        if held and self._has_links:
            outbox_digest.release_held(
                self._ledger, sender.site, sender.channel, now, links_only=True
            )
            held = outbox_digest.held_and_due(self._ledger, sender.site, sender.channel, now)
        if held == 1:
            outbox_digest.release_held(self._ledger, sender.site, sender.channel, now)
        if held < 2 or self._is_busy(sender, pace):
            return None
        morning = self._gather(sender, held=True)
        if morning is not None and pace is not None:
            pace.tried(Next.ALL_ROUTINE, now)
        return morning

    def _is_busy(self, sender: Sender, pace: Pace | None) -> bool:
        """Fire goes first, or the channel has no room for anything else."""
        now = sender.now
        if outbox.waiting(self._ledger, sender.site, sender.channel, now, most=1).urgent:
            return True
        one = Waiting(urgent=0, routine=1)
        return pace is not None and pace.next(one, now) is Next.NOTHING

    def _gather(
        self, sender: Sender, *, urgent: bool = False, held: bool = False
    ) -> Claimed | None:
        return outbox_digest.gather(
            self._ledger,
            sender,
            digest.digest_id(self._channel, sender.now),
            lambda found: digest.body_of(self._site, self._channel, found, sender.now),
            urgent=urgent,
            held=held,
            links_apart=self._has_links,
        )

    def _paced(self, digest_after: int, now: Instant) -> Pace:
        """The pace; at first with what a sender before us has used up of this minute."""
        if self._pace is None:
            tries = outbox.tries(self._ledger, self._site.id, self._channel.id)
            ages = (now.wall - at for at in tries)
            self._pace = Pace(
                digest_after,
                hard=HARD if self._channel.kind in ROBOTS else None,
                tries=[now.plus(-age) for age in ages if 0 <= age < MINUTE],
            )
        return self._pace

    def _mark(self, claimed: Claimed, answer: Answer, now: Instant) -> None:
        site = self._site.id
        is_delivered = answer.outcome is Outcome.DELIVERED
        if answer.detail or not is_delivered:
            _log.warning(
                "notice not delivered to all" if is_delivered else "notice not delivered",
                notice=claimed.notice,
                channel=self._channel.id,
                host=self._channel.host,
                attempts=claimed.attempts,
                detail=answer.detail,
            )
        if is_delivered:
            outbox.mark_sent(self._ledger, site, claimed, now, error=answer.detail or None)
            return
        if answer.outcome is Outcome.NOBODY and not claimed.life_safety:
            outbox.drop(self._ledger, site, claimed, error=answer.detail)
            return
        if answer.outcome is Outcome.THROTTLED and self._pace is not None:
            self._pace.rest(now)
        outbox.put_back(
            self._ledger,
            site,
            claimed,
            now=now,
            until=now.plus(self._wait(claimed, answer)),
            error=self._error(claimed, answer),
            arrived=answer.outcome is Outcome.DOUBTFUL,
            reached=answer.reached,
        )

    def _wait(self, claimed: Claimed, answer: Answer) -> int:
        """µs until the next attempt."""
        if self._is_enough(claimed, answer):
            return _NEXT_TEXT
        longest = _LIFE_SAFETY_WAIT if claimed.life_safety else outbox.LONGEST_WAIT
        wait = backoff(claimed.attempts, longest)
        if answer.outcome is Outcome.THROTTLED:
            return max(wait, longest if claimed.life_safety else REST)
        return wait

    def _error(self, claimed: Claimed, answer: Answer) -> str:
        if self._is_enough(claimed, answer):
            minutes = _NEXT_TEXT // MINUTE
            return f"{answer.detail}; may have arrived, so the next is in {minutes} minutes"
        return answer.detail

    def _is_enough(self, claimed: Claimed, answer: Answer) -> bool:
        """Of texts to a telephone that may all have arrived."""
        return (
            self._channel.kind is ChannelKind.SMS
            and answer.outcome is Outcome.DOUBTFUL
            and claimed.possibly_repeated
            and claimed.attempts >= _QUICK_TEXTS
        )
