"""Experiment 63: pictures that unpack to gigabytes, files that are two things at once, and what is
kept of those that are taken."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from photographs import SECRETS, photograph
from PIL import Image

from rules.drawn_anew import LONGEST, NoPictureError, drawn_anew
from rules.pictures import weight, wrong_with


def png(width: int, height: int, behind: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(b"\0" * 64))
    return b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b"") + behind


def jpeg(
    width: int, height: int, behind: bytes = b"", *, scans: int = 2, frame: int = 0xC2
) -> bytes:
    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    # A thumbnail with an end of its own lies in the first segment.
    note = segment(0xE1, b"Exif\0\0\xff\xd8 thumbnail \xff\xd9")
    head = segment(frame, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd3\x56"
    return b"\xff\xd8" + note + head + scan * scans + b"\xff\xd9" + behind


def webp(width: int, height: int, behind: bytes = b"") -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + sizes
    return b"RIFF" + struct.pack("<I", len(body)) + body + behind


MADE = {"image/png": png, "image/jpeg": jpeg, "image/webp": webp}


@pytest.mark.parametrize("kind", MADE)
def test_a_photograph_is_taken_and_a_bomb_or_two_things_at_once_are_not(kind: str) -> None:
    make = MADE[kind]
    assert wrong_with(make(4000, 3000), kind) is None
    assert wrong_with(make(4000, 3000, b"\0" * 4000), kind) is None
    for size in ((16_000, 16_000), (30_000, 10), (6000, 5000), (0, 10)):
        if size[0] or kind != "image/webp":
            assert "too large" in str(wrong_with(make(*size), kind))
    for other in (b"PK\x05\x06" + b"\0" * 18, b"<script>alert(1)</script>", b"%PDF-1.7"):
        assert "behind the end" in str(wrong_with(make(800, 600, other), kind))


@pytest.mark.parametrize("kind", MADE)
def test_what_is_cut_anywhere_is_no_picture(kind: str) -> None:
    whole = MADE[kind](800, 600)
    for length in range(12, len(whole)):
        assert "cut short" in str(wrong_with(whole[:length], kind)), length


def test_a_jpeg_is_large_by_how_it_is_unpacked() -> None:
    """One that is drawn from top to bottom is unpacked small. Others lie in memory as a whole; and
    of very many steps each goes through all of it, for hours."""
    assert weight(jpeg(8000, 6000, frame=0xC0), "image/jpeg") == 0
    assert wrong_with(jpeg(8000, 6000, frame=0xC0), "image/jpeg") is None
    assert "too large" in str(wrong_with(jpeg(8000, 6000), "image/jpeg"))
    one_of_three = jpeg(8000, 6000, frame=0xC0).replace(b"\x01\x01\x11", b"\x03\x01\x11", 1)
    assert "too large" in str(wrong_with(one_of_three, "image/jpeg"))
    assert "100000 steps" in str(wrong_with(jpeg(800, 600, scans=100_000), "image/jpeg"))


@pytest.mark.parametrize("kind", MADE)
def test_of_what_was_sent_the_upright_picture_is_kept_and_nothing_else(kind: str) -> None:
    sent = photograph(kind.removeprefix("image/").upper(), size=(4000, 1000), turn=6)
    assert any(secret in sent for secret in SECRETS)
    kept = drawn_anew(sent, kind)
    assert not [secret for secret in (*SECRETS, b"Exif", b"EXIF", b"eXIf") if secret in kept]
    with Image.open(io.BytesIO(kept)) as picture:
        assert (Image.MIME[str(picture.format)], picture.size) == (kind, (LONGEST // 4, LONGEST))
        assert dict(picture.getexif()) == {}
        top, bottom = (picture.convert("RGB").getpixel((300, at)) for at in (100, LONGEST - 100))
    assert top[0] > 200 > top[2] and bottom[2] > 200 > bottom[0], "red was left, and is above now"
    # A picture by its head alone is none.
    with pytest.raises(NoPictureError):
        drawn_anew(MADE[kind](800, 600), kind)
