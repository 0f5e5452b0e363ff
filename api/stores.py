"""Opening what the data directory keeps; what cannot be opened is one clear line."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError

from api.data_directory import DataDirectory
from api.settings import CannotStartError, given_password
from gateway.clock import Clock
from gateway.spool import Spool, SpoolBusyError
from rules.ledger.store import Ledger, open_ledger
from rules.people import accounts


def ledger_of(data: DataDirectory) -> Ledger:
    """The ledger. Raises :class:`~api.settings.CannotStartError` for a file that is none; one
    that is only locked raises what SQLAlchemy raises, and may be tried again."""
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


def spool_of(data: DataDirectory) -> Spool:
    """The spool. Raises :class:`~api.settings.CannotStartError`."""
    try:
        return Spool.open(data.spool)
    except (SpoolBusyError, OSError) as error:
        raise CannotStartError(
            f"the spool {data.spool} cannot be opened ({error}); "
            "make it a directory that this user can write, or move it away"
        ) from None


def see_to_admin(ledger: Ledger, data: DataDirectory, clock: Clock) -> None:
    """There is a user admin, with the environment's password if it gives one.

    For a new one without, a password is made up. It is kept in a file, from before the user is
    written until somebody was shown it, so that a kill in between locks nobody out.
    """
    given = given_password()
    if given is not None:
        data.forget_made_password()
        accounts.ensure_admin(ledger, given, clock.now())
    elif not accounts.has_admin(ledger):
        accounts.ensure_admin(ledger, data.make_password(), clock.now())
