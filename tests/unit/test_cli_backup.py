"""``dutyroom backup`` and ``restore``: what they say of a broken audit, and who may read files."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from product import ROOT
from sqlalchemy import update
from worlds import demo_site

from api.backup import Manifest, in_the_way
from api.data_directory import DataDirectory
from gateway.model.moment import Instant
from rules.attached_files import AttachedFiles
from rules.ledger import attachments, audit
from rules.ledger.attachments import Attachment, AttachmentKind, SubjectKind
from rules.ledger.dump import Contents
from rules.ledger.store import open_ledger
from rules.ledger.tables import work
from rules.people.roles import Actor, Role, Via

AT = Instant(wall=1_795_233_600_000_000, mono=0, boot="b")
ADMIN = Actor(username="admin", role=Role.ADMIN, via=Via.COMMAND)


def dutyroom(*arguments: object) -> subprocess.CompletedProcess[str]:
    """As a person with the usual umask runs it."""
    environment = {name: said for name, said in os.environ.items() if name[:9] != "DUTYROOM_"}
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        umask=0o022,
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Its files are readable for everybody, as an editor leaves them."""
    made = demo_site(tmp_path / "site", quick_rule=True)
    for path in (tmp_path / "site").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A ledger with one deed in its audit."""
    folder = tmp_path / "data"
    with closing(open_ledger(folder / "ledger.db")) as ledger, ledger.write("demo") as entry:
        audit.record(entry, ADMIN, "site.opened", "demo", AT.wall)
    return folder


def open_to_others(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.stat().st_mode & 0o077]


def test_what_a_restore_writes_only_its_owner_can_read(
    tmp_path: Path, site: Path, data: Path
) -> None:
    """The rulebook and the broker's password came back readable for everybody."""
    archive, there = tmp_path / "backup.tar.gz", tmp_path / "restored"
    assert dutyroom("backup", archive, "--site", site, "--data", data).returncode == 0
    assert archive.stat().st_mode & 0o777 == 0o600
    with tarfile.open(archive) as packed:
        assert {member.mode & 0o777 for member in packed} == {0o600}
    elsewhere = there / "site-of-its-own"
    elsewhere.mkdir(parents=True)
    brought = dutyroom("restore", archive, "--data", there, "--site-folder", elsewhere)
    assert brought.returncode == 0, brought.stderr
    assert (elsewhere / "site.yaml").is_file(), "a folder that is there and empty is filled"
    assert open_to_others(there) == []


def test_an_archive_with_open_modes_is_unpacked_for_the_owner_alone(
    tmp_path: Path, site: Path, data: Path
) -> None:
    archive, opened = tmp_path / "backup.tar.gz", tmp_path / "opened.tar.gz"
    dutyroom("backup", archive, "--site", site, "--data", data)
    with tarfile.open(archive) as source, tarfile.open(opened, "w:gz") as target:
        for member in source:
            file = source.extractfile(member)
            target.addfile(member.replace(mode=0o666), file)
    brought = dutyroom("restore", opened, "--data", tmp_path / "restored")
    assert brought.returncode == 0, brought.stderr
    assert open_to_others(tmp_path / "restored") == []


def test_the_sites_in_the_way_are_named(tmp_path: Path, data: Path) -> None:
    """--force replaces them; the message did not say whose rows they are."""
    manifest = Manifest(
        made_at="",
        product="",
        site="demo",
        site_file="",
        ledger=Contents(revision="", rows={}, audits={}),
        files={},
    )
    with closing(open_ledger(data / "ledger.db")) as server:
        found = in_the_way(
            manifest, data=DataDirectory(data), server=server, site_folder=tmp_path / "none"
        )
    assert found == ["the rows in the database of the ledger (sites: demo)"]


def test_a_broken_audit_is_told_loudly_and_can_be_restored(
    tmp_path: Path, site: Path, data: Path
) -> None:
    """It was backed up without a word, and no restore took it."""
    with closing(open_ledger(data / "ledger.db")) as ledger, ledger.writing() as connection:
        connection.execute(update(work.counter).values(audit_hash="0" * 64))
    archive, there = tmp_path / "backup.tar.gz", tmp_path / "restored"
    made = dutyroom("backup", archive, "--site", site, "--data", data)
    assert made.returncode == 1
    assert "THE AUDIT OF demo IS BROKEN at row 1" in made.stderr
    brought = dutyroom("restore", archive, "--data", there)
    assert brought.returncode == 0, brought.stderr
    assert "restored; the audit of demo is broken at row 1" in brought.stdout
    assert "the audit of demo (" not in brought.stdout


def test_photographs_come_along_and_one_that_is_lost_is_told_loudly(
    tmp_path: Path, site: Path, data: Path
) -> None:
    files = AttachedFiles(data / "attachments", reserve=0)
    kept, lost = files.put(b"\xff\xd8\xff one"), files.put(b"\xff\xd8\xff two")
    with closing(open_ledger(data / "ledger.db")) as ledger, ledger.write("demo") as entry:
        for name in (kept, lost):
            attachments.add(entry, photograph(name))
    archive, there = tmp_path / "backup.tar.gz", tmp_path / "restored"
    whole = dutyroom("backup", archive, "--site", site, "--data", data)
    assert whole.returncode == 0, whole.stderr
    assert "files of photographs and signatures: 2" in whole.stdout
    files.path(lost).write_bytes(b"half")
    made = dutyroom("backup", archive, "--site", site, "--data", data, "--force")
    assert made.returncode == 1
    assert "1 OF THE PHOTOGRAPHS ARE LOST" in made.stderr
    assert lost in made.stderr
    brought = dutyroom("restore", archive, "--data", there)
    assert brought.returncode == 0, brought.stderr
    assert lost in brought.stderr
    back = AttachedFiles(there / "attachments")
    assert back.read(kept) == b"\xff\xd8\xff one"
    assert not back.path(lost).exists()
    assert open_to_others(there) == []
    refused = dutyroom("restore", archive, "--data", there)
    assert str(there / "attachments") in refused.stderr


def photograph(sha256: str) -> Attachment:
    return Attachment(
        id=sha256[:8],
        subject_kind=SubjectKind.ORDER,
        subject="order-1",
        kind=AttachmentKind.PHOTO,
        media_type="image/jpeg",
        size=7,
        sha256=sha256,
        caption=None,
        signed_by=None,
        by="li",
        at=AT.wall,
    )
