"""The regimes' files: those that are shipped, and every mistake in one with its line and mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from duty_room import site as small_site

from gateway.files.documents import ConfigurationError
from gateway.model.equipment import Site
from gateway.model.moment import MINUTE
from gateway.site.files import load
from rules.book_folders import SHIPPED
from rules.inspections.items import lines, places
from rules.inspections.regime import Days, Level, LocalTime, Proof, Severity
from rules.people.roles import Role
from rules.rule import Rulebook
from rules.rulebook import load_rulebook

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
REGIME = """\
regime: weekly-pumps
level: weekly
name: {zh: 泵房周检, en: Pumps weekly}
form: {zh: 周检表, en: Form}
done_by: technician
countersigned_by: engineering_manager
scope: {classes: [pump], areas: [b1-pump-room]}
weekday: tuesday
window: {opens: "08:00", due: "17:30", late_until: "+2d 17:30"}
orders: {category: water_supply, serious_within: 2h, normal_within: 3d, close_after: 30m}
source: "[NV]"
sections:
  - name: {zh: 读数, en: Readings}
    items:
      - key: temperature
        name: {zh: 温度, en: Temperature}
        class: pump
        point: motor_temperature
        check: {high: 75, unit: ℃}
        severity: serious
        cause_key: motor-overheat
        source: "[NV]"
      - key: rotation
        name: {zh: 轮换, en: Rotation}
        answer: tick
        severity: minor
        source: "[NV]"
      - key: daily
        name: {zh: 日检, en: Daily}
        completion: daily
        check: {low: 100, unit: "%"}
        severity: minor
        source: "[NV]"
"""


@pytest.fixture(scope="module")
def demo() -> Site:
    return load(DEMO)


@pytest.fixture(scope="module")
def shipped(demo: Site) -> Rulebook:
    return load_rulebook(demo)


def book(folder: Path, regime: str = REGIME) -> Path:
    """A rulebook with one regime and what it names."""
    for name in ("categories.yaml", "alarms/pump.yaml"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text((SHIPPED / name).read_text())
    (folder / "regimes").mkdir(exist_ok=True)
    (folder / "regimes" / "weekly-pumps.yaml").write_text(regime)
    return folder


def problems(folder: Path, site: Site) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_rulebook(site, [folder])
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_a_regime_as_it_is_read(tmp_path: Path, demo: Site) -> None:
    regime = load_rulebook(demo, [book(tmp_path)]).regimes["weekly-pumps"]
    assert (regime.level, regime.on, regime.days) == (Level.WEEKLY, 2, Days.ALL)
    assert (regime.role, regime.countersign_role) == (
        Role.TECHNICIAN,
        Role.ENGINEERING_MANAGER,
    )
    assert regime.window.late_until == LocalTime(days=2, minutes=17 * 60 + 30)
    assert regime.patience == 10 * MINUTE
    assert (regime.document, len(regime.version)) == (REGIME, 12)
    temperature, rotation, daily = regime.items
    assert (temperature.proof, temperature.unit, temperature.band.high) == (Proof.POINT, "℃", 75)
    assert (rotation.proof, rotation.severity) == (None, Severity.MINOR)
    assert (daily.proof, daily.unit) == (Proof.COMPLETION, "%")


def test_every_shipped_item_has_a_source_and_the_demo_has_every_regime(demo: Site) -> None:
    regimes = load_rulebook(demo).regimes
    for regime in regimes.values():
        assert regime.source
        assert regime.form is not None, "the forms table names a form for each"
        assert all(item.source for item in regime.items)
        found = places(regime.scope, demo)
        assert found, regime.id
        for area in found:
            made = lines(regime, area, demo)
            assert len({line.key for line in made}) == len(made) > 0
    levels = {level: [r for r in regimes.values() if r.level is level] for level in Level}
    assert {level.value: len(found) for level, found in levels.items()} == {
        "shift": 1,
        "daily": 6,
        "weekly": 6,
        "half_monthly": 1,
        "monthly": 5,
        "quarterly": 1,
        "half_yearly": 1,
        "yearly": 1,
    }
    assert all(r.countersign_role is Role.ENGINEERING_MANAGER for r in levels[Level.WEEKLY])


@pytest.mark.parametrize(
    ("clause", "regime", "items"),
    [
        ("S0 消防三级检查, the level of the post", "daily-fire", ""),
        ("S0 消防三级检查, the level of the department", "weekly-fire", ""),
        ("S0 消防三级检查, the level of the company", "monthly-fire", ""),
        ("S1 4.2.1", "daily-pump-room", "running-pumps auxiliaries noise-vibration-smell"),
        ("S1 4.2.2", "daily-power-room", "room-not-hot cleanliness tools room-lights fire-gear"),
        ("S1 4.2.1", "daily-lift", "nobody-trapped noise-vibration-smell"),
        ("S1 4.3", "daily-lift", "faults"),
        ("S1 4.1.1.1", "shift-watch", "running-pumps pump-fault tank-level nobody-trapped"),
        ("S1 4.1.1.2", "shift-watch", "rooms-clean"),
        ("S2", "half-yearly-building", "walls doors-windows passages roof drains"),
        ("S4", "half-monthly-lift-sheets", "accompanied"),
        ("TSG T5002", "half-monthly-lift-sheets", "sheet-signed"),
        ("TSG T5002", "monthly-lift", "half-month-sheets"),
        (
            "GB 50974 §14",
            "daily-fire",
            "jockey-start-pressure jockey-stop-pressure jockey-starts diesel-battery",
        ),
        ("GB 50974 §14", "weekly-fire", "auto-start diesel-fuel"),
        ("GB 50974 §14", "monthly-fire", "manual-start tank-and-vessel"),
        ("GB 50974 §14", "quarterly-fire-pump", "flow pressure"),
        ("GB 50974 §14", "winter-fire-water", "room-temperature water-temperature"),
    ],
)
def test_the_clauses_that_name_an_item_have_it(
    shipped: Rulebook, clause: str, regime: str, items: str
) -> None:
    found = shipped.regimes[regime]
    sources = {item.key: item.source.en for item in found.items}
    assert all(clause in sources[key] for key in items.split())
    assert items or clause in found.source.en


def test_every_kind_of_proof_is_used_where_a_source_asks_for_it(shipped: Rulebook) -> None:
    def using(key: str) -> set[str]:
        return {
            f"{regime.id}.{item.key}"
            for regime in shipped.regimes.values()
            for item in regime.items
            if getattr(item.proving, key)
        }

    assert using("over") == {
        "daily-pump-room.tank-level-night",
        "daily-pump-room.outlet-pressure-night",
        "daily-power-room.power-factor",
        "daily-lift.doors-over-day",
        "daily-lighting.circuit-starts",
    }
    assert using("evidence") == {
        "daily-fire.panel-normal",
        "half-monthly-lift-sheets.sheet-signed",
        "half-yearly-building.roof",
    }
    assert using("compare") == {"weekly-power-room.meter-reading"}
    assert using("confirm") == {
        "weekly-night-lighting.lamp-output",
        "weekly-night-lighting.circuit-output",
    }


def test_a_site_with_other_equipment_has_the_regimes_and_no_rounds() -> None:
    regimes = load_rulebook(small_site()).regimes
    assert places(regimes["daily-lift"].scope, small_site()) == []


def test_every_failure_of_the_longest_names_has_an_id_that_the_api_takes(demo: Site) -> None:
    """The id of an order is that of the finding, which is made of regime, area, period and item."""
    longest = "x" * 48
    area = equipment = "y" * 64
    assert len(f"{longest}.{area}.2026-11-21.{longest}.{equipment}.order") <= 250


def test_a_sites_own_file_stands_before_the_shipped_one(tmp_path: Path, demo: Site) -> None:
    shipped = (SHIPPED / "regimes" / "daily-lift.yaml").read_text()
    (tmp_path / "regimes").mkdir()
    own = shipped.replace('opens: "08:00"', 'opens: "07:00"')
    (tmp_path / "regimes" / "daily-lift.yaml").write_text(own)
    regimes = load_rulebook(demo, [tmp_path, SHIPPED]).regimes
    assert regimes["daily-lift"].window.opens.minutes == 7 * 60
    assert regimes["daily-fire"].window.opens.minutes == 8 * 60


def test_the_fingerprint_changes_with_a_regime(tmp_path: Path, demo: Site) -> None:
    before = load_rulebook(demo, [book(tmp_path)]).fingerprint
    changed = book(tmp_path, REGIME.replace("high: 75", "high: 74"))
    assert load_rulebook(demo, [changed]).fingerprint != before


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("level: weekly", "level: decade", 2, "level: input should be 'shift', 'daily', 'weekly'"),
        ("level: weekly", "level: yearly", 1, "month: is missing; say on which, such as month: 1"),
        (
            "level: weekly\nname",
            "level: quarterly\nmonth: 4\nday: 3\nname",
            3,
            "month: a quarterly period has no month 4; use 1 to 3",
        ),
        (
            "level: weekly\nname",
            "level: half_monthly\nday: 17\nname",
            3,
            "day: 17 is no day of half a month; use 1 to 16",
        ),
        (
            "weekday: tuesday",
            "weekday: tuesday\nrrule: FREQ=WEEKLY;BYDAY=TU",
            8,
            "weekday: says the same as rrule; remove it",
        ),
        (
            "weekday: tuesday",
            "rrule: FREQ=WEEKLY;BYDAY=TU,FR",
            8,
            "rrule: comes twice in 2001-W01: a period has one round; use a shorter level",
        ),
        ("weekday: tuesday", "rrule: FREQ=HOURLY", 8, "rrule: does not say how often; begin with"),
        ("weekday: tuesday", "weekday: tuesday\nstarts: 2026-01-05", 9, "starts: belongs to rrule"),
        (
            "weekday: tuesday",
            "weekday: tuesday\nwindows: {b1: {opens: '08:00', due: '07:00', late_until: '09:00'}}",
            9,
            "windows.b1.due: is not after opens",
        ),
        (
            "weekday: tuesday",
            "weekday: tuesday\nwindows: {b1: {opens: '06:00', due: '07:00', late_until: '09:00'}}",
            9,
            "windows.b1: there is no area 'b1'",
        ),
        (
            "weekday: tuesday",
            "weekday: tuesday\nin_shift: {opens_after: 0m, due_before_end: 0m, late_by: 1h}",
            9,
            "in_shift: does not fit level weekly; remove it",
        ),
        ("level: weekly", "level: shift", 1, "in_shift: is missing; say when in the shift"),
        ("level: weekly", "level: shift", 9, "window: does not fit level shift; remove it"),
        (
            "level: weekly",
            "level: shift\nin_shift: {due_before_end: 20m, late_by: 1h}",
            3,
            "in_shift: does not say in one way when it opens; give one of opens_after and",
        ),
        (
            "level: weekly",
            "level: shift\nin_shift: {opens_before_end: 20m, due_before_end: 20m, late_by: 1h}",
            3,
            "in_shift.opens_before_end: is not before it is due",
        ),
        ("orders:", "missed: {}\norders:", 10, "missed: says nothing that follows"),
        (
            "orders:",
            "missed: {finding: serious, tell: [foreman]}\norders:",
            10,
            "missed.tell: a serious finding is told of by itself; remove it",
        ),
        ("orders:", "late: {tell: [boss]}\norders:", 10, "late.tell.0: input should be"),
        ("key: rotation", "key: missed", 23, "'missed' is the line of a round that was missed"),
        ("weekday: tuesday\n", "", 1, "weekday: is missing; say on which, such as weekday: monday"),
        ("weekday: tuesday", "weekday: tuesday\nday: 3", 9, "day: does not fit level weekly"),
        (
            "level: weekly\n",
            "level: monthly\nday: 32\n",
            3,
            "day: 32 is no day of a month; use 1 to 31",
        ),
        ("done_by: technician", "done_by: technican", 5, "done_by: input should be 'officer'"),
        (
            "done_by: technician",
            "done_by: project_manager",
            5,
            "done_by: project_manager may not do that",
        ),
        (
            "countersigned_by: engineering_manager",
            "countersigned_by: foreman",
            6,
            "countersigned_by: foreman may not do that; use one of engineering_manager",
        ),
        ("[pump]", "[pmup]", 7, "there is no class 'pmup'; did you mean 'pump'?"),
        (
            "[b1-pump-room]",
            "[b1-pump-rom]",
            7,
            "there is no area 'b1-pump-rom'; did you mean 'b1-pump-room'?",
        ),
        ('due: "17:30"', 'due: "07:30"', 9, "window.due: is not after opens; make it later"),
        ('"+2d 17:30"', '"17:00"', 9, "window.late_until: is not after due; make it later"),
        ('"+2d 17:30"', '"+32d 17:00"', 9, "window.late_until: is more than 31 days behind"),
        ('"+2d 17:30"', '"+2d 24:01"', 9, "window.late_until: a day has 00:00 to 24:00"),
        ('opens: "08:00"', "opens: 08:00 h", 9, 'window.opens: a time is written "08:00"'),
        ("category: water_supply", "category: water", 10, "there is no category 'water'"),
        ("serious_within: 2h", "serious_within: 2", 10, "orders.serious_within"),
        ("class: pump\n", "class: pmup\n", 17, "items.temperature.class: there is no class 'pmup'"),
        (
            "point: motor_temperature",
            "point: motor_temprature",
            18,
            "temperature.point: no pump has a point 'motor_temprature'; did you mean",
        ),
        (
            "unit: ℃",
            "unit: K",
            19,
            "check.unit: the unit is K, but the point's is ℃; give the limits in ℃",
        ),
        ("high: 75, unit: ℃", "high: 75", 19, "the unit is missing, but the point's is ℃"),
        ("high: 75", "high: 250", 19, "check.high: 250 is never passed"),
        ("high: 75", "low: 80, high: 75", 19, "check.low: is above high: nothing would pass"),
        (
            "point: motor_temperature\n        check: {high: 75, unit: ℃}",
            "point: fault\n        check: {equals: 2}",
            19,
            "check.equals: fault is never 2; use one of 0, 1",
        ),
        (
            "cause_key: motor-overheat",
            "cause_key: motor-overhaet",
            21,
            "no alarm of class pump has the cause 'motor-overhaet'; did you mean 'motor-overheat'?",
        ),
        ("answer: tick", "answer: tick\n        point: fault", 25, "exactly one of point, count"),
        ("        answer: tick\n", "", 23, "exactly one of point, count, completion, answer"),
        ("answer: tick", "answer: choice", 23, "choices: is not much of a choice"),
        (
            "answer: tick",
            "answer: tick\n        check: {low: 1}",
            26,
            "check: belongs to a point or a number",
        ),
        ("key: rotation", "key: temperature", 23, "key: is also the key of another item"),
        ("severity: minor", "severity: mild", 26, "severity: input should be 'serious'"),
        (
            "level: weekly\n",
            "level: daily\n",
            30,
            "completion: a day holds no daily rounds but its own; remove it",
        ),
        ("sections:", "statment: {zh: 是, en: so}\nsections:", 12, "statment: is not a known key"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_mend(
    tmp_path: Path, demo: Site, old: str, new: str, line: int, told: str
) -> None:
    assert old in REGIME
    changed = REGIME.replace(old, new, 1)
    found = problems(book(tmp_path, changed), demo)
    assert any(
        problem.startswith(f"regimes/weekly-pumps.yaml:{line}: ") and told in problem
        for problem in found
    ), found


def test_all_mistakes_of_a_file_come_at_once(tmp_path: Path, demo: Site) -> None:
    wrong = (
        REGIME.replace("weekday: tuesday", "weekday: thusday")
        .replace("point: motor_temperature", "point: motor_temp")
        .replace("severity: serious", "severity: grave")
        .replace("category: water_supply", "category: water")
    )
    assert [problem.split(": ")[1] for problem in problems(book(tmp_path, wrong), demo)] == [
        "weekday",
        "orders.category",
        "sections.0.items.temperature.point",
        "sections.0.items.temperature.severity",
    ]


def test_two_regimes_of_one_id_are_a_mistake(tmp_path: Path, demo: Site) -> None:
    book(tmp_path)
    (tmp_path / "regimes" / "zz.yaml").write_text(REGIME)
    (found,) = problems(tmp_path, demo)
    assert found.startswith("regimes/zz.yaml:1: regime: is also the id of a regime in ")


def test_a_site_that_renames_the_causes_of_its_alarms_is_not_blamed_for_the_shipped_regimes(
    tmp_path: Path, demo: Site
) -> None:
    (tmp_path / "alarms").mkdir()
    pump = (SHIPPED / "alarms" / "pump.yaml").read_text()
    (tmp_path / "alarms" / "pump.yaml").write_text(pump.replace("motor-overheat", "hot"))
    assert load_rulebook(demo, [tmp_path, SHIPPED]).regimes
