"""A page that listens to the live stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2


@dataclass(frozen=True)
class Message:
    event: str
    data: dict
    id: str | None
    retry: str | None


def readings(message: Message) -> dict[str, Any]:
    """The readings of a snapshot or of a round, whole: also those that were said briefly."""
    told = dict(message.data["readings"])
    for moment in message.data.get("good", ()):
        at = moment["received_at"]
        for point, value in moment["values"].items():
            assert point not in told
            told[point] = {
                "value": value,
                "text": None,
                "quality": "good",
                "reason": None,
                "received_at": at,
                "source_at": moment["source_at"],
                "last_good": {"value": value, "text": None, "received_at": at},
                "stale_after_s": moment["stale_after_s"],
            }
    return told


class Listener:
    """An ``EventSource`` that reads message by message."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def next(self) -> Message | None:
        """The next message; None at the end of the stream."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and fields:
                return Message(
                    event=fields["event"],
                    data=json.loads(fields["data"]),
                    id=fields.get("id"),
                    retry=fields.get("retry"),
                )
            name, _, value = line.partition(": ")
            fields[name] = value
        return None

    def until(self, event: str) -> Message:
        while (message := self.next()) is not None:
            if message.event == event:
                return message
        raise AssertionError(f"the stream ended without {event}")


@contextmanager
def listening(client: httpx2.Client, last: str | None = None) -> Iterator[Listener]:
    headers = {"Last-Event-ID": last} if last is not None else {}
    with client.stream("GET", "/api/v1/stream", headers=headers) as response:
        if response.status_code != 200:
            response.read()
        assert response.status_code == 200, response.text
        yield Listener(response)
