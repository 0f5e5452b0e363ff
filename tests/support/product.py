"""The whole product as a person starts it: ``dutyroom up`` in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import loads
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx2
import psutil

ROOT = Path(__file__).parents[2]
START = 90
"""s for a start: some seconds, but a busy machine with two cores has others to serve."""
PASSWORD = "duty-room-of-the-tests"
T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T | None], seconds: float = 30) -> T:
    """The first true answer of ``look``; fails, with ``what``, when none came in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)


@dataclass(kw_only=True)
class Product:
    """One data directory, and the processes that are running on it."""

    data: Path
    site: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    session: httpx2.Client = field(init=False)
    killed: bool = False
    trouble: str = ""
    """What was in the way when it was last asked whether it is ready."""

    def __post_init__(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.session = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Origin": f"http://127.0.0.1:{self.port}"},
            timeout=10,
            trust_env=False,
        )

    def start(self, **environment: str) -> None:
        """Start everything and wait until it answers and we are logged in."""
        with (self.data.parent / "output.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api.cli", "up"],
                cwd=ROOT,
                env={
                    **os.environ,
                    "DUTYROOM_PORT": str(self.port),
                    "DUTYROOM_DATA": str(self.data),
                    "DUTYROOM_SITE": str(self.site),
                    "DUTYROOM_ADMIN_PASSWORD": PASSWORD,
                    **environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.be_ready()

    def be_ready(self) -> None:
        """Wait until all is well, and log in."""
        try:
            wait_for("dutyroom is ready", lambda: self.ready() and self.logged_in(), START)
        except AssertionError:
            raise AssertionError(f"not ready: {self.trouble}\n{self.output()[-3000:]}") from None

    def ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"dutyroom ended:\n{self.output()[-3000:]}")
        return self.answers()

    def answers(self) -> bool:
        """Whether something answers on our port that all is well."""
        try:
            answer = self.session.get("/healthz")
        except httpx2.HTTPError as error:
            self.trouble = repr(error)
            return False
        self.trouble = answer.text
        return answer.status_code == httpx2.codes.OK

    def logged_in(self) -> bool:
        """Log in; False where the server was killed in between."""
        try:
            self.log_in()
        except httpx2.TransportError as error:
            self.trouble = repr(error)
            return False
        return True

    def log_in(self) -> None:
        answer = self.session.post(
            "/api/v1/login", json={"username": "admin", "password": PASSWORD}
        )
        assert answer.status_code == httpx2.codes.OK, answer.text

    def output(self) -> str:
        log = self.data.parent / "output.log"
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def get(self, path: str, **query: Any) -> Any:
        answer = self.session.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == httpx2.codes.OK, answer.text
        return answer.json()

    def alarms(self) -> list[Mapping[str, Any]]:
        items: list[Mapping[str, Any]] = self.get("alarms", state="all", limit=200)["items"]
        return items

    def orders(self) -> list[Mapping[str, Any]]:
        items: list[Mapping[str, Any]] = self.get("orders", state="all", limit=200)["items"]
        return items

    def family(self) -> list[psutil.Process]:
        """The parent and everything it started."""
        assert self.process is not None
        try:
            parent = psutil.Process(self.process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def child(self, command: str) -> psutil.Process | None:
        """The child that runs ``dutyroom command``."""
        for process in self.family()[1:]:
            try:
                if command in process.cmdline():
                    return process
            except psutil.Error:
                continue
        return None

    def kill(self) -> None:
        """kill -9 of the whole group."""
        assert self.process is not None
        self.killed = True
        family = self.family()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(family, timeout=10)

    def end(self) -> None:
        """Leave nothing running, whatever the test did."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.session.close()

    def stop(self) -> int:
        """Ctrl-C, as a terminal sends it to the whole group; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(15)


@dataclass
class Sink:
    """A webhook that takes everything and remembers it."""

    address: str
    receipts: list[Mapping[str, Any]]


@contextmanager
def webhook_sink() -> Iterator[Sink]:
    receipts: list[Mapping[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            receipts.append(loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Sink(f"http://127.0.0.1:{server.server_address[1]}/notice", receipts)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
