"""A backup is taken while everything runs, and what it brings back is what there was
(experiment 35)."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import history_file
import pytest
from product import PASSWORD, ROOT, Product, wait_for
from worlds import demo_site, free_port

pytestmark = pytest.mark.slow


def dutyroom(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def changed(archive: Path, to: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy of ``archive`` with other members; None leaves one out."""
    with tarfile.open(archive) as source, tarfile.open(to, "w:gz") as target:
        for member in source:
            file = source.extractfile(member)
            assert file is not None
            content = change(member.name, file.read())
            if content is not None:
                member.size = len(content)
                target.addfile(member, io.BytesIO(content))
    return to


def work(product: Product) -> tuple[list[object], list[object]]:
    """Alarms and orders, but for what depends on the time of asking."""
    alarms = [{**alarm, "current": None} for alarm in product.alarms()]
    return alarms, [{**order, "clock": None} for order in product.orders()]


def test_backup_while_running_and_restored_elsewhere(tmp_path: Path) -> None:
    site = demo_site(tmp_path / "site", hot=[(3, 600)], quick_rule=True)
    first = Product(data=tmp_path / "first", site=site, port=free_port())
    archive = tmp_path / "backup.tar.gz"
    try:
        first.start()
        (alarm,) = wait_for("an alarm", first.alarms, 60)
        headers = {"Idempotency-Key": "k1"}
        first.session.post(f"/api/v1/alarms/{alarm['id']}/acknowledge", headers=headers)
        taken = dutyroom(
            *("backup", archive, "--site", site, "--data", first.data, "--with-history")
        )
        assert taken.returncode == 0, taken.stderr
        known = work(first)
        assert known[0][0]["state"] == "acknowledged"
        assert archive.stat().st_mode & 0o777 == 0o600
        again = dutyroom("backup", archive, "--site", site, "--data", first.data)
        assert (again.returncode, "there already" in again.stderr) == (2, True)
        refused = dutyroom("restore", archive, "--data", first.data, "--force")
        assert refused.returncode == 2
        assert "running" in refused.stderr
        assert first.stop() == 0
    finally:
        first.end()

    restored = tmp_path / "second"
    brought = dutyroom("restore", archive, "--data", restored)
    assert brought.returncode == 0, brought.stderr
    assert "verified" in brought.stdout
    assert (restored / "site/site.yaml").read_bytes() == site.read_bytes()
    assert (restored / "site/rulebook/alarms/pump.yaml").is_file()
    with closing(sqlite3.connect(restored / "history.db")) as history:
        assert history_file.readings(history)
    verified = dutyroom(
        *("audit", "verify", "--site", restored / "site/site.yaml", "--data", restored)
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr

    second = Product(data=restored, site=restored / "site/site.yaml", port=free_port())
    try:
        second.start()
        (kept,) = (one for one in work(second)[0] if one["id"] == alarm["id"])
        assert kept["acknowledged_by"] == "admin"
        assert {one["id"] for one in work(second)[1]} >= {one["id"] for one in known[1]}
        assert second.stop() == 0
    finally:
        second.end()

    there = dutyroom("restore", archive, "--data", restored)
    assert there.returncode == 2
    assert "in the way" in there.stderr
    forced = dutyroom("restore", archive, "--data", restored, "--force")
    assert forced.returncode == 0, forced.stderr
    assert len(list(restored.glob("ledger.db.before-*"))) == 1
    _nothing_damaged_is_taken(archive, tmp_path)


def _nothing_damaged_is_taken(archive: Path, folder: Path) -> None:
    def one_row_less(name: str, content: bytes) -> bytes:
        return content[: content.rindex(b"\n", 0, -1) + 1] if name == "ledger.jsonl" else content

    def another_name(name: str, content: bytes) -> bytes:
        return (
            content.replace(b"acknowledged", b"ACKNOWLEDGED") if name[-6:] == ".jsonl" else content
        )

    def no_site(name: str, content: bytes) -> bytes | None:
        return None if name.endswith("site.yaml") else content

    def of_later(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        return json.dumps({**json.loads(content), "version": 2}).encode()

    for number, change in enumerate((one_row_less, another_name, no_site, of_later)):
        wrong = changed(archive, folder / f"wrong-{number}.tar.gz", change)
        refused = dutyroom("restore", wrong, "--data", folder / "third")
        assert refused.returncode == 2, change.__name__
        assert "Traceback" not in refused.stderr
    cut = folder / "cut.tar.gz"
    cut.write_bytes(archive.read_bytes()[:-2000])
    assert dutyroom("restore", cut, "--data", folder / "third").returncode == 2
    assert not (folder / "third/ledger.db").exists()
    assert not list((folder / "third").glob(".restore-*"))


def test_an_api_that_runs_is_in_the_way(tmp_path: Path) -> None:
    """It takes no lock of its own, but it has the ledger open."""
    data = tmp_path / "data"
    data.mkdir()
    site = demo_site(tmp_path / "site")
    environment = {"DUTYROOM_ADMIN_PASSWORD": PASSWORD}
    archive = tmp_path / "backup.tar.gz"
    made = dutyroom("backup", archive, "--site", site, "--data", data, **environment)
    assert made.returncode == 0, made.stderr
    other = sqlite3.connect(data / "ledger.db")
    other.execute("SELECT count(*) FROM alarm").fetchone()
    refused = dutyroom("restore", archive, "--data", data, "--force")
    assert refused.returncode == 2
    assert "in use" in refused.stderr
    other.close()
    assert dutyroom("restore", archive, "--data", data, "--force").returncode == 0
