"""Who was refused is written into the audit, at a bounded rate: a flood of refusals must neither
fill the ledger nor keep it busy."""

from __future__ import annotations

from collections import OrderedDict
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError

from api.desk import Desk
from api.problems import problem_response, sentence
from api.written_paths import written
from gateway.model.moment import MINUTE, Instant
from rules.ledger import audit
from rules.people.roles import ForbiddenError, Via

NOBODY = "-"
"""Who acts where nobody is logged in; no user name."""
AGAIN_AFTER = MINUTE
"""µs in which the same refusal of the same person is written once."""
IN_A_MINUTE = 30
"""Rows a minute, of all refusals together."""
_REMEMBERED = 1000

log = structlog.get_logger(__name__)


class Refusals:
    """What is remembered of refusals; of this process only, and of a fixed size."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._written: OrderedDict[tuple[str, str, str], Instant] = OrderedDict()
        self._minute = desk.clock.now()
        self._rows = 0
        self._left_out = 0

    async def note(
        self, action: str, subject: str, *, by: str, via: Via, **detail: str | None
    ) -> None:
        """Write it, unless it was just written or too much is; how many were left out goes into
        the next row. A ledger that does not answer keeps the refusal from nobody."""
        now = self._desk.clock.now()
        if not self._is_due((action, by, subject), now):
            self._left_out += 1
            return
        left_out, self._left_out = self._left_out, 0
        more = {"left_out": left_out} if left_out else {}

        def write() -> None:
            with self._desk.ledger.write(self._desk.site.id) as entry:
                audit.note(entry, action, subject, now.wall, by=by, via=via, **detail, **more)

        try:
            await self._desk.in_ledger(write)
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            log.warning("refusal not in the audit", action=action, by=by, error=str(cause))

    def _is_due(self, key: tuple[str, str, str], now: Instant) -> bool:
        if now.since(self._minute) >= MINUTE:
            self._minute, self._rows = now, 0
        earlier = self._written.get(key)
        if earlier is not None and now.since(earlier) < AGAIN_AFTER:
            return False
        if self._rows >= IN_A_MINUTE:
            return False
        self._rows += 1
        self._written[key] = now
        self._written.move_to_end(key)
        if len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)
        return True


def install(app: FastAPI) -> None:
    """Have ``app`` answer 403 to who may not, and write it down."""

    @app.exception_handler(ForbiddenError)
    async def on_forbidden(request: Request, error: ForbiddenError) -> Response:
        route = getattr(request.scope.get("route"), "path", "")
        refusals: Refusals = request.app.state.refusals
        await refusals.note(
            "denied",
            f"{request.method} {route}",
            by=error.actor.username,
            via=error.actor.via,
            permission=error.permission.value,
            area=error.area,
            path=quote(written(request.url.path))[:300],
        )
        return problem_response(request.url.path, 403, sentence(str(error)))
