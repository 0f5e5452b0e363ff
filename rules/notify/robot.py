"""What the three chat robots have in common: a JSON document goes in, a JSON document comes out,
and only the code in it says whether the chat has the message. The status is 200 either way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from rules.notify.carrier import Answer, Outcome
from rules.notify.wire import Reply, Wire

Judge = Callable[[Mapping[str, Any]], Answer | None]
"""The provider's own answer → what it means; None: it is none of this provider's."""

_TOO_MANY = 429
_SHOWN = 200


async def told(wire: Wire, address: str, document: Mapping[str, Any], judge: Judge) -> Answer:
    """Post ``document``; success only by the provider's own word."""
    reply = await wire.send(
        address,
        content=orjson.dumps(document),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    return reply if isinstance(reply, Answer) else judged(reply, judge)


def judged(reply: Reply, judge: Judge) -> Answer:
    said = _document(reply.body)
    answer = None if said is None else judge(said)
    if answer is not None and (answer.outcome is not Outcome.DELIVERED or reply.status == 200):
        return answer
    if reply.status == _TOO_MANY:
        return Answer(outcome=Outcome.THROTTLED, detail="HTTP 429")
    if reply.status != 200:
        return Answer(outcome=Outcome.REFUSED, detail=f"HTTP {reply.status}")
    # A login page of a hotel, a proxy's excuse: nobody knows what became of the message.
    return Answer(outcome=Outcome.DOUBTFUL, detail="HTTP 200 without the provider's own answer")


def by_code(
    said: Mapping[str, Any], code: str, words: str, *, throttled: frozenset[int]
) -> Answer | None:
    """What an answer means whose ``code`` is 0 for success."""
    given = said.get(code)
    if not isinstance(given, int) or isinstance(given, bool):
        return None
    if given == 0:
        return Answer(outcome=Outcome.DELIVERED)
    outcome = Outcome.THROTTLED if given in throttled else Outcome.REFUSED
    return Answer(outcome=outcome, detail=f"{code} {given}: {str(said.get(words, ''))[:_SHOWN]}")


def _document(body: bytes) -> Mapping[str, Any] | None:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None
