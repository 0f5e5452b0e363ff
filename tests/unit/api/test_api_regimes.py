"""Regimes over HTTP: what is in force, when it is due next, and what an old version said."""

from __future__ import annotations

from typing import Any

import pytest
from api_room import Room
from inspections import at
from staff import cookie, hire, session
from starlette.testclient import TestClient

from gateway.model.moment import SECOND
from rules.inspections.upkeep import Upkeep
from rules.people.roles import Role

REGIMES = "/api/v1/regimes"


@pytest.fixture
def get(visitor: TestClient, room: Room) -> Any:
    """Ask as a technician, on Saturday 2025-11-22 at 09:00."""
    room.clock.advance((at("2025-11-22 09:00") - room.clock.now().wall) / SECOND)
    Upkeep(site=room.site, rulebook=room.rulebook, ledger=room.ledger).plan(room.clock.now())
    hire(room.ledger, room.site, "li", Role.TECHNICIAN, room.clock.now())
    headers = cookie(session(room.ledger, room.site.id, "li", room.clock.now()))

    def ask(path: str, expected: int = 200) -> Any:
        answer = visitor.get(path, headers=headers)
        assert answer.status_code == expected, answer.text
        return answer.json()

    return ask


def test_every_regime_says_when_where_and_by_whom(get: Any, room: Room) -> None:
    found = {one["id"]: one for one in get(REGIMES)["items"]}
    assert found.keys() == room.rulebook.regimes.keys()
    fire = found["monthly-fire"]
    assert (fire["level"], fire["role"]) == ("monthly", "technician")
    assert fire["when"] == {
        "zh": "每月 20 日，休息日改到工作日",
        "en": "day 20 of every month, moved to a working day",
    }
    (site,) = fire["places"]
    assert site["area"] is None
    assert site["hours"]["zh"] == "08:00 至 17:30，最迟 3 天后 17:30"
    assert site["next_due_at"].startswith("2025-12-22T17:30"), "the 20th is a Saturday"
    assert fire["since"].startswith("2025-11-22T09:00")
    towers = [place["area"] for place in found["daily-lift"]["places"]]
    assert towers == ["tower-1", "tower-2"]
    quarterly = found["quarterly-fire-pump"]["places"][0]
    assert quarterly["next_opens_at"].startswith("2025-12-10T08:00")
    winter = found["winter-fire-water"]
    assert winter["when"]["zh"] == "每天（11、12、1、2、3 月）"
    assert winter["places"][0]["next_due_at"].startswith("2025-11-22T18:00")


def test_one_regime_with_its_items_and_its_file(get: Any, room: Room) -> None:
    one = get(f"{REGIMES}/quarterly-fire-pump")
    assert [row["key"] for row in one["rows"]] == ["flow", "pressure"]
    assert [(row["over"], row["evidence"], row["confirm"]) for row in one["rows"]] == [
        (None, [], False)
    ] * 2
    (night,) = [r for r in get(f"{REGIMES}/daily-power-room")["rows"] if r["key"] == "power-factor"]
    assert (night["over"]["by"], night["over"]["seconds"]) == ("mean", 24 * 3600)
    assert all(row["source"]["en"].startswith("GB 50974 §14") for row in one["rows"])
    assert one["catch_up"] == "open"
    assert one["missed"] == {"tell": ["engineering_manager"], "finding": "normal"}
    (version,) = one["versions"]
    assert version["version"] == one["version"]
    file = get(f"{REGIMES}/quarterly-fire-pump/versions/{one['version']}")
    assert file["document"].startswith("# Fire pumps, every quarter")
    planned = get("/api/v1/rounds/quarterly-fire-pump.2025-Q4")
    assert planned["version"] == one["version"]
    get(f"{REGIMES}/quarterly-fire-pump/versions/0", 404)
    get(f"{REGIMES}/nobody-does-this", 404)
