"""The database servers of the grown-up shape, as the environment names them.

Only the environment, because an address may hold a password, and because every command that
opens a ledger (services, people, backup) then opens the same one.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from api.settings import CannotStartError, secret
from gateway.history.influx_address import InfluxAddress

LEDGER = "DUTYROOM_LEDGER"
LEDGER_PASSWORD = "DUTYROOM_LEDGER_PASSWORD"
LEDGER_PASSWORD_FILE = "DUTYROOM_LEDGER_PASSWORD_FILE"
INFLUX_URL = "DUTYROOM_INFLUX_URL"
INFLUX_TOKEN = "DUTYROOM_INFLUX_TOKEN"
INFLUX_TOKEN_FILE = "DUTYROOM_INFLUX_TOKEN_FILE"
INFLUX_ORG = "DUTYROOM_INFLUX_ORG"
INFLUX_BUCKET = "DUTYROOM_INFLUX_BUCKET"
INFLUX_CA = "DUTYROOM_INFLUX_CA"

_POSTGRESQL = "postgresql+psycopg"
_BUCKET = "dutyroom"


def ledger_server() -> URL | None:
    """Where the ledger is, if it is not in the data directory.

    Raises :class:`~api.settings.CannotStartError`; what is said is never repeated in it, because
    a password may be in it.
    """
    given = os.environ.get(LEDGER, "")
    if not given:
        return None
    wanted = f"{LEDGER} is no address of a ledger; write postgresql://user@host:5432/database"
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise CannotStartError(wanted) from None
    if url.drivername not in ("postgresql", _POSTGRESQL) or not url.database:
        raise CannotStartError(wanted)
    url = url.set(drivername=_POSTGRESQL)
    password = secret(LEDGER_PASSWORD, LEDGER_PASSWORD_FILE)
    return url.set(password=password) if password else url


def history_server() -> InfluxAddress | None:
    """The InfluxDB that keeps the readings, if they are not kept in the data directory.

    Raises :class:`~api.settings.CannotStartError`.
    """
    given = os.environ.get(INFLUX_URL, "")
    if not given:
        return None
    parts = urlsplit(given)
    # A password in it would be seen in every line of the log that names the server.
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise CannotStartError(
            f"{INFLUX_URL} is no address of a server; write http://host:8086 or https://…, "
            f"and the password (user:password) or token in {INFLUX_TOKEN}"
        )
    authority = os.environ.get(INFLUX_CA, "")
    if authority and not Path(authority).is_file():
        raise CannotStartError(f"{INFLUX_CA}: there is no file {authority}")
    return InfluxAddress(
        url=given.rstrip("/"),
        bucket=os.environ.get(INFLUX_BUCKET, "") or _BUCKET,
        org=os.environ.get(INFLUX_ORG, ""),
        token=secret(INFLUX_TOKEN, INFLUX_TOKEN_FILE),
        ca=Path(authority) if authority else None,
    )
