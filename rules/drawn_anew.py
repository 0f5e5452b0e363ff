"""A picture that somebody sent, drawn anew: only its pixels are kept.

Whatever else lay in the file does not come along: where it was taken and with what (EXIF, GPS),
comments, thumbnails, colour profiles, further frames, and what is hidden between the parts. Blocks
for as long as a core needs, up to seconds: for a thread, one at a time, because of its memory.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from rules.pictures import too_large, weight, wrong_with

LONGEST = 2000
"""Pixels of the longer side of what is kept: a name plate is read, and a page of paper."""

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "JPEG": {"quality": 85, "progressive": False},
    "PNG": {},
    "WEBP": {"quality": 85},
}
_AS_MADE: Mapping[str, Any] = {**_SETTINGS["JPEG"], "quality": "keep"}
"""A JPEG of which no pixel was moved loses nothing more."""
_PLAIN = ("L", "RGB", "RGBA")

# Words in a PNG are unpacked while it is opened, and nobody reads them here.
PngImagePlugin.MAX_TEXT_MEMORY = PngImagePlugin.MAX_TEXT_CHUNK


def is_picture(media_type: str) -> bool:
    return media_type in _FORMATS


class NoPictureError(ValueError):
    """These bytes are not taken for a picture; the text says why."""


def drawn_anew(data: bytes, media_type: str) -> bytes:
    """``data``, a picture of a kind that is taken, as a file of the same kind: upright, of
    :data:`LONGEST` pixels at most, and nothing but pixels.

    Raises :class:`NoPictureError`.
    """
    wrong = wrong_with(data, media_type)
    if wrong is not None:
        raise NoPictureError(wrong)
    kind = _FORMATS[media_type]
    try:
        # No other decoder is asked, whatever the bytes say.
        with Image.open(io.BytesIO(data), formats=[kind]) as opened:
            # What is unpacked is what Pillow reads, and not what was read above.
            wrong = too_large(*opened.size, weight(data, media_type))
            if wrong is None:
                return _written(opened, kind)
    except MemoryError:
        # Of the machine's, not of the picture's: it may come again.
        raise
    except Exception as error:
        # Decoders break in as many ways as there are broken files.
        raise NoPictureError("cannot be read as a picture") from error
    raise NoPictureError(wrong)


def _written(opened: Image.Image, kind: str) -> bytes:
    """1. Small; 2. in plain colours; 3. upright; 4. as a file of its own."""
    share = LONGEST / max(opened.size)
    is_turned = opened.getexif().get(ExifTags.Base.Orientation, 1) != 1
    if share < 1:
        # A JPEG is unpacked at a half, a quarter or an eighth already.
        opened.draft(None, (max(1, int(opened.width * share)), max(1, int(opened.height * share))))
    picture = _plain(opened)
    picture.thumbnail((LONGEST, LONGEST))
    ImageOps.exif_transpose(picture, in_place=True)
    is_as_made = opened.format == "JPEG" and picture is opened and share >= 1 and not is_turned
    # Savers take some of what they write from here.
    picture.info = {}
    made = io.BytesIO()
    picture.save(made, kind, **(_AS_MADE if is_as_made else _SETTINGS[kind]))
    return made.getvalue()


def _plain(opened: Image.Image) -> Image.Image:
    if opened.mode in _PLAIN and "transparency" not in opened.info:
        return opened
    if opened.mode.startswith("I"):
        # Sixteen bits, of which a change of mode alone would cut the upper half off.
        return opened.point(lambda value: value / 256).convert("L")
    return opened.convert("RGBA" if opened.has_transparency_data else "RGB")
