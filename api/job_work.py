"""The frame of a job in its own process: it says how far it is, ends when nobody wants it any more,
and leaves its result, whatever that is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import SystemClock
from rules.ledger import jobs
from rules.ledger.jobs import Job, JobState
from rules.ledger.store import Ledger
from rules.refusals import NotValidError

Told = Callable[[float], None]
"""How much of it is done, 0 to 1; raises where nobody wants it any more."""

_TOLD_EVERY_S = 1.0
_BEAT_S = 15.0

log = structlog.get_logger(__name__)


class _NotWantedError(Exception):
    """Somebody has cancelled it."""


def do(
    name: str, site: str, ledger: Ledger, work: Callable[[Job, Told], dict[str, object]]
) -> None:
    """The job ``name`` from its row to its end. ``work`` makes its result, as JSON."""
    clock, result, detail = SystemClock(), None, None
    try:
        with ledger.read(site) as view:
            job = jobs.job_with(view, name, clock.now().wall)
        if job is None:
            raise LookupError(f"there is no job {name}")
        with _heard(name, site, ledger) as told:
            result = work(job, told)
        state = JobState.DONE
    except _NotWantedError:
        state = JobState.CANCELLED
    except KeyboardInterrupt:
        state = JobState.INTERRUPTED
    except NotValidError as error:
        state, detail = JobState.FAILED, str(error)[:500]
    except Exception as error:
        log.exception("a job failed", job=name)
        state, detail = JobState.FAILED, f"{type(error).__name__}: {error}"[:500]
    with ledger.write(site) as entry:
        jobs.finish(entry, name, state, clock.now(), result=result, detail=detail)


@contextmanager
def _heard(name: str, site: str, ledger: Ledger) -> Iterator[Told]:
    """Also a part of the work that takes long is heard of, or the job counts as gone."""
    clock, told_at, reached, over = SystemClock(), 0.0, 0.0, threading.Event()

    def beat() -> None:
        while not over.wait(_BEAT_S):
            # Its own long transaction may keep the ledger from it; the next one is heard.
            with suppress(SQLAlchemyError), ledger.write(site) as entry:
                jobs.tell(entry, name, reached, clock.now())

    def told(done: float) -> None:
        nonlocal told_at, reached
        now, reached = time.monotonic(), done
        if now - told_at < _TOLD_EVERY_S:
            return
        told_at = now
        with ledger.write(site) as entry:
            if not jobs.tell(entry, name, done, clock.now()):
                raise _NotWantedError

    heart = threading.Thread(target=beat, daemon=True, name=f"heart of {name}")
    heart.start()
    try:
        yield told
    finally:
        over.set()
        heart.join()
