"""What the command line and the environment say, the same for every command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_HERE = Path(__file__).parent
_DEMO = (_HERE / "demo" / "site.yaml", _HERE.parent / "deploy" / "demo" / "site.yaml")
"""In the wheel, and in a checkout."""


ADMIN_PASSWORD = "DUTYROOM_ADMIN_PASSWORD"
ADMIN_PASSWORD_FILE = "DUTYROOM_ADMIN_PASSWORD_FILE"
"""Only the environment, and not a flag, says a secret: flags are seen in the list of processes."""
PUBLIC_URL = "DUTYROOM_PUBLIC_URL"
_LONGEST_PASSWORD = 256
"""Characters; the log-in takes no longer one."""


class CannotStartError(Exception):
    """Something outside is not as it must be: one clear line, exit code 2."""


def demo_site() -> Path:
    """The site file that is used when none is given."""
    return next((path for path in _DEMO if path.is_file()), _DEMO[0])


def given_password() -> str | None:
    """The password of the environment; None if there is none.

    Raises :class:`CannotStartError` for one that nobody could log in with.
    """
    given = secret(ADMIN_PASSWORD, ADMIN_PASSWORD_FILE)
    if len(given) > _LONGEST_PASSWORD:
        raise CannotStartError(
            f"{ADMIN_PASSWORD} has {len(given)} characters; {_LONGEST_PASSWORD} at most"
        )
    return given or None


def secret(name: str, file_name: str) -> str:
    """What the environment says under ``name``, or what is in the file that it names under
    ``file_name``, without the line break at its end; "" where it says neither.

    Raises :class:`CannotStartError`, without the secret in its words.
    """
    given, file = os.environ.get(name, ""), os.environ.get(file_name, "")
    if given and file:
        raise CannotStartError(f"{name} and {file_name} are both given: leave one out")
    if file:
        try:
            return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise CannotStartError(f"{file_name}: {file}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise CannotStartError(f"{file_name}: {file} is no UTF-8 text") from None
    try:
        given.encode()
    except UnicodeEncodeError:
        raise CannotStartError(f"{name} is no valid UTF-8 text") from None
    return given


def public_url() -> str:
    """Where people reach the page, for links in messages; empty: messages have none.

    Raises :class:`CannotStartError`.
    """
    given = os.environ.get(PUBLIC_URL, "").strip()
    try:
        parts = urlsplit(given)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_right = False
    if given and (not is_right or parts.query or parts.fragment):
        raise CannotStartError(
            f"{PUBLIC_URL} is {given!r}; write https://host or https://host/path"
        )
    return given.rstrip("/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    site: Path
    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    tls_port: int = 8443
    """Where the page is by HTTPS, if there is a certificate."""
    https: bool = False
    """The page is reached by HTTPS, through a proxy or otherwise: the log-in's cookie goes no
    other way, and browsers are told to come by HTTPS only."""
    links: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Link id → host and port, in place of those in the site file."""
