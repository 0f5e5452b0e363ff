"""A value in a point's unit → the words to write: the inverse of the decoder. Pure."""

from __future__ import annotations

import math

from gateway.model.profile import ModbusPlace, RegisterType
from gateway.model.words import bounds, number_words, raw_bits, text_words


def encode_words(place: ModbusPlace, value: float | str) -> tuple[int, ...]:
    """The registers (or the one bit) that make the device say ``value`` at ``place``.

    A number is taken to the nearest that the place resolves; a text is for ASCII alone. Raises
    :class:`ValueError` if the place cannot hold it, if it is what the device says for "not
    available", or if the place is a part of a register: its neighbours would be overwritten.
    """
    if place.bit is not None:
        raise ValueError("a part of a register cannot be written without its neighbours")
    if isinstance(value, str) != (place.type is RegisterType.ASCII):
        raise ValueError(f"{value!r} is nothing for a place of type {place.type.value}")
    if isinstance(value, str):
        return text_words(place, value)
    words = number_words(place, _raw(place, value))
    if raw_bits(place, words) in place.absent:
        raise ValueError(f'{value:g} is what the device says for "not available"')
    return words


def _raw(place: ModbusPlace, value: float) -> float:
    raw = (value - place.offset) / place.scale
    if not math.isfinite(raw):
        raise ValueError(f"{value!r} is no number")
    limits = bounds(place)
    if limits is None:
        return raw
    least, most = limits
    whole = round(raw)
    if not least <= whole <= most:
        low, high = sorted(end * place.scale + place.offset for end in limits)
        raise ValueError(f"{value:.10g} is outside {low:.10g}…{high:.10g}")
    return whole
