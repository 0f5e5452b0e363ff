"""RTU frames and checksums, and a hundred thousand damaged frames of either framing.

Modbus TCP by hand: test_modbus_reply.py.
"""

import os
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, register_message

from gateway.modbus import pdu
from gateway.modbus.framing import MbapExchange, RtuExchange, WrongReplyError, checksum
from gateway.model.profile import Function

FRAMES = 100_000 * int(os.environ.get("DUTYROOM_TEST_FUZZ", "1"))
"""How many damaged frames; ``DUTYROOM_TEST_FUZZ`` multiplies them (10 in the soak)."""

ASKED = RtuExchange(1, pdu.read(Function.HOLDING, 0x6B, 2))
GOOD = bytes.fromhex("01 03 04 0006 0005") + bytes.fromhex("DA31")


def test_a_request_and_its_reply_by_hand():
    assert RtuExchange(0x11, pdu.read(Function.HOLDING, 0x6B, 3)).sent == bytes.fromhex(
        "11 03 006B 0003 7687"
    )
    assert checksum(b"123456789") == bytes.fromhex("374B"), "the check value of CRC-16/MODBUS"
    for length in range(len(GOOD)):
        assert ASKED.reply(GOOD[:length]) is None
    assert ASKED.reply(GOOD) == bytes.fromhex("03 04 0006 0005")
    assert ASKED.reply(bytes.fromhex("01 83 02 C0F1")) == bytes.fromhex("83 02")


@pytest.mark.parametrize(
    ("heard", "fault", "damaged"),
    [
        ("02", "unit 2 ≠ 1", False),
        ("01 04", "function 4 ≠ 3", False),
        ("01 03 02 0006", "bytes 2 ≠ 4", False),
        ("01 03 04 0006 0005 DA32", "CRC da32 ≠ da31", True),
        ("01 03 04 0006 0005 DA31 00", "1 bytes after the reply", False),
        ("01 83 02 C0F1 01", "1 bytes after the reply", False),
        ("01 83 02 C0F2", "CRC c0f2 ≠ c0f1", True),
        ("00 00 00", "unit 0 ≠ 1", False),
    ],
)
def test_anything_else_is_named(heard, fault, damaged):
    with pytest.raises(WrongReplyError) as caught:
        ASKED.reply(bytes.fromhex(heard))
    assert (str(caught.value), caught.value.damaged) == (fault, damaged)


def passes(heard):
    """Whether it is taken for the reply."""
    try:
        return ASKED.reply(heard) is not None
    except WrongReplyError:
        return False


def test_no_flip_of_one_or_two_bits_goes_unseen():
    assert passes(GOOD)
    bits = range(8 * len(GOOD))
    for mask in {1 << one | 1 << other for one in bits for other in bits}:
        assert not passes((int.from_bytes(GOOD) ^ mask).to_bytes(len(GOOD)))


@given(st.integers(1, 247), st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125))
def test_frames_are_those_of_pymodbus(unit, words):
    asked = register_message.ReadHoldingRegistersRequest(
        dev_id=unit, transaction_id=513, address=7, count=len(words)
    )
    answer = register_message.ReadHoldingRegistersResponse(
        dev_id=unit, transaction_id=513, registers=words
    )
    request = pdu.read(Function.HOLDING, 7, len(words))
    for exchange, framer in (
        (RtuExchange(unit, request), FramerRTU(DecodePDU(False))),
        (MbapExchange(513, unit, request), FramerSocket(DecodePDU(False))),
    ):
        assert exchange.sent == framer.buildFrame(asked)
        reply = exchange.reply(framer.buildFrame(answer))
        assert reply is not None
        assert list(pdu.registers(reply)) == words


# -- damage ---------------------------------------------------------------------------------------


def slow_checksum(frame):
    """CRC-16/MODBUS bit by bit."""
    left = 0xFFFF
    for byte in frame:
        left ^= byte
        for _ in range(8):
            left = (left >> 1) ^ 0xA001 if left & 1 else left >> 1
    return struct.pack("<H", left)


class Asked:
    """A request of either framing, with a right reply to it and what else would be right."""

    def __init__(self, chance):
        self.unit = chance.randrange(1, 248)
        self.number = None if chance.random() < 0.5 else chance.randrange(1, 0x10000)
        count = chance.choice([1, 2, 9, 40])
        kind = chance.randrange(6)
        if kind < 4:
            function = list(Function)[kind]
            request = pdu.read(function, chance.randrange(60000), count)
            body = chance.randbytes((count + 7) // 8 if function.is_bits else 2 * count)
            self.fixed = bytes([function.code, len(body)])
            self.body = self.fixed + body
        else:
            words = [chance.randrange(0x10000) for _ in range(1 if kind == 4 else count)]
            request = pdu.write(Function.HOLDING, chance.randrange(60000), words)
            self.fixed = self.body = request.pdu[:5]
        if chance.random() < 0.2:
            self.body = bytes([self.fixed[0] | 0x80, chance.randrange(1, 12)])
        if self.number is None:
            self.exchange = RtuExchange(self.unit, request)
        else:
            self.exchange = MbapExchange(self.number, self.unit, request)
        self.size = request.size
        self.right = self.framed(self.body)

    def framed(self, body):
        if self.number is None:
            frame = bytes([self.unit]) + body
            return frame + checksum(frame)
        return struct.pack(">HHHB", self.number, 0, len(body) + 1, self.unit) + body

    def allows(self, heard, reply):
        """Whether ``heard`` is a right reply, and ``reply`` what is in it."""
        if self.number is None:
            framed = heard[:1] == bytes([self.unit]) and heard[-2:] == slow_checksum(heard[:-2])
            body = heard[1:-2]
        else:
            framed = heard[:7] == struct.pack(">HHHB", self.number, 0, len(heard) - 6, self.unit)
            body = heard[7:]
        refusal = len(body) == 2 and body[0] == self.fixed[0] | 0x80
        value = body.startswith(self.fixed) and len(body) == self.size
        return framed and reply == body and (refusal or value)


def damaged(asked, other, chance):
    """A right reply after something happened to it; sometimes nothing, sometimes only noise."""
    frame = bytearray(asked.right)
    kind = chance.randrange(10)
    if kind == 0:
        return chance.randbytes(chance.randrange(80))
    if kind == 1:
        return bytes(frame + other.right)
    if kind == 2:
        return other.right
    if kind == 3:
        return bytes(frame[: chance.randrange(len(frame))])
    if kind == 4:
        at = chance.randrange(len(frame) + 1)
        return bytes(frame[:at] + chance.randbytes(chance.randrange(1, 9)) + frame[at:])
    if kind == 5:
        at = chance.randrange(len(frame))
        del frame[at : at + chance.randrange(1, 4)]
    if kind in (6, 7):
        for _ in range(chance.randrange(1, 5)):
            frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
    if kind == 8:
        return bytes(frame[:1]) + chance.randbytes(len(frame) - 1)
    return bytes(frame)


def heard_in_pieces(asked, frame, chance):
    """What is taken for the reply, and the bytes it was taken from; None if nothing is."""
    heard = b""
    while frame:
        size = len(frame) if chance.random() < 0.7 else chance.randrange(1, len(frame) + 1)
        heard, frame = heard + frame[:size], frame[size:]
        try:
            reply = asked.exchange.reply(heard)
        except WrongReplyError:
            return None
        if reply is not None:
            return heard, reply
    return None


def test_of_many_damaged_frames_none_crashes_and_none_passes_for_a_reply():
    chance = random.Random(20261121)
    taken = refused = 0
    asked = other = Asked(chance)
    for number in range(FRAMES):
        if number % 4 == 0:
            asked, other = Asked(chance), asked
        frame = damaged(asked, other, chance)
        found = heard_in_pieces(asked, frame, chance)
        if found is None:
            refused += 1
            continue
        taken += 1
        assert asked.allows(*found), (asked.exchange.sent.hex(), frame.hex())
    # The test would show nothing if all were refused, or all were right.
    assert taken > FRAMES / 20
    assert refused > FRAMES / 2
