"""A bad day, fast-forwarded: feeder lost, link cut, a sensor that flaps, two real faults, a fire.

`make bad-day` prints what came of it: causes, alarms, orders, notices.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from causes import Day, judge, table
from channel_house import Ear
from fast_forward import CUT, START, Compound, DutyRoom, duty_room, inhabited, without_broker
from oracle import FAULT_RULES, Rule
from ruamel.yaml import YAML
from worlds import demo_site

from gateway.model.equipment import Site
from gateway.site import files as site_file
from rules.notify.dispatch import Dispatcher
from simulators.store import WorldStore

LINK = "lift-2"
CUT_AT, CUT_FOR, LENGTH = 55, 145, 340
"""s."""
FED = ("meter-2", "meter-3")
"""What the lost feeder feeds, and what says so as well."""
HAPPEN = ("trip", "door-stuck", "overheating", "supply-loss", "detector-fire")
RULES = (
    *(rule for rule in FAULT_RULES if rule.point in HAPPEN),
    Rule(id="link-lost", point=CUT, delay=15, clear_after=20),
)


@dataclass(frozen=True)
class Lived:
    data: Path
    receipts: Sequence[Mapping[str, Any]]

    def judged(self, ledger: Path, receipts: Sequence[Mapping[str, Any]] | None = None) -> Day:
        with closing(sqlite3.connect(ledger)) as file:
            file.row_factory = sqlite3.Row
            told = self.receipts if receipts is None else receipts
            return judge(file, self.data, RULES, told, slack=5)


async def live_through(folder: Path) -> Lived:
    site = without_broker(replace(_site(folder / "site"), scenario="bad-day"))
    data = folder / "data"
    truth = WorldStore(data / "simulators", scenario="bad-day")
    async with inhabited(site, truth) as world, duty_room(world, data) as room:
        ear = Ear()
        dispatcher = Dispatcher(
            site=site,
            ledger=room.ledger,
            carriers={channel.id: ear for channel in site.channels},
            clock=world.clock,
        )

        async def pass_by(seconds: int) -> None:
            for _ in range(seconds):
                await room.pass_by(1)
                for channel in site.channels:
                    while await dispatcher.deliver_one(channel.id):
                        pass

        await pass_by(CUT_AT)
        await world.cut(LINK)
        await pass_by(CUT_FOR)
        await world.mend(LINK)
        await _heard_again(world, room)
        await pass_by(LENGTH - CUT_AT - CUT_FOR)
    truth.close()
    return Lived(data, [{"id": one.id, **one.body} for one in ear.got])


def _site(folder: Path) -> Site:
    """The demonstration site with meters behind its incoming meter."""
    file = demo_site(folder, webhooks=["http://127.0.0.1:9/hook"])
    yaml = YAML()
    document = yaml.load(file)
    (incoming,) = (one for one in document["equipment"] if one["id"] == "meter-1")
    document["equipment"] += [
        {**incoming, "id": name, "unit": 10 + number, "supplied_by": "meter-1"}
        for number, name in enumerate(FED)
    ]
    yaml.dump(document, file)
    return site_file.load(file)


async def _heard_again(world: Compound, room: DutyRoom) -> None:
    """A connection is tried again by the true clock."""
    ends = asyncio.get_running_loop().time() + 20
    (thing,) = (one for one in world.site.equipment.values() if one.link == LINK)
    while math.isnan(room.latest(thing.points[0].id)):
        assert asyncio.get_running_loop().time() < ends
        await asyncio.sleep(0.25)
        await room.pass_by(1)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    yield asyncio.run(live_through(tmp_path_factory.mktemp("bad-day")))


def test_every_cause_has_one_alarm_one_order_and_the_fire_was_paged(
    lived: Lived, capsys: pytest.CaptureFixture[str]
) -> None:
    day = lived.judged(lived.data / "ledger.db")
    with capsys.disabled():
        print("\n" + table(day, START))
    assert day.wrong == []
    assert len(day.causes) == len(RULES)
    by_fault = {cause.fault: cause for cause in day.causes}
    assert by_fault["detector-fire"].alarms[0]["priority"] == "critical"
    assert len(by_fault["trip"].episodes) == 4
    explained = {
        name: [row["equipment"] for row in cause.explained] for name, cause in by_fault.items()
    }
    assert sorted(explained.pop("supply-loss")) == [*FED], "what the feeder feeds"
    assert explained.pop(CUT) == ["lift-2"], "what is read through the link"
    assert not any(explained.values())


@pytest.mark.parametrize(
    ("tampered", "said"),
    [
        ("UPDATE alarm SET order_id = NULL WHERE rule = 'fire-alarm'", "has 0 orders"),
        ("UPDATE alarm SET count = 7 WHERE rule = 'breaker-tripped'", "its alarm 7 times"),
        ("UPDATE alarm SET rule = 'x' WHERE rule = 'fire-alarm'", "has 0 alarms"),
        ("UPDATE alarm SET explained_by = NULL WHERE explained_by IS NOT NULL", "to 0 causes"),
        (
            "UPDATE work_order SET equipment = 'pump-2', cause_key = 'x', state = 'open'",
            "open orders for x",
        ),
        ("UPDATE outbox SET state = 'waiting' WHERE rank < 0", "is waiting"),
        ("DELETE FROM outbox WHERE rank < 0", "is in no outbox"),
    ],
)
def test_the_oracle_sees_what_is_missing_and_what_is_doubled(
    lived: Lived, tmp_path: Path, tampered: str, said: str
) -> None:
    copy = tmp_path / "ledger.db"
    with (
        closing(sqlite3.connect(lived.data / "ledger.db")) as whole,
        closing(sqlite3.connect(copy)) as other,
    ):
        whole.backup(other)
        # Whatever the tables would not let pass, too.
        (indices,) = zip(
            *other.execute(
                "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%UNIQUE%'"
            ),
            strict=True,
        )
        for name in indices:
            other.execute(f'DROP INDEX "{name}"')
        assert other.execute(tampered).rowcount > 0
        other.commit()
    assert any(said in one for one in lived.judged(copy).wrong)


def test_the_oracle_sees_a_fire_that_nobody_was_told_of_and_a_notice_that_came_twice(
    lived: Lived,
) -> None:
    ledger = lived.data / "ledger.db"
    silent = [one for one in lived.receipts if "smoke-103" not in one["id"]]
    assert any("nobody was paged" in one for one in lived.judged(ledger, silent).wrong)
    twice = [*lived.receipts, lived.receipts[0]]
    assert any("arrived 2 times" in one for one in lived.judged(ledger, twice).wrong)
