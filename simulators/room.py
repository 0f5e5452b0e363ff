"""The air of a room, as a climate transmitter sees it. Pure.

Heat follows ``dT/dt = (ambient + rise − T) / τ``; what runs in the room warms it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.equipment import Equipment
from simulators.model import Around, FaultKind, Given, Single, towards, wobble

_CONDUCTANCE = 90.0
"""W by which the room is 1 K warmer than outside, through walls and ventilation."""
_HUMIDITY = 58.0
"""% relative, of the room at the temperature outside."""
_DRYING = 0.9
"""% by which the air is drier for every K above that. Saturation alone would make it drier than
this, but water seeps into a cellar."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """Temperature in ℃, relative humidity in %, age in s."""

    temperature: float
    humidity: float = _HUMIDITY
    age: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    ambient: float
    """℃ outside."""
    heat: float
    """W that the equipment gives off."""
    fault_rise: float
    """K by which it is hotter for a failed ventilation."""
    time: float
    """s: τ of the room."""


def step(before: Room, given: Conditions, dt: float) -> Room:
    """The room ``dt`` seconds later."""
    age = before.age + dt
    target = given.ambient + given.heat / _CONDUCTANCE + given.fault_rise
    temperature = towards(before.temperature, target, dt, given.time)
    dry = _HUMIDITY - _DRYING * (temperature - given.ambient)
    humidity = min(max(dry + 1.5 * wobble("air", age, 140), 5.0), 95.0)
    return Room(temperature=temperature, humidity=humidity, age=age)


def values(room: Room) -> dict[str, float]:
    """Point key of the climate transmitters' profile → value."""
    return {"temperature": room.temperature, "humidity": room.humidity}


def _first(_thing: Equipment, ambient: float) -> Room:
    return Room(temperature=ambient)


def _moved(before: Room, around: Around, given: Given, dt: float) -> tuple[Room, list[str]]:
    hot = around.faults.get("hot-room")
    conditions = Conditions(
        ambient=given.ambient,
        heat=around.heat,
        fault_rise=hot.rise if hot else 0.0,
        time=given.room_time,
    )
    return step(before, conditions, dt), []


MODEL = Single(
    name="room",
    classes=("power_room", "pump_room"),
    faults=(FaultKind(name="hot-room", befalls=("power_room", "pump_room"), heats=True),),
    first=_first,
    moved=_moved,
    said=values,
    state=Room,
)
