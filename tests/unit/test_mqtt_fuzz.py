"""Payloads that no device sends: each is a frame with legal columns, or refused; never a crash.

``DUTYROOM_TEST_FUZZ`` multiplies how many (10 in the soak). The seed is fixed and printed.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from ruamel.yaml import YAML

from gateway.model.equipment import Equipment
from gateway.model.moment import DAY, SECOND
from gateway.model.quality import Quality
from gateway.mqtt.document import UnreadableMessageError
from gateway.mqtt.mapping import MessageMapping
from gateway.profile.files import SHIPPED, load_profiles
from gateway.site.document import EquipmentDocument
from gateway.site.equipment import installed

CASES = Path(__file__).parents[1] / "cases"
NOW = 1_795_000_000 * SECOND
SEED = 20_261_122
PAYLOADS = 20_000 * int(os.environ.get("DUTYROOM_TEST_FUZZ", "1"))
LONGEST = 0.5
"""Seconds for one payload after which it counts as a hang, on a machine that has other work."""

NASTY = (
    *(b"null", b"true", b'""', b"[]", b"{}", b"-0", b"1e308", b"1e999", b"NaN", b"-Infinity"),
    *(b"18446744073709551616", b"9" * 400, b"0.1" + b"1" * 400, b'"\\ud800"', b'"\\u0000"'),
    *(b'"ON"', b'"2026-11-22T08:00:00"', b'"' + b"x" * 600 + b'"', b"[[1]]", b'{"0":1}'),
    *(b"[" * 40 + b"]" * 40, "\u202e电".encode(), b"\xff\xfe", b"\xed\xa0\x80", b"\0"),
)
_MARK = "@another"
BYTES = b'{}[]",:0123456789.eE+-\\truefalsn \0\x7f\xc3\xff'


def equipment() -> list[Equipment]:
    """One of every shipped profile that is for messages."""
    things = []
    for name, file in sorted(load_profiles([SHIPPED]).items()):
        if file.profile.protocol == "mqtt":
            said = {
                "id": name,
                "name": {"zh": name, "en": name},
                "profile": name,
                "area": "a",
                "link": "l",
                "topic": "device/1",
                "silence": "60s",
            }
            things.append(installed(EquipmentDocument.model_validate(said), file))
    return things


Example = tuple[MessageMapping, str, bytes]


def examples(things: list[Equipment]) -> list[Example]:
    """What the golden cases say that devices send, and each device's word that it left."""
    zone = ZoneInfo("Asia/Shanghai")
    mappings = {thing.profile: MessageMapping([thing], zone) for thing in things}
    found: list[Example] = []
    for path in sorted(CASES.glob("*/*.yaml")):
        case = YAML(typ="safe").load(path)
        if "payload" in case:
            mapping, payload = mappings[case["profile"]], case["payload"].encode()
            for topic in mapping.topics():
                if topic.endswith(case["topic"]):
                    found.append((mapping, topic, payload))
    for thing in things:
        if thing.availability is not None:
            said = thing.availability
            found.append((mappings[thing.profile], said.topic, said.offline.encode()))
    assert {id(mapping) for mapping, _, _ in found} == {id(one) for one in mappings.values()}
    return found


def mutated(payload: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """``payload`` with one to four things wrong."""
    data = bytearray(payload)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0:
                data[at : at + 1] = bytes([chance.choice(BYTES)])
            case 1:
                data[at:at] = bytes(chance.choice(BYTES) for _ in range(chance.randint(1, 6)))
            case 2:
                del data[at : at + chance.randint(1, 12)]
            case 3:
                del data[at:]
            case 4:
                data[at:at] = chance.choice(NASTY)
            case 5:
                other = chance.choice(others)
                data[at:] = other[chance.randrange(len(other) + 1) :]
            case 6:
                data[at:at] = data[chance.randrange(len(data) + 1) :][:60]
    return bytes(data)


def otherwise_filled(payload: bytes, chance: random.Random) -> bytes:
    """``payload`` with another thing in place of some of what it holds: mostly still JSON."""
    try:
        document = json.loads(payload)
    except ValueError:
        return payload
    for _ in range(chance.randint(1, 3)):
        inner = document
        while isinstance(inner, dict) and inner:
            key = chance.choice(sorted(inner))
            if not isinstance(inner[key], dict) or chance.random() < 0.1:
                inner[key] = _MARK
                break
            inner = inner[key]
    said = json.dumps(document).encode()
    while _MARK.encode() in said:
        said = said.replace(f'"{_MARK}"'.encode(), chance.choice(NASTY), 1)
    return said


def payloads(known: list[Example]) -> Iterator[Example]:
    chance = random.Random(SEED)
    texts = [payload for _, _, payload in known]
    for _ in range(PAYLOADS):
        mapping, topic, payload = chance.choice(known)
        turn = chance.random()
        if turn < 0.1:
            yield mapping, topic, chance.randbytes(chance.randrange(300))
        elif turn < 0.5:
            yield mapping, topic, otherwise_filled(payload, chance)
        else:
            yield mapping, topic, mutated(payload, chance, texts)


def check_legal(frame, received: int) -> None:
    """What everything behind relies on, whatever the device said."""
    rows = len(frame.points)
    assert rows
    assert len(set(frame.points)) == rows
    assert set(frame.quality.tolist()) <= {Quality.GOOD, Quality.UNCERTAIN, Quality.BAD}
    has_value = np.isfinite(frame.value)
    has_value[list(frame.text)] = True
    assert (has_value == (frame.quality != Quality.BAD)).all()
    assert not np.isinf(frame.value).any()
    assert set(frame.reason) == set(np.flatnonzero(frame.quality != Quality.GOOD).tolist())
    assert all(text and "\n" not in text and len(text) < 200 for text in frame.reason.values())
    assert all(len(text) <= 500 and "\0" not in text for text in frame.text.values())
    for text in (*frame.text.values(), *frame.reason.values()):
        text.encode("utf-8")
    off = frame.source_time - received
    assert ((off >= -DAY) & (off <= 60 * SECOND)).all()


def test_no_payload_crashes_or_hangs_the_mapping(capsys: pytest.CaptureFixture[str]) -> None:
    things = equipment()
    known = examples(things)
    refused = frames = 0
    longest, worst = 0.0, b""
    for number, (mapping, topic, payload) in enumerate(payloads(known)):
        begun = time.thread_time()
        try:
            frame = mapping.take(topic, payload, NOW, retained=number % 5 == 0)
        except UnreadableMessageError as error:
            refused += 1
            assert error.reason
        else:
            frames += frame is not None
            if frame is not None:
                check_legal(frame, NOW)
        taken = time.thread_time() - begun
        if taken > longest:
            longest, worst = taken, payload
    with capsys.disabled():
        print(
            f"\n{PAYLOADS} payloads (seed {SEED}, {len(things)} profiles): {frames} frames, "
            f"{refused} refused, longest {1000 * longest:.1f} ms"
        )
    # Neither all refused nor all read, or it would show nothing.
    assert refused > PAYLOADS // 20
    assert frames > PAYLOADS // 20
    assert longest < LONGEST, worst[:200]
