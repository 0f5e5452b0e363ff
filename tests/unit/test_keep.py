"""For how long the history is kept: what the environment says, and what is said of a wrong word."""

from __future__ import annotations

import pytest

from api.keep import HOURS, MINUTES, READINGS, given_keep
from api.settings import CannotStartError
from gateway.history.embedded import Longer
from gateway.model.moment import DAY


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (READINGS, MINUTES, HOURS):
        monkeypatch.delenv(name, raising=False)


def test_without_a_word_it_is_a_month_a_quarter_and_five_years() -> None:
    keep = given_keep()
    assert keep.readings == 30 * DAY
    assert keep.longer == Longer()
    assert keep.longer == Longer(minutes=60 * DAY, hours=1800 * DAY)


def test_days_are_of_each_level_from_the_reading_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(READINGS, "90")
    monkeypatch.setenv(HOURS, "400")
    keep = given_keep()
    assert keep.readings == 90 * DAY
    assert keep.longer == Longer(minutes=0, hours=310 * DAY)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        (READINGS, "0", "DUTYROOM_KEEP_READINGS_DAYS is '0'; write days"),
        (MINUTES, "a week", "DUTYROOM_KEEP_MINUTES_DAYS is 'a week'; write days"),
        (HOURS, "1e9", "DUTYROOM_KEEP_HOURS_DAYS is '1e9'; write days"),
        (READINGS, "91", "MINUTES_DAYS is 90 and DUTYROOM_KEEP_READINGS_DAYS 91"),
        (HOURS, "89", "HOURS_DAYS is 89 and DUTYROOM_KEEP_MINUTES_DAYS 90"),
    ],
)
def test_what_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, said: str
) -> None:
    monkeypatch.setenv(name, given)
    with pytest.raises(CannotStartError, match=said):
        given_keep()
