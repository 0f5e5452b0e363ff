"""The live stream."""

from __future__ import annotations

from contextlib import aclosing
from typing import Annotated

from anyio import move_on_after
from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse
from starlette.types import Send

from api.deps import LiveNeeded, SameOrigin, VisitorNeeded
from api.live import Live, Stream, StreamsFullError
from api.metrics import STREAMS_CUT
from api.models import StreamMessage
from api.problems import ProblemException, described

SEND_LIMIT = 20.0
"""Seconds that a reader may take for one piece."""
PIECE = 64 * 1024
"""As much as the server keeps of one reader before it waits for it."""

router = APIRouter(tags=["stream"])


class LiveResponse(StreamingResponse):
    """Server-sent events that a reader who does not read cannot hold open.

    Not FastAPI's ``EventSourceResponse``: a path operation that yields has no place to see that
    a piece is not taken, and every message would be encoded again for every page.
    """

    media_type = "text/event-stream"

    def __init__(self, live: Live, stream: Stream) -> None:
        self._messages = live.follow(stream)
        super().__init__(self._messages, headers={"X-Accel-Buffering": "no"})

    async def stream_response(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        async with aclosing(self._messages) as pieces:
            async for message in pieces:
                if not await _sent(send, message):
                    STREAMS_CUT.labels("slow").inc()
                    return  # unfinished on purpose: the server then closes the connection
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _sent(send: Send, message: bytes) -> bool:
    """Whether the reader has taken all of ``message``."""
    for at in range(0, len(message), PIECE):
        piece = message[at : at + PIECE]
        with move_on_after(SEND_LIMIT) as patience:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if patience.cancelled_caught:
            return False
    return True


def _number(text: str | None) -> int | None:
    """The change id that ``text`` is, if it is one."""
    return int(text) if text and text.isascii() and text.isdigit() else None


@router.get(
    "/stream",
    status_code=200,
    response_class=LiveResponse,
    response_model=None,
    dependencies=[SameOrigin],
    responses={
        200: {
            "model": StreamMessage,
            "description": "Server-sent events: `snapshot`, `alarm`, `order`, `provisional`, "
            "`changed`, `readings`, `heartbeat`. The id of an event is that of the change it "
            "tells of.",
        },
        **described(401, 403, 422, 503),
    },
)
async def stream(
    visitor: VisitorNeeded,
    live: LiveNeeded,
    last_event_id: Annotated[
        str | None,
        Header(max_length=64, description="The browser sends it when it comes back."),
    ] = None,
) -> LiveResponse:
    """Everything as it is, then every change.

    A page that comes back in time gets all readings and the changes that it missed instead.
    The stream ends with the session.
    """
    try:
        opened = await live.open(visitor, _number(last_event_id))
    except StreamsFullError:
        raise ProblemException(
            503, "Too many pages are open.", headers={"Retry-After": "5"}
        ) from None
    return LiveResponse(live, opened)
