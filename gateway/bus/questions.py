"""A question to a gateway and its answer, over any bus: link figures, a probe, a command.

Topics under ``dutyroom/<site>/<gateway>/``: ``questions`` (anybody → gateway) and
``answers/<asker>`` (gateway → the one that asked). JSON both ways. Unlike the stream nothing is
repeated: who hears no answer in time does not know whether the gateway acted, and says so.

A question says when it was asked and until when its asker waits (µs UTC by the asker's clock).
Nobody begins to act on one afterwards. Clocks of two machines may differ by :data:`SKEW`; where
they differ so much that the age of a question cannot be told, nothing is done. What only tells is
told all the same: it hurts nobody, and a page that shows nothing for a clock's sake would.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import structlog

from gateway.bus.base import Bus
from gateway.clock import Clock
from gateway.model.moment import SECOND, iso
from gateway.model.refusal import Refusal

_log = structlog.get_logger(__name__)

SKEW = 2 * SECOND
"""µs by which the asker's clock may be before ours."""

Answerer = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Body of the question → body of the answer; :class:`QuestionRefusedError` says no. The body has
``until`` besides: µs UTC by the gateway's clock, when the asker goes away."""


class NoAnswerError(Exception):
    """The gateway did not answer in time; whether it acted is not known."""


class QuestionRefusedError(Exception):
    """The gateway heard the question and says no; ``code`` is for programs."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def _questions(site: str, gateway: str) -> str:
    return f"dutyroom/{site}/{gateway}/questions"


def _answers(site: str, gateway: str, asker: str) -> str:
    return f"dutyroom/{site}/{gateway}/answers/{asker}"


class Answers:
    """The gateway's end: kind of question → who answers it; ``acts``: by doing something to a
    device, ``tells``: by telling what is."""

    def __init__(
        self,
        bus: Bus,
        site: str,
        gateway: str,
        *,
        tells: Mapping[str, Answerer],
        acts: Mapping[str, Answerer],
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._site, self._gateway = site, gateway
        self._tells = tells
        self._acts = acts
        self._running: set[asyncio.Task[None]] = set()
        self._stop: Callable[[], None] | None = None

    def start(self) -> None:
        """Hear questions from now on."""
        self._stop = self._bus.subscribe(_questions(self._site, self._gateway), self._on_question)

    async def close(self) -> None:
        if self._stop is not None:
            self._stop()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _on_question(self, _topic: str, payload: bytes) -> None:
        question = orjson.loads(payload)
        task = asyncio.create_task(self._answer(question))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self, question: Mapping[str, Any]) -> None:
        kind = str(question["kind"])
        said: dict[str, Any] = {"id": str(question["id"])}
        try:
            now = self._clock.now().wall
            asked, until = _times(question)
            answerer = self._tells.get(kind)
            if answerer is not None:
                until = now + until - asked
            else:
                until = _in_time(asked, until, now)
                answerer = self._acts.get(kind)
            if answerer is None:
                detail = f"there is no question {kind!r}"
                raise QuestionRefusedError(Refusal.UNKNOWN_QUESTION, detail)
            said["body"] = await answerer({**question["body"], "until": until})
        except QuestionRefusedError as refusal:
            said["refused"] = [refusal.code, refusal.detail]
        except Exception:
            _log.exception("question failed", kind=kind)
            said["refused"] = [Refusal.FAILED, "the gateway failed to answer; its log says why"]
        topic = _answers(self._site, self._gateway, str(question["asker"]))
        await self._bus.publish(topic, orjson.dumps(said))


def _times(question: Mapping[str, Any]) -> tuple[int, int]:
    """When it was asked and until when its asker waits, by the asker's clock."""
    asked, until = question.get("asked"), question.get("until")
    if type(asked) is not int or type(until) is not int:
        raise QuestionRefusedError(Refusal.BAD_QUESTION, "it does not say until when it waits")
    return asked, until


def _in_time(asked: int, until: int, now: int) -> int:
    """When the asker goes away, by our clock, which says ``now``; never later than it waits."""
    if now < asked - SKEW:
        detail = f"asked at {iso(asked)} by the asker's clock, which is {iso(now)} by the gateway's"
        raise QuestionRefusedError(Refusal.CLOCKS_DIFFER, detail)
    if now >= until:
        detail = f"it waited until {iso(until)}, and it is {iso(now)} by the gateway's clock"
        raise QuestionRefusedError(Refusal.TOO_LATE, detail)
    return min(until, now + until - asked)


class Questions:
    """The asking end; one for a process."""

    def __init__(self, bus: Bus, site: str, gateway: str, *, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._site, self._gateway = site, gateway
        self._asker = f"asker-{secrets.token_hex(4)}"
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._stop: Callable[[], None] | None = None

    def start(self) -> None:
        topic = _answers(self._site, self._gateway, self._asker)
        self._stop = self._bus.subscribe(topic, self._on_answer)

    def close(self) -> None:
        if self._stop is not None:
            self._stop()

    async def ask(self, kind: str, body: Mapping[str, Any], *, within: float) -> Mapping[str, Any]:
        """The answer's body. ``within`` s.

        Raises :class:`NoAnswerError` and :class:`QuestionRefusedError`.
        """
        number = secrets.token_hex(8)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        now = self._clock.now().wall
        question = {
            "asker": self._asker,
            "id": number,
            "kind": kind,
            "body": body,
            "asked": now,
            "until": now + round(within * SECOND),
        }
        topic = _questions(self._site, self._gateway)
        try:
            await self._bus.publish(topic, orjson.dumps(question), once=True)
            async with asyncio.timeout(within):
                said = await answer
        except TimeoutError:
            raise NoAnswerError(f"{self._gateway} did not answer in {within:g} s") from None
        finally:
            del self._waiting[number]
        refused = said.get("refused")
        if refused is not None:
            raise QuestionRefusedError(*refused)
        answered: Mapping[str, Any] = said["body"]
        return answered

    def _on_answer(self, _topic: str, payload: bytes) -> None:
        said = orjson.loads(payload)
        waiting = self._waiting.get(said["id"])
        if waiting is not None and not waiting.done():
            waiting.set_result(said)
