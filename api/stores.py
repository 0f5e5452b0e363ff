"""Opening ledger, history and spool, in the data directory or on the servers that the environment
names; what cannot be opened is one clear line."""

from __future__ import annotations

import structlog
from sqlalchemy import URL
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from api.data_directory import DataDirectory
from api.keep import given_keep
from api.servers import (
    INFLUX_BUCKET,
    INFLUX_TOKEN,
    INFLUX_URL,
    LEDGER,
    history_server,
    ledger_server,
)
from api.settings import CannotStartError, given_password
from gateway.clock import Clock
from gateway.disk import LEFT_BY_HISTORY, LEFT_BY_SPOOL
from gateway.history.base import History, HistoryRefusedError, HistoryUnavailableError
from gateway.history.embedded import EmbeddedHistory
from gateway.model.equipment import Site
from gateway.spool.queue import CONSUMERS, Spool, SpoolBusyError
from gateway.tally import CONSUMER as TALLY
from rules.ledger.store import Ledger, open_ledger
from rules.people import accounts

log = structlog.get_logger(__name__)


def ledger_of(data: DataDirectory) -> Ledger:
    """The ledger. Raises :class:`~api.settings.CannotStartError` for a file that is none and a
    server that does not answer or refuses us; a file that is only locked raises what SQLAlchemy
    raises, and may be tried again."""
    server = ledger_server()
    if server is not None:
        return _ledger_on(server)
    try:
        return open_ledger(data.ledger)
    except (DatabaseError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        if "locked" in str(cause):
            raise
        raise CannotStartError(
            f"the ledger {data.ledger} cannot be opened ({cause}); "
            "bring back a backup of it, or move it away to begin a new one"
        ) from None


def _ledger_on(server: URL) -> Ledger:
    try:
        return open_ledger(server)
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip()
        raise CannotStartError(
            f"the ledger {server.render_as_string(hide_password=True)} cannot be opened "
            f"({' '.join(said.split())}); {LEDGER} names it"
        ) from None


def history_of(
    data: DataDirectory, site: Site, *, read_only: bool = False, asks: bool = True
) -> History:
    """The history; a server that does not answer is waited for by whoever writes, while the
    spool keeps the readings. Raises :class:`~api.settings.CannotStartError` for one that refuses
    us. ``read_only``: for a process beside the gateway; ``asks`` False: for one that goes on
    without a history, and then nothing is waited for or raised here."""
    server = history_server()
    if server is None:
        return EmbeddedHistory(
            data.history,
            read_only=read_only,
            longer=given_keep().longer,
            left_bytes=LEFT_BY_HISTORY,
        )
    # Its client takes a quarter of a second to import.
    from gateway.history.influx import InfluxHistory

    history = InfluxHistory(server, site, data.refused_readings)
    if not asks:
        return history
    try:
        history.cursor(site.gateway)
    except HistoryRefusedError as error:
        history.close()
        raise CannotStartError(
            f"the history cannot be used: {error}; {INFLUX_URL}, {INFLUX_BUCKET} and "
            f"{INFLUX_TOKEN} name it"
        ) from None
    except HistoryUnavailableError as error:
        log.warning("the history does not answer yet", error=str(error))
    return history


def spool_of(data: DataDirectory) -> Spool:
    """The spool. Raises :class:`~api.settings.CannotStartError`."""
    try:
        return Spool.open(data.spool, consumers=(*CONSUMERS, TALLY), left_bytes=LEFT_BY_SPOOL)
    except (SpoolBusyError, OSError) as error:
        raise CannotStartError(
            f"the spool {data.spool} cannot be opened ({error}); "
            "make it a directory that this user can write, or move it away"
        ) from None


def see_to_admin(ledger: Ledger, data: DataDirectory, site: Site, clock: Clock) -> None:
    """There is a user admin who works at ``site``; a new one has the environment's password.

    Without that one is made up. It is kept in a file, from before the user is written until
    somebody was shown it, so that a kill in between locks nobody out; one that is not in force
    is shown to nobody.
    """
    given = given_password()
    if given is None and not accounts.has_admin(ledger):
        given = data.make_password()
    accounts.ensure_admin(ledger, site.id, clock.now(), given)
    made = data.made_password()
    if made is not None and not accounts.is_admins(ledger, made):
        data.forget_made_password()
