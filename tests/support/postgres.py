"""A PostgreSQL server that a test may stop, kill and start again: on loopback, with a password.

It never runs as root: started by root it runs as the user ``postgres`` that Debian's package
makes, in a folder that belongs to it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psutil
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from gateway.model.equipment import BrokerTls
from rules.ledger.store import open_ledger
from rules.ledger.tables import metadata

USER, PASSWORD = "dutyroom", "right:horse"
_SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
max_connections = 60
shared_buffers = 32MB
fsync = {fsync}
full_page_writes = {fsync}
synchronous_commit = {fsync}
"""
_EMPTY = """
DO $$
DECLARE one text;
BEGIN
  SET LOCAL lock_timeout = '1s';
  SET LOCAL session_replication_role = replica;  -- in any order, whatever refers to what
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'audit_only_grows') THEN
    RAISE 'the audit was laid open';
  END IF;
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    IF one = 'alembic_version' THEN CONTINUE; END IF;
    IF NOT one = ANY ('{%s}') THEN RAISE 'there is a table more'; END IF;
    EXECUTE format('DELETE FROM %I', one);
  END LOOP;
END $$
""".replace("%s", ",".join(metadata.tables))


class PostgresServer:
    """``durable``: whether a commit is on the disk; without it tests are quicker, and a killed
    machine would lose it (a killed server does not)."""

    def __init__(
        self,
        postgres: str,
        folder: Path,
        port: int,
        *,
        durable: bool = True,
        tls: BrokerTls | None = None,
    ) -> None:
        self.port = port
        self._programs = Path(postgres).resolve().parent
        self._folder = folder
        self._data = folder / "data"
        self._as = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._model: str | None = None
        self._emptied: list[str] = []
        self._ways_back: dict[str, Engine] = {}
        if self._as:
            shutil.chown(folder, self._as["user"], self._as["group"])
        self._initialise()
        fsync = "on" if durable else "off"
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS.format(port=port, folder=folder, fsync=fsync))
            if tls is not None:
                certificate, key = self._own(tls.certificate), self._own(tls.key)
                settings.write(f"ssl = on\nssl_cert_file = '{certificate}'\n")
                settings.write(f"ssl_key_file = '{key}'\n")

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data)],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **self._as,
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, self.output()
            assert time.monotonic() < deadline, f"PostgreSQL does not answer:\n{self.output()}"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in order, whoever is connected."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """kill -9 of the server and of each of its processes."""
        if self._process is None:
            return
        family = [psutil.Process(self._process.pid)]
        family += family[0].children(recursive=True)
        for process in family:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self._process.wait()
        self._process = None
        deadline = time.monotonic() + 10
        while left := [process for process in family if _is_alive(process)]:
            assert time.monotonic() < deadline, f"still there after kill -9: {left}"
            time.sleep(0.01)

    def url(self, database: str, *, password: str = PASSWORD) -> str:
        """Where ``database`` is, as ``DUTYROOM_LEDGER`` has it."""
        return URL.create(
            "postgresql+psycopg",
            username=USER,
            password=password,
            host="127.0.0.1",
            port=self.port,
            database=database,
        ).render_as_string(hide_password=False)

    def new_database(self, *, like: str = "template1") -> str:
        """The URL of a new database, an empty one, or a copy of another."""
        name = f"ledger_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {like}")
        return self.url(name)

    def new_ledger(self) -> str:
        """The URL of a database that has the tables of a ledger and nothing in them. It comes from
        :meth:`take_back` where that is possible: the server is longer at a new one than most tests
        are at their work."""
        if self._emptied:
            return self._emptied.pop()
        if self._model is None:
            # Making the tables takes longer than most tests.
            self._model = self.new_database()
            open_ledger(self._model).close()
        return self.new_database(like=self._model.rpartition("/")[2])

    def take_back(self, url: str) -> None:
        """Empty what :meth:`new_ledger` gave, for the next test; remove it where somebody who is
        still connected holds that up, or where it is not made as it was."""
        # One connection for every time: making one takes as long as emptying.
        if url not in self._ways_back:
            self._ways_back[url] = create_engine(url, isolation_level="AUTOCOMMIT")
        try:
            with self._ways_back[url].connect() as connection:
                connection.execute(text(_EMPTY))
        except DBAPIError:
            self.drop_database(url)
        else:
            self._emptied.append(url)

    def drop_database(self, url: str) -> None:
        """Remove what :meth:`new_database` made, though somebody may still be connected."""
        if url in self._ways_back:
            self._ways_back.pop(url).dispose()
        self._run(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def output(self) -> str:
        return (self._folder / "output.log").read_text(errors="replace")[-3000:]

    def _initialise(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._as:
            shutil.chown(secret, self._as["user"], self._as["group"])
        subprocess.run(
            [
                str(self._programs / "initdb"),
                *("-D", str(self._data), "-U", USER, "--pwfile", str(secret)),
                *("--auth", "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._as,
        )

    def _own(self, file: str | None) -> Path:
        """A copy that the server may read and nobody else."""
        copy = Path(shutil.copy(file or "", self._folder))
        copy.chmod(0o600)
        if self._as:
            shutil.chown(copy, self._as["user"], self._as["group"])
        return copy

    def _answers(self) -> bool:
        try:
            self._run("SELECT 1")
        except OperationalError:
            return False
        return True

    def _run(self, statement: str, url: str | None = None) -> None:
        engine = create_engine(
            url or self.url("postgres"),
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": 2},
        )
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()


@contextmanager
def running_postgres(
    postgres: str, port: int, *, durable: bool = True, tls: BrokerTls | None = None
) -> Iterator[PostgresServer]:
    """A running server, and nothing left of it afterwards."""
    # Not below pytest's folder, into which no other user may look; and the path of a socket
    # must be short.
    folder = Path(tempfile.mkdtemp(prefix="dutyroom-postgres-"))
    server = None
    try:
        server = PostgresServer(postgres, folder, port, durable=durable, tls=tls)
        server.start()
        yield server
    finally:
        if server is not None:
            server.kill()
        shutil.rmtree(folder)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _unprivileged() -> dict[str, str | list[str]]:
    """Arguments for a subprocess that make it run as somebody other than root."""
    if os.geteuid() != 0:
        return {}
    group = pwd.getpwnam("postgres").pw_gid
    return {"user": "postgres", "group": group, "extra_groups": []}
