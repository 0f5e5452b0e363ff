"""Replays as jobs: begun once, one at a time, told how far, cancelled, done, interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from duty_room import HOT, NOON, SITE, TEMPERATURE, frame, person, rulebook, site

from api import replaying
from gateway.history.base import Cursor
from gateway.history.embedded import EmbeddedHistory
from gateway.model.events import Envelope, Record
from gateway.model.moment import DAY, MINUTE, SECOND, Instant
from rules.actions import replays
from rules.ledger import audit, jobs
from rules.ledger.jobs import Job, JobKind, JobState
from rules.ledger.store import Ledger
from rules.people.roles import ForbiddenError, Role
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.replay.work import Trial

BOOK = rulebook(HOT)
NOW = Instant(wall=NOON, mono=0, boot="a")
TRIAL = Trial(rule="hot", equipment=None, limit=90.0, delay=None)


def begin(
    ledger: Ledger,
    trial: Trial = TRIAL,
    *,
    now: Instant = NOW,
    days: float = 1,
    role: Role = Role.ENGINEERING_MANAGER,
    key: str | None = None,
) -> tuple[Job, bool]:
    return replays.begin(
        ledger,
        site(),
        BOOK,
        trial,
        start=now.wall - round(days * DAY),
        end=now.wall,
        actor=person("zhang", role),
        now=now,
        idempotency_key=key,
    )


def job(ledger: Ledger, name: str, now: Instant = NOW) -> Job:
    with ledger.read(SITE) as view:
        found = jobs.job_with(view, name, now.wall)
    assert found is not None
    return found


def test_the_same_request_begins_one_job_and_is_told_of_it(ledger: Ledger) -> None:
    first, is_first = begin(ledger, key="k")
    again, is_again = begin(ledger, key="k")
    assert (first.id, is_first, is_again) == (again.id, True, False)
    assert (first.state, first.progress, first.by) == (JobState.RUNNING, 0.0, "zhang")
    with ledger.read(SITE) as view:
        assert [(row.action, row.subject) for row in audit.rows(view)] == [
            ("replay.begin", first.id)
        ]
        assert audit.verify(view).ok


def test_the_key_of_a_replay_that_is_not_kept_any_more_is_told_so(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It met an assertion: an error of ours for a request that was served long ago."""
    monkeypatch.setattr(jobs, "KEPT", 1)
    old, _ = begin(ledger, key="k")
    with ledger.write(SITE) as entry:
        jobs.finish(entry, old.id, JobState.DONE, NOW)
    begin(ledger, now=NOW.plus(SECOND))
    with pytest.raises(ConflictError, match="another key"):
        begin(ledger, key="k", now=NOW.plus(2 * SECOND))


def test_one_at_a_time_and_the_next_when_the_first_has_gone_silent(ledger: Ledger) -> None:
    first, _ = begin(ledger)
    with pytest.raises(ConflictError, match="another replay"):
        begin(ledger)
    later = NOW.plus(jobs.SILENT + SECOND)
    assert job(ledger, first.id, later).state is JobState.INTERRUPTED
    second, _ = begin(ledger, now=later)
    assert job(ledger, first.id, NOW).state is JobState.INTERRUPTED, "now it is written"
    with ledger.read(SITE) as view:
        newest = jobs.newest(view, JobKind.REPLAY, 5, later.wall)
    assert [one.id for one in newest] == [second.id, first.id]


def test_what_cannot_be_is_refused_and_begins_nothing(ledger: Ledger) -> None:
    with pytest.raises(NotValidError):
        begin(ledger, days=93)
    with pytest.raises(NotFoundError):
        begin(ledger, replace(TRIAL, rule="none"))
    for role in (Role.OFFICER, Role.TECHNICIAN, Role.FOREMAN):
        with pytest.raises(ForbiddenError):
            begin(ledger, role=role)
    with ledger.read(SITE) as view:
        assert jobs.newest(view, JobKind.REPLAY, 5, NOON) == []


def test_one_that_has_ended_stays_as_it_is(ledger: Ledger) -> None:
    name = begin(ledger)[0].id
    with ledger.write(SITE) as entry:
        assert jobs.tell(entry, name, 0.5, NOW)
        jobs.finish(entry, name, JobState.DONE, NOW, result={"rules": []})
        assert not jobs.tell(entry, name, 0.6, NOW)
        jobs.finish(entry, name, JobState.FAILED, NOW.plus(MINUTE), detail="late")
    found = job(ledger, name)
    assert (found.state, found.progress, found.ended_at) == (JobState.DONE, 1.0, NOON)
    with pytest.raises(ConflictError):
        replays.cancel(ledger, SITE, name, actor=person("zhang"), now=NOW)


# -- as its process does it -----------------------------------------------------------------------


@pytest.fixture
def history(tmp_path: Path) -> Iterator[EmbeddedHistory]:
    """A day with two hot hours, the second one hotter."""
    made = EmbeddedHistory(tmp_path / "history.db")
    records = []
    for minute in range(0, 1440, 5):
        wall = NOON - DAY + minute * MINUTE
        value = 80.0 if 60 <= minute < 120 else 95.0 if 600 <= minute < 660 else 40.0
        at = Instant(wall=wall, mono=wall, boot="b")
        envelope = Envelope(site=SITE, gateway="gw-1", epoch="e", seq=len(records) + 1, at=at)
        records.append(Record(envelope=envelope, body=frame({TEMPERATURE: value})))
    made.write(records, Cursor("e", len(records)))
    yield made
    made.close()


def test_a_job_is_done_from_its_row_to_its_result(ledger: Ledger, history: EmbeddedHistory) -> None:
    name = begin(ledger)[0].id
    replaying.do(name, site=site(), rulebook=BOOK, ledger=ledger, history=history)
    found = job(ledger, name)
    assert (found.state, found.progress) == (JobState.DONE, 1.0)
    assert found.result is not None
    [rule] = found.result["rules"]
    assert (rule["rule"], rule["before"], rule["after"]) == ("hot", 0, 1), "80 is below 90"


def test_a_job_that_nobody_wants_any_more_ends(ledger: Ledger, history: EmbeddedHistory) -> None:
    name = begin(ledger)[0].id
    replays.cancel(ledger, SITE, name, actor=person("zhang"), now=NOW)
    replaying.do(name, site=site(), rulebook=BOOK, ledger=ledger, history=history)
    assert job(ledger, name).state is JobState.CANCELLED


def test_a_job_that_fails_says_why(ledger: Ledger, tmp_path: Path) -> None:
    name = begin(ledger)[0].id
    (tmp_path / "broken.db").write_bytes(b"this is no database" * 100)
    broken = EmbeddedHistory(tmp_path / "broken.db", read_only=True)
    replaying.do(name, site=site(), rulebook=BOOK, ledger=ledger, history=broken)
    found = job(ledger, name)
    assert found.state is JobState.FAILED
    assert found.detail


def test_only_the_newest_jobs_are_kept(ledger: Ledger) -> None:
    names = []
    for number in range(jobs.KEPT + 3):
        now = NOW.plus(number * MINUTE)
        names.append(begin(ledger, now=now)[0].id)
        with ledger.write(SITE) as entry:
            jobs.finish(entry, names[-1], JobState.DONE, now)
    with ledger.read(SITE) as view:
        kept = jobs.newest(view, JobKind.REPLAY, 100, NOON)
    assert [one.id for one in kept] == names[: -jobs.KEPT - 1 : -1]
