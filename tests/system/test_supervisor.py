"""The parent of ``dutyroom up``: its children's life, and what a kill -9 leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from product import Product, wait_for

from api import supervise
from api.settings import CannotStartError, demo_site
from api.supervise import Program, Supervisor

ROOT = Path(__file__).parents[2]
MODBUS_LINKS = 6

# A child as the product's: it holds its lifeline, ends politely, and notes what it sees.
CHILD = """
import asyncio, pathlib, sys
from api import lifeline
lifeline.hold()
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
async def main():
    stop = lifeline.stop_on_signals()
    (folder / f"{name}.started").write_text("yes")
    await stop.wait()
    with (folder / "ended").open("a") as file:
        file.write(name + " ")
asyncio.run(main())
"""

PARENT = """
import asyncio, sys
from api import lifeline
from api.supervise import Program, Supervisor
folder, child = sys.argv[1], sys.argv[2]
programs = [
    Program(name=name, command=[sys.executable, "-c", child, folder, name]) for name in "ab"
]
async def main():
    await Supervisor(programs, say=print).run(lifeline.stop_on_signals())
asyncio.run(main())
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


@contextmanager
def parent(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """A parent in a process group of its own, and its two children, all well started."""
    process = subprocess.Popen(
        python(PARENT, str(folder), CHILD),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for name in "ab":
            wait_for(f"child {name} started", (folder / f"{name}.started").exists)
        yield process, psutil.Process(process.pid).children()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_ctrl_c_ends_the_children_in_order_and_the_parent_with_0(tmp_path: Path) -> None:
    with parent(tmp_path) as (process, children):
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(10) == 0
        assert [child.is_running() for child in children] == [False, False]
    # The last one started ends first: had Ctrl-C reached them itself, there would be no order.
    assert (tmp_path / "ended").read_text() == "b a "


def test_a_killed_parent_leaves_no_child(tmp_path: Path) -> None:
    with parent(tmp_path) as (process, children):
        assert len(children) == 2
        process.kill()
        gone, alive = psutil.wait_procs(children, timeout=8)
        assert len(gone) == 2
        assert alive == []
    assert sorted((tmp_path / "ended").read_text().split()) == ["a", "b"]


def run_until(reached: Callable[[], bool], *programs: Program) -> list[str]:
    """Supervise ``programs`` until ``reached``; what was said meanwhile."""
    said: list[str] = []

    async def scene() -> None:
        stop = asyncio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            tasks.create_task(Supervisor(programs, say=said.append).run(stop))
            await asyncio.to_thread(wait_for, "what the test waits for", reached, 15)
            stop.set()

    asyncio.run(scene())
    return said


def test_what_falls_is_started_again_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "_FIRST_DELAY", 0.05)
    # The third start stays; the two before it die by a signal and with the code for a wrong
    # configuration, which ends everything only at the very first start.
    code = """
import os, pathlib, signal, sys, time
log = pathlib.Path(sys.argv[1])
n = len(log.read_text()) if log.exists() else 0
log.write_text("x" * (n + 1))
if n == 0: os.kill(os.getpid(), signal.SIGKILL)
if n == 1: sys.exit(2)
time.sleep(60)
"""
    log = tmp_path / "starts"
    said = run_until(
        lambda: log.exists() and log.read_text() == "xxx",
        Program(name="the thing", command=python(code, str(log))),
    )
    assert said == [
        "the thing ended (killed by SIGKILL); starting it again in 0.05 s",
        "the thing ended (exit code 2); starting it again in 0.1 s",
    ]


def test_a_failpoint_kills_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "_FIRST_DELAY", 0.05)
    monkeypatch.setenv("DUTYROOM_FAILPOINT", "after-spool")
    code = """
import os, pathlib, sys, time
log = pathlib.Path(sys.argv[1])
with log.open("a") as file: file.write(os.environ.get("DUTYROOM_FAILPOINT", "none") + " ")
if "DUTYROOM_FAILPOINT" in os.environ: sys.exit(1)
time.sleep(60)
"""
    log = tmp_path / "starts"
    run_until(
        lambda: log.exists() and log.read_text().endswith("none "),
        Program(name="the thing", command=python(code, str(log))),
    )
    assert log.read_text() == "after-spool none "


def test_a_child_that_cannot_work_ends_everything(tmp_path: Path) -> None:
    lasting = Program(name="the lasting", command=python("import time; time.sleep(60)"))
    wrong = Program(name="the wrong", command=python("import sys; sys.exit(2)"))

    async def scene() -> None:
        async with asyncio.timeout(15):
            await Supervisor([lasting, wrong], say=lambda _: None).run(asyncio.Event())

    with pytest.raises(CannotStartError, match="the wrong cannot work"):
        asyncio.run(scene())


def test_who_does_not_end_politely_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "_POLITE", 0.3)
    started = tmp_path / "started"
    code = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text("yes")
time.sleep(60)
"""
    began = time.monotonic()
    said = run_until(started.exists, Program(name="the deaf", command=python(code, str(started))))
    assert said == ["the deaf does not end by itself; killing it"]
    assert time.monotonic() - began < 10


def test_a_deaf_child_costs_its_siblings_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "_POLITE", 0.3)
    slow, deaf = tmp_path / "slow", tmp_path / "deaf"
    code = """
import pathlib, signal, sys, time
def end(*_):
    time.sleep(0.5)
    sys.exit(0)
signal.signal(signal.SIGTERM, end if sys.argv[2] == "slow" else signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text("yes")
time.sleep(60)
"""
    said = run_until(
        lambda: slow.exists() and deaf.exists(),
        Program(name="the slow", command=python(code, str(slow), "slow")),
        Program(name="the deaf", command=python(code, str(deaf), "deaf")),
    )
    assert said == ["the deaf does not end by itself; killing it"]


@pytest.fixture
def product(tmp_path: Path, free_port: int) -> Iterator[Product]:
    running = Product(data=tmp_path / "data", site=demo_site(), port=free_port)
    try:
        yield running
    finally:
        for process in running.family() if running.process else ():
            with suppress(psutil.NoSuchProcess):
                process.kill()


def listening(processes: list[psutil.Process]) -> set[int]:
    """The ports that ``processes`` listen on."""
    return {
        connection.laddr.port
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def elapsed(data: Path) -> int:
    """Ticks of the simulated world, as it was last saved."""
    state = json.loads((data / "simulators" / "state.json").read_text())
    return int(state["world"]["ticks"])


def reached(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
def test_up_starts_everything_goes_on_after_a_kill_and_ends_by_ctrl_c(product: Product) -> None:
    product.start()
    family = product.family()
    assert [
        name for name in ("broker", "simulate", "embedded") if product.child(name) is None
    ] == []
    ports = listening(family)
    assert product.port in ports
    # Page, broker, and the registers behind each Modbus link of the demonstration.
    assert len(ports) == 2 + MODBUS_LINKS

    before = wait_for("the world moves", lambda: elapsed(product.data), 10)
    assert product.process is not None
    product.process.kill()
    product.process.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert [port for port in ports if reached(port)] == []

    product.start()
    assert elapsed(product.data) >= before
    family = product.family()
    began = time.monotonic()
    assert product.stop() == 0
    assert time.monotonic() - began < 10
    assert not any(process.is_running() for process in family)
    output = product.output()
    assert "the simulated world goes on" in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_a_fallen_child_comes_back_and_the_others_never_notice(product: Product) -> None:
    product.start()
    simulators, server = product.child("simulate"), product.child("embedded")
    assert simulators is not None
    assert server is not None
    simulators.kill()
    wait_for("it was said", lambda: "the simulators ended (killed by SIGKILL)" in product.output())
    back = wait_for("the simulators are back", lambda: product.child("simulate"), 15)
    assert back.pid != simulators.pid
    assert server.is_running()
    assert product.stop() == 0
