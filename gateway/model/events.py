"""The envelope around everything a gateway says, and the one encoding that every bus carries.

A record is ``(site, gateway, epoch, seq)`` and a body. ``epoch`` names a spool: it is new when
a spool is made, and ``seq`` counts from 1 within it without a gap. See ``deploy/adr/0001``.

Layout of an encoded record, little-endian::

    4s  magic "DR01"
    u32 length of the header      JSON: envelope, text, reasons, or the gateway event
    u32 length of the point list  point ids joined by "\\n", UTF-8
    u32 rows
    …   header, point list, zero padding to a multiple of 8
    f64 × rows  value
    i64 × rows  source time, µs UTC
    u8  × rows  quality
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from gateway.model.frame import Frame
from gateway.model.moment import Instant

_MAGIC = b"DR01"
_PREFIX = struct.Struct("<4sIII")


class UnreadableRecordError(ValueError):
    """Bytes that are no record of ours, or were cut or changed on the way."""


class GatewayEventKind(StrEnum):
    STARTED = "started"
    CLOCK_STEP = "clock_step"
    LINK_UP = "link_up"
    LINK_DOWN = "link_down"
    SHED = "shed"
    """Records were lost to the history for want of room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayEvent:
    """Something that happened to the gateway itself."""

    kind: GatewayEventKind
    subject: str
    """Link id, or the gateway's id."""
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    site: str
    gateway: str
    epoch: str
    seq: int
    at: Instant
    """When the gateway received the readings or saw the event."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    envelope: Envelope
    body: Frame | GatewayEvent


def encode(record: Record) -> bytes:
    """``record`` as bytes; the inverse of :func:`decode`."""
    envelope, body = record.envelope, record.body
    header: dict[str, Any] = {
        "site": envelope.site,
        "gateway": envelope.gateway,
        "epoch": envelope.epoch,
        "seq": envelope.seq,
        "at": [envelope.at.wall, envelope.at.mono, envelope.at.boot],
    }
    if isinstance(body, GatewayEvent):
        header["event"] = [body.kind.value, body.subject, body.detail]
        head = orjson.dumps(header)
        return _PREFIX.pack(_MAGIC, len(head), 0, 0) + head
    if body.text:
        header["text"] = {str(row): text for row, text in body.text.items()}
    if body.reason:
        header["reason"] = {str(row): why for row, why in body.reason.items()}
    head = orjson.dumps(header)
    ids = _joined(body.points)
    start = _PREFIX.size + len(head) + len(ids)
    return b"".join(
        (
            _PREFIX.pack(_MAGIC, len(head), len(ids), len(body.points)),
            head,
            ids,
            b"\0" * (-start % 8),
            np.ascontiguousarray(body.value, dtype="<f8").tobytes(),
            np.ascontiguousarray(body.source_time, dtype="<i8").tobytes(),
            np.ascontiguousarray(body.quality, dtype="u1").tobytes(),
        )
    )


def decode(data: bytes) -> Record:
    """The record in ``data``.

    Raises :class:`UnreadableRecordError` for anything that :func:`encode` did not make.
    The columns of the frame are read-only views of ``data``.
    """
    try:
        magic, head_length, ids_length, rows = _PREFIX.unpack_from(data)
        if magic != _MAGIC:
            raise UnreadableRecordError(f"starts with {magic!r}, expected {_MAGIC!r}")
        ids_start = _PREFIX.size + head_length
        ids_end = ids_start + ids_length
        header = orjson.loads(data[_PREFIX.size : ids_start])
        wall, mono, boot = header["at"]
        envelope = Envelope(
            site=header["site"],
            gateway=header["gateway"],
            epoch=header["epoch"],
            seq=header["seq"],
            at=Instant(wall=wall, mono=mono, boot=boot),
        )
        if "event" in header:
            kind, subject, detail = header["event"]
            event = GatewayEvent(kind=GatewayEventKind(kind), subject=subject, detail=detail)
            return Record(envelope=envelope, body=event)
        columns = ids_end + (-ids_end % 8)
        if len(data) != columns + 17 * rows:
            raise UnreadableRecordError(f"{len(data)} bytes, expected {columns + 17 * rows}")
        frame = Frame(
            points=_split(data[ids_start:ids_end]),
            value=np.frombuffer(data, "<f8", rows, columns),
            source_time=np.frombuffer(data, "<i8", rows, columns + 8 * rows),
            quality=np.frombuffer(data, "u1", rows, columns + 16 * rows),
            text={int(row): text for row, text in header.get("text", {}).items()},
            reason={int(row): why for row, why in header.get("reason", {}).items()},
        )
        return Record(envelope=envelope, body=frame)
    except UnreadableRecordError:
        raise
    except (struct.error, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableRecordError(f"cut or changed: {error}") from error


def is_event(data: bytes) -> bool:
    """Whether ``data``, a record, is of a gateway event; without decoding it."""
    return data[:4] == _MAGIC and data[8:16] == bytes(8)


@lru_cache(maxsize=1024)
def _joined(points: tuple[str, ...]) -> bytes:
    return "\n".join(points).encode()


@lru_cache(maxsize=1024)
def _split(ids: bytes) -> tuple[str, ...]:
    return tuple(ids.decode().split("\n")) if ids else ()
