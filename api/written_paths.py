"""Addresses as they may be written into a log or the audit."""

from __future__ import annotations

import re

_LINK = re.compile(r"(/public/links/)[^/]+")


def written(path: str) -> str:
    """``path`` without a contractor's token, which is as good as a password."""
    return _LINK.sub(r"\1…", path)
