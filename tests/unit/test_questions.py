"""Questions to a gateway: answered in time, or not at all."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from gateway.bus.memory import MemoryBus
from gateway.bus.questions import SKEW, Answers, QuestionRefusedError, Questions
from gateway.clock import ManualClock
from gateway.model.moment import SECOND

NOW = 1_800_000_000 * SECOND


class Room:
    """An asker and a gateway, each with its own clock; ``held``: what the bus keeps back."""

    def __init__(self, ahead: float = 0) -> None:
        self.bus = MemoryBus()
        self.gateway = ManualClock(NOW + round(ahead * SECOND))
        self.asked: list[dict] = []
        self.said: asyncio.Queue[dict] = asyncio.Queue()
        tells, acts = {"links": self._answer}, {"write": self._answer}
        answers = Answers(self.bus, "s", "g", tells=tells, acts=acts, clock=self.gateway)
        self.questions = Questions(self.bus, "s", "g", clock=ManualClock(NOW))
        self.bus.subscribe("dutyroom/s/g/answers/+", self._on_answer)
        answers.start()
        self.questions.start()

    async def _answer(self, body):
        self.asked.append(body)
        return {"read_back": 1}

    def _on_answer(self, _topic: str, payload: bytes) -> None:
        self.said.put_nowait(orjson.loads(payload))

    async def ask(self, kind="write"):
        return await self.questions.ask(kind, {"value": 1}, within=15)

    async def tell(self, **times) -> list[str]:
        """A question as it lies on the bus; the refusal."""
        question = {"asker": "a", "id": "1", "kind": "write", "body": {"value": 1}, **times}
        await self.bus.publish("dutyroom/s/g/questions", orjson.dumps(question))
        return (await self.said.get()).get("refused")


def test_a_question_in_time_is_answered_and_says_until_when_it_waits():
    async def check():
        room = Room()
        assert await room.ask() == {"read_back": 1}
        assert room.asked == [{"value": 1, "until": NOW + 15 * SECOND}]

    asyncio.run(check())


@pytest.mark.parametrize("late", [15, 16, 3600])
def test_a_question_is_not_answered_after_its_asker_gave_up(late):
    """The broker was frozen, and the gateway switched a device twenty seconds later."""

    async def check():
        room = Room(ahead=late)
        refusal = await room.tell(asked=NOW, until=NOW + 15 * SECOND)
        assert refusal[0] == "too_late"
        assert room.asked == []

    asyncio.run(check())


@pytest.mark.parametrize("times", [{}, {"asked": NOW}, {"asked": NOW, "until": "soon"}])
def test_a_question_that_does_not_say_when_is_not_answered(times):
    async def check():
        room = Room()
        assert (await room.tell(**times))[0] == "bad_question"
        assert room.asked == []

    asyncio.run(check())


@pytest.mark.parametrize("ahead", [-1.9, 5])
def test_clocks_of_two_machines_may_differ_a_little_and_nobody_is_told_a_longer_time(ahead):
    async def check():
        room = Room(ahead=ahead)
        await room.ask()
        (asked,) = room.asked
        assert asked["until"] == min(NOW, room.gateway.now().wall) + 15 * SECOND
        assert SKEW == 2 * SECOND

    asyncio.run(check())


@pytest.mark.parametrize(("ahead", "code"), [(-2.1, "clocks_differ"), (20, "too_late")])
def test_clocks_that_differ_by_more_refuse(ahead, code):
    """How old the question is cannot be told."""

    async def check():
        room = Room(ahead=ahead)
        with pytest.raises(QuestionRefusedError) as refusal:
            await room.ask()
        assert refusal.value.code == code
        assert room.asked == []

    asyncio.run(check())


@pytest.mark.parametrize("ahead", [-60, 3600])
def test_what_only_tells_is_told_whatever_the_clocks_say(ahead):
    """The page showed no link at all while the clock of the gateway's machine was an hour wrong."""

    async def check():
        room = Room(ahead=ahead)
        assert await room.ask("links") == {"read_back": 1}
        (asked,) = room.asked
        assert asked["until"] == room.gateway.now().wall + 15 * SECOND

    asyncio.run(check())
