"""Talking to an InfluxDB: lines in by ``/api/v2/write``, answers out by InfluxQL's ``/query``.

Both reach InfluxDB 1.8, 2 (a bucket is a database there, its policy ``autogen``) and 3 Core.
What a server can do is seen from its answers, not from a 200: VictoriaMetrics takes lines and
answers every SELECT with a series ``_internal``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS, WriteApi
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException

from gateway import metrics
from gateway.history.base import HistoryRefusedError, HistoryUnavailableError
from gateway.history.influx_address import InfluxAddress
from gateway.history.parking import Parking

_log = structlog.get_logger(__name__)

_LINES_AT_ONCE = 10_000
"""Some 1.5 MB; InfluxDB 1 takes 25 MB."""
_CONNECT_MS, _ANSWER_MS = 3_000, 10_000
_BAD_LINES = (400, 413, 422)
"""Answers that are about what was sent: InfluxDB 1 says 400, InfluxDB 2 also 422; 413: too long."""
_MICROSECONDS: Any = WritePrecision.US
_TOO_OLD = "retention policy"
"""In the reason where lines are older than the server keeps: it has stored all others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A series of an answer."""

    tags: Mapping[str, str]
    rows: Sequence[Sequence[Any]]
    """Time first, then the columns asked for; None where there is nothing."""


class InfluxServer:
    """Building it does not connect; used by several threads."""

    def __init__(self, address: InfluxAddress, parking: Parking) -> None:
        self.address = address
        self._parking = parking
        self._client = InfluxDBClient(
            address.url,
            token=address.token,
            org=address.org or "-",  # InfluxDB 1 has none; the client insists on one.
            timeout=(_CONNECT_MS, _ANSWER_MS),
            ssl_ca_cert=None if address.ca is None else str(address.ca),
        )
        self._writing: WriteApi = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[str]) -> None:
        """Store ``lines``, times in µs; when it returns they are stored, or parked with the
        server's reason. Raises HistoryUnavailableError; what was stored then may be stored
        again, which changes nothing: same tags and time overwrite."""
        for begin in range(0, len(lines), _LINES_AT_ONCE):
            self._put(lines[begin : begin + _LINES_AT_ONCE])

    def _put(self, lines: Sequence[str]) -> None:
        """Halve what is refused until the bad lines stand alone."""
        try:
            self._post(lines)
        except ApiException as error:
            if error.status not in _BAD_LINES:
                raise self._said(error) from None
            reason = _reason(error)
            if _TOO_OLD in reason:
                metrics.history_too_old.inc()
                _log.warning("readings older than the history server keeps", reason=reason)
            elif len(lines) == 1:
                self._park(lines[0], reason)
            else:
                half = len(lines) // 2
                self._put(lines[:half])
                self._put(lines[half:])

    def _post(self, lines: Sequence[str]) -> None:
        body = "\n".join(lines).encode()
        with self._named_errors():
            self._writing.write(self.address.bucket, record=body, write_precision=_MICROSECONDS)

    def _park(self, line: str, reason: str) -> None:
        try:
            self._parking.put(line, reason)
        except OSError as error:
            raise HistoryUnavailableError(f"a refused line cannot be parked: {error}") from error

    def select(
        self, columns: Sequence[str], measurement: str, rest: str, *, unit: str = "u"
    ) -> list[Table]:
        """``SELECT columns FROM measurement rest``. ``unit``: of the times in the answer.

        Raises HistoryUnavailableError, also where the answer is not to what was asked.
        """
        policy = f"{identifier(self.address.policy)}." if self.address.policy else ""
        words = ("SELECT", ", ".join(columns), "FROM", policy + identifier(measurement), rest)
        tables = []
        for series in self.ask(" ".join(words), unit=unit):
            width = len(series.get("columns", ()))
            if series.get("name") != measurement or width != len(columns) + 1:
                raise HistoryRefusedError(
                    f"{self.address.url} takes readings but cannot be asked for them: to "
                    f"{measurement!r} it answers {series.get('name')!r}; it is no InfluxDB"
                )
            tables.append(Table(tags=series.get("tags", {}), rows=series.get("values", ())))
        return tables

    def ask(self, statement: str, *, unit: str = "u", changes: bool = False) -> list[Any]:
        """The series that the server answers with. ``changes``: the statement changes data."""
        parameters = {"db": self.address.database, "epoch": unit, "q": statement}
        api: Any = self._client.api_client
        try:
            with self._named_errors():
                answer = api.call_api(
                    "/query",
                    "POST" if changes else "GET",
                    query_params=list(parameters.items()),
                    header_params={"Accept": "application/json"},
                    response_type=object,
                    auth_settings=[],
                    _return_http_data_only=True,
                )
        except ApiException as error:
            raise self._said(error) from None
        try:
            (result,) = answer["results"]
            wrong = result.get("error")
            series = list(result.get("series", ()))
        except (TypeError, ValueError, KeyError, AttributeError):
            raise HistoryRefusedError(
                f"{self.address.url} does not answer as an InfluxDB does"
            ) from None
        if wrong:
            raise HistoryRefusedError(f"{self.address.url}: {wrong}")
        return series

    def close(self) -> None:
        client: Any = self._client
        client.close()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise HistoryUnavailableError(
                f"{self.address.url} does not answer: {_first_line(str(cause))}"
            ) from None

    def _said(self, error: ApiException) -> HistoryUnavailableError:
        where, status = self.address.url, error.status
        if status == 0:
            # So the client tells of TLS that cannot be agreed on.
            said = " ".join(str(error.reason).split())
            return HistoryRefusedError(f"{where} cannot be reached safely: {said}")
        if status in (401, 403):
            return HistoryRefusedError(
                f"{where} refuses user or token ({status}: {_reason(error)})"
            )
        if status == 404:
            bucket = self.address.bucket
            return HistoryRefusedError(f"{where} has no {bucket!r} (404: {_reason(error)})")
        return HistoryUnavailableError(f"{where} answers {status}: {_reason(error)}")


def identifier(name: str) -> str:
    """A name in InfluxQL."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def literal(text: str) -> str:
    """A text in InfluxQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _reason(error: ApiException) -> str:
    body = error.body
    try:
        said = json.loads(body)
        return _first_line(str(said.get("error") or said.get("message") or body))
    except (TypeError, ValueError, AttributeError):
        return _first_line(str(body or error.reason))


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[0][:500]
