"""The files of photographs: safe before anybody hears of them, never half, and found when lost."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from rules.attached_files import AttachedFiles, LostFileError, NoRoomError, media_type_of

JPEG = b"\xff\xd8\xff\xe0 a pump"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_what_is_kept_comes_back_and_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    files = AttachedFiles(tmp_path / "attachments", reserve=0)
    name = files.put(JPEG)
    assert name == files.put(JPEG) == hashlib.sha256(JPEG).hexdigest()
    assert names(tmp_path) == [name]
    assert files.read(name) == JPEG
    assert not files.path(name).stat().st_mode & 0o077


def test_the_content_is_on_the_disk_before_the_name_and_the_name_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = AttachedFiles(tmp_path, reserve=0)
    done: list[str] = []
    sync, rename = os.fsync, Path.replace

    def synced(handle: int) -> None:
        done.append("folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "content")
        sync(handle)

    def renamed(fresh: Path, to: Path) -> Path:
        done.append("name")
        return rename(fresh, to)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    files.put(JPEG)
    assert done == ["folder", "content", "name", "folder"], "the first one is of the new folder"


def test_a_damaged_or_missing_file_is_told_and_mended_by_the_same_bytes(tmp_path: Path) -> None:
    files = AttachedFiles(tmp_path, reserve=0)
    name = files.put(JPEG)
    files.path(name).write_bytes(b"half")
    with pytest.raises(LostFileError, match="not what was written"):
        files.read(name)
    files.path(name).unlink()
    with pytest.raises(LostFileError, match="No such file"):
        files.read(name)
    files.put(JPEG)
    assert files.read(name) == JPEG


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoRoomError, match="nearly full"):
        AttachedFiles(tmp_path / "a", reserve=1 << 60).put(JPEG)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoRoomError):
        AttachedFiles(tmp_path / "b", reserve=0).put(JPEG)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"<!doctype html><script>", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_the_first_bytes_say_what_it_is(data: bytes, kind: str | None) -> None:
    assert media_type_of(data) == kind
