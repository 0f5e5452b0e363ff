"""Questions over a real broker that freezes and dies."""

from __future__ import annotations

import asyncio

import pytest

from gateway.bus.mqtt import MqttBus
from gateway.bus.questions import Answers, NoAnswerError, Questions
from gateway.clock import SystemClock


class Room:
    """A gateway that writes down what it carries out, and an asker."""

    def __init__(self, broker) -> None:
        self.gateway, self.api = MqttBus(broker.address, "gw"), MqttBus(broker.address, "api")
        self.carried_out: list[str] = []
        acts = {"write": self._write}
        self.answers = Answers(self.gateway, "s", "g", tells={}, acts=acts, clock=SystemClock())
        self.questions = Questions(self.api, "s", "g", clock=SystemClock())

    async def _write(self, body):
        self.carried_out.append(body["command"])
        return {}

    async def __aenter__(self) -> Room:
        self.answers.start()
        self.questions.start()
        await self.gateway.start()
        await self.api.start()
        await self.tell_until_told("first")
        return self

    async def __aexit__(self, *_) -> None:
        await self.answers.close()
        await self.api.close()
        await self.gateway.close()

    @property
    def connected(self) -> bool:
        return self.gateway.connected and self.api.connected

    async def tell(self, command: str) -> None:
        await self.questions.ask("write", {"command": command}, within=1)

    async def tell_until_told(self, command: str) -> None:
        """The broker takes its time to subscribe."""
        while command not in self.carried_out:
            try:
                await self.tell(command)
            except NoAnswerError:
                continue


def test_a_question_whose_asker_gave_up_is_not_told_again_on_the_next_connection(
    broker, until
) -> None:
    """paho sends QoS 1 again: a device was switched twenty seconds after its command had been
    booked as unknown."""

    async def check() -> None:
        async with Room(broker) as room:
            broker.pause()
            with pytest.raises(NoAnswerError):
                await room.tell("lost")
            broker.kill()
            await until(lambda: not room.gateway.connected and not room.api.connected)
            broker.start()
            await until(lambda: room.connected)
            await room.tell_until_told("last")
            assert "lost" not in room.carried_out

    asyncio.run(asyncio.wait_for(check(), 90))


def test_a_question_that_a_frozen_broker_hands_on_too_late_is_not_carried_out(broker) -> None:
    async def check() -> None:
        async with Room(broker) as room:
            broker.pause()
            with pytest.raises(NoAnswerError):
                await room.tell("lost")
            broker.resume()
            await room.tell_until_told("last")
            assert "lost" not in room.carried_out

    asyncio.run(asyncio.wait_for(check(), 60))
