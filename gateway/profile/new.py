"""A profile to begin with: valid as it is, with a comment on what each key means. Pure."""

from __future__ import annotations

import json
import re
from string import Template

_HEAD = Template("""\
# Every key is explained here once; `dutyroom profile check FILE` names what is wrong.
profile: $profile  # its id: the name of this file without .yaml
class: $equipment_class  # what it is; by its class alarms, forms and pages know it
vendor: $vendor  # remove the line if it is of no maker in particular
model: {zh: $model, en: $model_en}
protocol: $protocol
verified: unverified  # device, manual, code or unverified: what the map below was checked against
source: "[NV] to be written: manual, edition, page"  # [NV]: not verified
""")

_MODBUS = """\
first_register: 0  # the manual's number for PDU address 0: 0, 1 or 40001; registers as it has them
# limits: {registers: 125, bits: 2000, gap: 8}  # what one request may ask for, if less than usual
# groups:
#   slow: {every: 60}  # points with `group: slow` are read with every 60th poll
# parameters:
#   pump: {low: 1, high: 6, stride: 10}  # the same points again every 10 registers

points:
  - key: voltage
    name: {zh: 电压, en: Voltage}
    kind: number  # number, flag (0 or 1), state (a code of a list) or text
    unit: V
    decimals: 1  # digits that the device resolves
    low: 0  # what the device can truly report; outside of it a value is uncertain
    high: 500
    source: "register 0 [NV]"
    modbus: {function: holding, register: 0, scale: 0.1}  # holding, input, coil or discrete
    # type: int16 uint16 (the default) int32 uint32 int64 uint64 float32 float64 bcd16 bcd32 ascii
    # order: ABCD (the default), CDAB, BADC or DCBA; offset: added after the scale
    # absent: [0xFFFF]  # raw values by which the device says that it has no value
  - key: running
    name: {zh: 运行, en: Running}
    kind: flag
    states: {0: {zh: 停止, en: Stopped}, 1: {zh: 运行, en: Running}}
    source: "register 1 bit 0 [NV]"
    modbus: {function: holding, register: 1, bit: 0}  # width: 2 for a part of two bits
  - key: run_hours
    name: {zh: 累计运行时间, en: Run time}
    kind: number
    unit: h
    decimals: 2
    source: "derived from running"
    derived: {run_hours: running}  # also starts, delta, difference
"""

_MQTT = """\
availability: {topic: "{topic}/online", online: "true", offline: "false"}  # or the last will

points:
  - key: power
    name: {zh: 功率, en: Power}
    kind: number  # number, flag (0 or 1) or state (a code of a list)
    unit: W
    decimals: 1  # digits that the device resolves
    low: 0  # what the device can truly report; outside of it a value is uncertain
    high: 10000
    source: "message of the device [NV]"
    mqtt: {topic: "{topic}/status", path: [power]}  # {topic}: of the equipment, in the site file
  - key: output
    name: {zh: 输出, en: Output}
    kind: flag
    states: {0: {zh: 关, en: "Off"}, 1: {zh: 开, en: "On"}}
    source: "message of the device [NV]"
    mqtt: {topic: "{topic}/status", path: [state], codes: {"ON": 1, "OFF": 0}}
"""


def new_profile(
    *,
    profile: str,
    equipment_class: str,
    vendor: str,
    model: str,
    model_en: str,
    protocol: str,
) -> str:
    """The text of the file. ``protocol``: ``modbus`` or ``mqtt``."""
    head = _HEAD.substitute(
        profile=profile,
        equipment_class=equipment_class,
        vendor=_quoted(vendor),
        model=_quoted(model),
        model_en=_quoted(model_en),
        protocol=protocol,
    )
    if not vendor:
        head = "".join(line for line in head.splitlines(True) if not line.startswith("vendor:"))
    return head + (_MODBUS if protocol == "modbus" else _MQTT)


def id_of(*words: str) -> str:
    """An id of latin letters and digits; empty if there are none in ``words``."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")[:64]


def _quoted(text: str) -> str:
    """As a YAML scalar on one line, whatever it holds."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)
