"""What the command line and the environment say, the same for every command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_HERE = Path(__file__).parent
_DEMO = (_HERE / "demo" / "site.yaml", _HERE.parent / "deploy" / "demo" / "site.yaml")
"""In the wheel, and in a checkout."""


class CannotStartError(Exception):
    """Something outside is not as it must be: one clear line, exit code 2."""


def demo_site() -> Path:
    """The site file that is used when none is given."""
    return next((path for path in _DEMO if path.is_file()), _DEMO[0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    site: Path
    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    links: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Link id → host and port, in place of those in the site file."""
