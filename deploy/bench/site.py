"""A site file of many equal devices, with the profile and the rules that go with it.

python -m deploy.bench.site FOLDER --devices 1000 --points 20 --links 20
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from deploy.bench import truth

_PROFILE = """\
profile: bench-meter
class: meter
vendor: Nobody
model: {zh: 测试表计, en: Meter of the bench}
protocol: modbus
verified: unverified
source: "deploy/bench/truth.py"
first_register: 0

points:
"""
_POINT = """\
  - key: KEY
    name: {zh: KEY, en: KEY}
    kind: number
    unit: ""
    decimals: 2
    low: 0
    high: HIGH
    source: "deploy/bench/truth.py"
    modbus: {function: input, register: REGISTER, type: float32}
"""


@dataclass(frozen=True)
class Load:
    """``devices`` of ``points`` points each, over ``links`` connections, every ``poll`` s."""

    devices: int
    points: int = 20
    links: int = 20
    poll: float = 1.0
    port: int = 21000

    @property
    def units(self) -> int:
        """Devices a link; the last one may have fewer."""
        return -(-self.devices // self.links)

    @property
    def tags(self) -> float:
        """Readings a second."""
        return self.devices * self.points / self.poll

    def place(self, device: int) -> tuple[int, int]:
        """Link (from 0) and unit (from 1) of ``device``."""
        return device // self.units, device % self.units + 1


def name(device: int) -> str:
    """Equipment id of ``device``."""
    return f"meter-{device}"


def device_of(point: str) -> int:
    """The inverse for a point id."""
    return int(point.partition(".")[0].removeprefix("meter-"))


def write(folder: Path, load: Load, *, scenario: bool = False) -> Path:
    """The site file of ``load`` in ``folder``. ``scenario``: it names one, so that ``dutyroom
    simulate`` serves it, too."""
    if not 1 <= load.units <= 247:
        raise ValueError(f"{load.units} devices a link: a Modbus line has 1 to 247 units")
    profiles = folder / "profiles" / "meter"
    profiles.mkdir(parents=True, exist_ok=True)
    (profiles / "bench-meter.yaml").write_text(_profile(load.points), encoding="utf-8")
    lines = [
        "site: {id: bench, name: {zh: 测试, en: Bench}, timezone: Asia/Shanghai, "
        "profiles_folder: profiles}",
        "gateway: gw-1",
        "areas: [{id: hall, name: {zh: 大厅, en: Hall}}]",
        "links:",
        *(
            f"  - {{id: link-{n}, protocol: modbus-tcp, host: 127.0.0.1, "
            f"port: {load.port + n}, timeout: 1s}}"
            for n in range(load.links)
        ),
        "equipment:",
    ]
    for device in range(load.devices):
        link, unit = load.place(device)
        lines.append(
            f"  - {{id: {name(device)}, name: {{zh: 表 {device}, en: Meter {device}}}, "
            f"profile: bench-meter, area: hall, link: link-{link}, unit: {unit}, "
            f"poll: {round(load.poll * 1000)}ms}}"
        )
    if scenario:
        (folder / "quiet.yaml").write_text(_QUIET, encoding="utf-8")
        (folder / "broker.password").write_text("nobody\n", encoding="utf-8")
        # It has no device that speaks through one, and nobody connects to it.
        broker = "{host: 127.0.0.1, port: 1883, username: bench, password_file: broker.password}"
        lines[2:2] = ["simulation: {scenario: quiet.yaml}", f"broker: {broker}"]
    path = folder / "site.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


_QUIET = """\
name: {zh: 平静, en: Nothing happens}
ambient: 24
motor_time: 10m
water: {demand: 1, swing: 0.2, period: 2m}
"""


def _profile(points: int) -> str:
    text = _PROFILE
    for number, key in enumerate(truth.keys(points)):
        _, high = truth.span(key)
        text += (
            _POINT.replace("KEY", key)
            .replace("HIGH", f"{2 * high:g}")
            .replace("REGISTER", str(2 * number))
        )
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--links", type=int, default=20)
    parser.add_argument("--poll", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=21000)
    parser.add_argument("--scenario", action="store_true")
    given = vars(parser.parse_args())
    folder, scenario = given.pop("folder"), given.pop("scenario")
    print(write(folder, Load(**given), scenario=scenario))


if __name__ == "__main__":
    main()
