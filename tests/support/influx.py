"""InfluxDB 1.6 of Debian behind a front, and VictoriaMetrics: on loopback, each with its own data.

InfluxDB 1.6 lacks ``/api/v2/write``. The front does for that one path what InfluxDB 1.8 does
(https://docs.influxdata.com/influxdb/v1/tools/api/#apiv2write-http-endpoint): bucket ``db/policy``
and precision become parameters of ``/write``, a token ``user:password`` becomes HTTP's Basic. All
else is passed on as it is.
"""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

from oracle import Kept
from worlds import free_port

from gateway.history.influx_address import InfluxAddress
from gateway.model.equipment import BrokerTls

USER, PASSWORD = "dutyroom", "right:horse"
_PRECISION = {"ns": "n", "us": "u", "ms": "ms", "s": "s"}
_SETTINGS = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = true
  log-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
"""


class InfluxServer:
    """influxd and its front; a test that has one for itself may kill influxd and start it again."""

    def __init__(self, influxd: str, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._command = [influxd, "-config", str(folder / "influxdb.conf")]
        settings = _SETTINGS.format(folder=folder, port=self.port, rpc=free_port())
        (folder / "influxdb.conf").write_text(settings)
        self._fronts: list[_Front] = []
        self.url = self.front()

    def front(self, tls: BrokerTls | None = None) -> str:
        """The address of one more front."""
        front = _Front(self.port)
        self._fronts.append(front)
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate or "", tls.key)
            front.socket = context.wrap_socket(front.socket, server_side=True)
        Thread(target=front.serve_forever, daemon=True).start()
        return f"http{'' if tls is None else 's'}://127.0.0.1:{front.server_address[1]}"

    def start(self) -> None:
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        _wait_for_ping(self.port, self._process, self.folder / "output.log")
        self.ask(f"CREATE USER {USER} WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES")

    def kill(self) -> None:
        """kill -9 of influxd; the front answers 502 from then on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def end(self) -> None:
        self.kill()
        for front in self._fronts:
            front.shutdown()
            front.server_close()

    def new_database(self) -> InfluxAddress:
        """An empty database, as the settings would name it."""
        name = f"history_{next(self._numbers)}"
        self.ask(f'CREATE DATABASE "{name}"')
        return InfluxAddress(
            url=self.url, bucket=f"{name}/autogen", token=f"{USER}:{PASSWORD}", org=""
        )

    def drop_database(self, address: InfluxAddress) -> None:
        self.ask(f'DROP DATABASE "{address.database}"')

    def ask(self, statement: str, database: str = "") -> Any:
        """The answer of influxd itself, without front and product."""
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        query = urllib.parse.urlencode({"q": statement, "db": database, "epoch": "u"})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {"Authorization": f"Basic {basic}"}
            connection.request("POST", f"/query?{query}", headers=headers)
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer


def kept_in(server: InfluxServer, address: InfluxAddress) -> Kept:
    """What the oracle asks of this history, past front and product."""

    def rows(statement: str) -> list[list[Any]]:
        (result,) = server.ask(statement, address.database)["results"]
        return [row for series in result.get("series", ()) for row in series["values"]]

    def newest(epoch: str) -> int:
        found = rows("SELECT epoch, seq FROM dutyroom_cursor")
        return max((seq for _, of, seq in found if of == epoch), default=0)

    def readings(point: str) -> list[tuple[int, float | None]]:
        equipment, _, key = point.partition(".")
        where = f"equipment = '{equipment}' AND point = '{key}'"
        return [
            (at, value) for at, value, _ in rows(f"SELECT value, quality FROM /.*/ WHERE {where}")
        ]

    return Kept(newest=newest, readings=readings)


class _Front(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behind: int) -> None:
        self.behind = behind
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Front

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kept = ("Content-Type", "Content-Encoding", "Accept")
        headers = {name: self.headers[name] for name in kept if name in self.headers}
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Token":
            headers["Authorization"] = f"Basic {base64.b64encode(token.encode()).decode()}"
        try:
            status, answer, kind = self._ask(_translated(self.path), body, headers)
        except (OSError, http.client.HTTPException) as error:
            status, answer, kind = 502, json.dumps({"error": str(error)}).encode(), ""
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/json")
        if status != http.client.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _ask(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        try:
            connection.request(self.command, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("Content-Type", "")
        finally:
            connection.close()

    def log_message(self, *_: object) -> None:
        pass


def _translated(path: str) -> str:
    parts = urllib.parse.urlsplit(path)
    if parts.path != "/api/v2/write":
        return path
    given = dict(urllib.parse.parse_qsl(parts.query))
    database, _, policy = given["bucket"].partition("/")
    asked = {"db": database, "precision": _PRECISION[given.get("precision", "ns")]}
    if policy:
        asked["rp"] = policy
    return f"/write?{urllib.parse.urlencode(asked)}"


@contextmanager
def running_influx(influxd: str) -> Iterator[InfluxServer]:
    """A running server, and nothing left of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="dutyroom-influx-"))
    server = InfluxServer(influxd, folder)
    try:
        server.start()
        yield server
    finally:
        server.end()
        shutil.rmtree(folder)


@contextmanager
def running_victoria(program: str) -> Iterator[str]:
    """The address of a VictoriaMetrics."""
    folder, port = Path(tempfile.mkdtemp(prefix="dutyroom-victoria-")), free_port()
    log = folder / "output.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                program,
                f"-storageDataPath={folder / 'data'}",
                f"-httpListenAddr=127.0.0.1:{port}",
                "-retentionPeriod=100y",
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for_ping(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def _wait_for_ping(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/ping")
            connection.getresponse().read()
            return
        except (OSError, http.client.HTTPException):
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
            time.sleep(0.05)
        finally:
            connection.close()
