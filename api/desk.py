"""What every handler works with, and the way to the parts that block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, fail_after, to_thread
from sqlalchemy.exc import TimeoutError as LedgerTimeoutError

from api.provisional import Provisional
from api.views.readings import Readings
from gateway.bus.questions import Questions
from gateway.clock import Clock
from gateway.files.documents import ConfigurationError
from gateway.history.base import History
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.profile.files import ProfileFile
from gateway.site import files as site_file
from rules.actions.act import Act
from rules.attached_files import AttachedFiles
from rules.contractor_link import Links
from rules.inspections.coverage import Duty, duties
from rules.ledger.store import Ledger
from rules.ledger.view import View
from rules.people.roles import Actor
from rules.rule import Rulebook
from rules.rule_tests.known import RulesKnown, rules_known

T = TypeVar("T")

LEDGER_PATIENCE_S = 6.0
"""Longer than a writer waits for its turn (``rules.ledger.store``), so that it says why."""
_LEDGER_THREADS = 8
_HISTORY_THREADS = 4
_FILE_THREADS = 4
_PICTURES_AT_ONCE = 1
"""One takes up to ``rules.pictures.MOST_MEMORY`` while it is unpacked."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The parts of the duty room that the API shows.

    Ledger and history block, so they are asked in threads, and only in so many that a ledger
    which answers slowly leaves connections to the rules. ``latest`` and ``provisional`` belong to
    the event loop.
    """

    site: Site
    rulebook: Rulebook
    ledger: Ledger
    history: History
    latest: Latest
    provisional: Provisional
    clock: Clock
    questions: Questions
    """To the gateway."""
    attached: AttachedFiles
    links: Links
    """What contractors' links are made with."""
    _profiles: dict[str, ProfileFile] = field(default_factory=dict)
    _rules_known: list[RulesKnown] = field(default_factory=list)
    _duties: list[Sequence[Duty]] = field(default_factory=list)
    _ledger_threads: CapacityLimiter = field(
        default_factory=lambda: CapacityLimiter(_LEDGER_THREADS)
    )
    _history_threads: CapacityLimiter = field(
        default_factory=lambda: CapacityLimiter(_HISTORY_THREADS)
    )
    _file_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_FILE_THREADS))
    _picture_threads: CapacityLimiter = field(
        default_factory=lambda: CapacityLimiter(_PICTURES_AT_ONCE)
    )

    async def read(self, work: Callable[[View], T]) -> T:
        """``work`` on the ledger as it is at one moment."""

        def reading() -> T:
            with self.ledger.read(self.site.id) as view:
                return work(view)

        return await self.in_ledger(reading)

    async def in_ledger(self, work: Callable[[], T]) -> T:
        """``work``, which blocks on the ledger.

        A server that hangs is like one that is away: after :data:`LEDGER_PATIENCE_S` this raises
        what a ledger raises that has no connection left. The thread ends when the server does.
        """
        try:
            with fail_after(LEDGER_PATIENCE_S):
                return await to_thread.run_sync(
                    work, limiter=self._ledger_threads, abandon_on_cancel=True
                )
        except TimeoutError:
            raise LedgerTimeoutError("the ledger hangs") from None

    def act(self, subject: str, actor: Actor, key: str | None) -> Act:
        """What ``actor`` does now with something of this site."""
        return Act(self.ledger, self.site.id, subject, actor, self.clock.now(), key)

    async def in_history(self, work: Callable[[], T]) -> T:
        """``work``, which blocks on the history."""
        return await to_thread.run_sync(work, limiter=self._history_threads)

    async def in_files(self, work: Callable[[], T]) -> T:
        """``work``, which blocks on the disk: a slow one keeps nobody from the ledger."""
        return await to_thread.run_sync(work, limiter=self._file_threads)

    async def in_pictures(self, work: Callable[[], T]) -> T:
        """``work``, which unpacks a picture: it takes a core, and memory."""
        return await to_thread.run_sync(work, limiter=self._picture_threads)

    async def profiles(self) -> Mapping[str, ProfileFile]:
        """Every profile that the site may use, read once: what is in force changes with a
        restart only. Empty where the files have become wrong since."""
        if not self._profiles:
            with suppress(ConfigurationError):
                self._profiles.update(await to_thread.run_sync(site_file.profiles_of, self.site))
        return self._profiles

    async def rules_known(self) -> RulesKnown:
        """What the pages say of the rules beside themselves, read once."""
        if not self._rules_known:
            profiles = await self.profiles()
            self._rules_known.append(
                await to_thread.run_sync(rules_known, self.site, self.rulebook, profiles)
            )
        return self._rules_known[0]

    async def duties(self) -> Sequence[Duty]:
        """Which equipment is looked at by which rounds, made once."""
        if not self._duties:
            regimes = self.rulebook.regimes.values()
            self._duties.append(await to_thread.run_sync(duties, regimes, self.site))
        return self._duties[0]

    def readings(self) -> Readings:
        """Every reading, judged now. Call it last, right before answering, on the loop."""
        now = self.clock.now()
        return Readings(site=self.site, currents=self.latest.at(now), now=now)
