"""A site with one piece of equipment of every shipped profile, named as its profile is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway.profile.files import SHIPPED, ProfileFile, load_profiles

_HEAD = """
site: {id: every, name: {zh: 全, en: Every}, timezone: Asia/Shanghai}
gateway: gw
areas: [{id: a, name: {zh: 房, en: Room}}]
links:
  - {id: bus, protocol: modbus-tcp, host: 127.0.0.1, port: 1502, timeout: 1s}
  - {id: broker, protocol: mqtt}
equipment:
"""


def site_of_every_profile(folder: Path) -> Path:
    """The site file, written below ``folder``; a generic profile stands for all that it can."""
    path = folder / "site.yaml"
    profiles = load_profiles([SHIPPED]).values()
    lines = [line for unit, file in enumerate(profiles, 1) for line in _lines(unit, file)]
    path.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def _lines(unit: int, file: ProfileFile) -> Iterator[str]:
    profile = file.profile
    parameters = {name: limits.low for name, limits in file.document.parameters.items()}
    classes = (profile.equipment_class, *profile.generic)
    for at, equipment_class in enumerate(classes):
        name = profile.id if at == 0 else f"{profile.id}-as-{equipment_class.replace('_', '-')}"
        yield f"  - id: {name}"
        yield "    name: {zh: 物, en: Thing}"
        yield f"    profile: {profile.id}"
        yield "    area: a"
        if profile.generic:
            yield f"    class: {equipment_class}"
        if parameters:
            yield f"    parameters: {parameters}"
        if profile.protocol == "modbus":
            yield f"    link: bus\n    unit: {unit + 50 * at}\n    poll: 10s"
        else:
            yield f"    link: broker\n    topic: every/{name}\n    silence: 60s"
