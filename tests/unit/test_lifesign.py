"""What systemd hears of a service, and what is noticed of a loop that stalls."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from api import lifesign


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket of systemd, which wants a sign every 100 ms."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "100000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        yield listener


def test_it_is_ready_it_lives_it_ends(systemd: socket.socket) -> None:
    heard: list[str] = []

    async def service() -> None:
        while heard.count("WATCHDOG=1") < 3:
            heard.append(await asyncio.to_thread(lambda: systemd.recv(100).decode()))
        assert "NOTIFY_SOCKET" not in os.environ, "children are not to speak for us"

    begun = time.monotonic()
    asyncio.run(lifesign.beside(service()))
    assert heard[0] == "READY=1"
    assert time.monotonic() - begun >= 0.15, "half of what systemd waits for"
    while (last := systemd.recv(100)) != b"STOPPING=1":
        assert last == b"WATCHDOG=1"


def test_a_child_does_not_speak_for_its_parent(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_PID", "1")
    asyncio.run(lifesign.beside(asyncio.sleep(0)))
    systemd.setblocking(False)
    with pytest.raises(BlockingIOError):
        systemd.recv(100)


def test_without_systemd_and_with_one_that_is_gone_the_service_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in ("", str(tmp_path / "nobody"), "@nobody-of-the-tests"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        done: list[bool] = []

        async def service(done: list[bool] = done) -> None:
            done.append(True)

        asyncio.run(lifesign.beside(service()))
        assert done == [True]


def test_what_the_service_raises_is_raised(systemd: socket.socket) -> None:
    async def service() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(lifesign.beside(service()))


HANGS = """
import asyncio, sys, time
from api import lifesign
async def service():
    await asyncio.sleep(0.3)
    if sys.argv[1] == "hangs":
        time.sleep(60)
    await asyncio.sleep(60)
asyncio.run(lifesign.beside(service()))
"""


def test_what_hangs_is_silent_so_that_systemd_kills_it_and_starts_it_again(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Experiment 42, systemd played by the test: ``WatchdogSec`` and ``Restart=``."""
    allowed = 2.0
    monkeypatch.setenv("WATCHDOG_USEC", f"{allowed * 1e6:.0f}")
    with _running("hangs"):
        systemd.settimeout(30)
        assert systemd.recv(100) == b"READY=1"
        begun = time.monotonic()
        systemd.settimeout(allowed)
        with pytest.raises(TimeoutError):
            while time.monotonic() - begun < 10:
                assert systemd.recv(100) == b"WATCHDOG=1"
    systemd.settimeout(30)
    with _running("works"):
        assert [systemd.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]


@contextmanager
def _running(how: str) -> Iterator[None]:
    """A service until it is killed."""
    program = subprocess.Popen([sys.executable, "-c", HANGS, how])
    try:
        yield
    finally:
        program.kill()
        program.wait()


def test_a_loop_that_is_held_up_is_counted(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifesign, "STALL_S", 0.2)
    before = REGISTRY.get_sample_value("dutyroom_loop_stalls_total") or 0.0

    async def service() -> None:
        await asyncio.sleep(0)
        time.sleep(0.4)  # noqa: ASYNC251  # that is what is wrong with it
        while REGISTRY.get_sample_value("dutyroom_loop_stalls_total") == before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(lifesign.beside(service()), 5))
