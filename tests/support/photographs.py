"""Pictures as cameras and programs make them, small."""

from __future__ import annotations

import io
from typing import Any

from PIL import ExifTags, Image

SECRETS = (b"GPS-of-the-caller", b"a comment of the camera", b"a profile of colours")
"""What lies in :func:`photograph` beside the picture; PNG and WebP have no comment."""


def photograph(
    kind: str = "JPEG", *, size: tuple[int, int] = (40, 20), mode: str = "RGB", turn: int = 1
) -> bytes:
    """Red at its left and blue at its right, with all that cameras write beside; ``turn``: how it
    is to be shown, by EXIF."""
    picture = Image.new("RGB", size, (20, 20, 230))
    picture.paste((230, 20, 20), (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    exif[ExifTags.Base.ImageDescription] = SECRETS[0].decode()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (31.0, 14.0, 0.0)
    beside: dict[str, Any] = {"exif": exif, "icc_profile": SECRETS[2]}
    if kind == "JPEG":
        beside["comment"] = SECRETS[1]
    made = io.BytesIO()
    picture.convert(mode).save(made, kind, **beside)
    return made.getvalue()


JPEG = photograph()
PNG = photograph("PNG")
WEBP = photograph("WEBP")
