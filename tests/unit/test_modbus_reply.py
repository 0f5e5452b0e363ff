"""Of what is heard exactly the one expected reply, on Modbus TCP; RTU: test_modbus_framing.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.modbus import pdu
from gateway.modbus.framing import MbapExchange, WrongReplyError
from gateway.model.profile import Function

ASKED = MbapExchange(7, 1, pdu.read(Function.INPUT, 400, 2))
GOOD = bytes.fromhex("0007 0000 0007 01 04 04 0001 0002")
BUSY = bytes.fromhex("0007 0000 0003 01 84 06")


def fault_in(heard):
    """What is wrong with it; None if nothing is as yet."""
    try:
        ASKED.reply(heard)
    except WrongReplyError as wrong:
        return str(wrong)
    return None


def test_the_request_is_what_is_asked_for():
    assert ASKED.sent == bytes.fromhex("0007 0000 0006 01 04 0190 0002")
    bits = MbapExchange(1, 9, pdu.read(Function.DISCRETE, 0, 9))
    assert bits.sent == bytes.fromhex("0001 0000 0006 09 02 0000 0009")


@pytest.mark.parametrize("reply", [GOOD, BUSY])
def test_the_reply_passes_byte_by_byte(reply):
    for length in range(len(reply)):
        assert ASKED.reply(reply[:length]) is None
    assert ASKED.reply(reply) == reply[7:]


@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        ("0006 0000 0007 01 04 04 0001 0002", "transaction 6 ≠ 7"),
        ("0000 0000 0007 01 04 04 0001 0002", "transaction 0 ≠ 7"),
        ("0007 0001 0007 01 04 04 0001 0002", "protocol 1 ≠ 0"),
        ("0007 0000 0007 02 04 04 0001 0002", "unit 2 ≠ 1"),
        ("0007 0000 0007 01 03 04 0001 0002", "function 3 ≠ 4"),
        ("0007 0000 0003 01 83 02", "function 131 ≠ 4"),
        ("0007 0000 0005 01 04 02 0001", "bytes 2 ≠ 4"),
        ("0007 0000 0009 01 04 06 0001 0002 0003", "bytes 6 ≠ 4"),
        ("0007 0000 0008 01 04 05 0001 0002 00", "bytes 5 ≠ 4"),
        ("0007 0000 0005 01 04 04 0001", "length 5 ≠ 7"),
        ("0007 0000 0009 01 04 04 0001 0002 0003", "length 9 ≠ 7"),
        ("0007 0000 0007 01 04 04 0001 0002 00", "1 bytes after the reply"),
        ("0007 0000 0003 01 84 06 00", "1 bytes after the reply"),
    ],
)
def test_anything_else_is_named(heard, fault):
    assert fault_in(bytes.fromhex(heard)) == fault


def test_no_flip_in_what_is_not_a_value_goes_unseen():
    for place in range(9):
        for other in set(range(256)) - {GOOD[place]}:
            changed = GOOD[:place] + bytes([other]) + GOOD[place + 1 :]
            assert fault_in(changed) is not None, changed.hex(" ")


@given(st.binary(max_size=300))
def test_garbage_never_crashes(noise):
    try:
        reply = ASKED.reply(noise)
    except WrongReplyError:
        return
    assert reply is None or noise.startswith(bytes.fromhex("0007 0000"))
