import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.modbus.reply import Asked, asked_by, fault_in

ASKED = Asked(transaction=7, unit=1, function=4, body=4)
GOOD = bytes.fromhex("0007 0000 0007 01 04 04 0001 0002")
BUSY = bytes.fromhex("0007 0000 0003 01 84 06")


def test_the_request_says_what_is_asked_for():
    assert asked_by(bytes.fromhex("0007 0000 0006 01 04 0190 0002")) == ASKED
    bits = asked_by(bytes.fromhex("0001 0000 0006 09 02 0000 0009"))
    assert bits == Asked(transaction=1, unit=9, function=2, body=2)


@pytest.mark.parametrize("reply", [GOOD, BUSY])
def test_the_reply_passes_byte_by_byte(reply):
    for length in range(len(reply) + 1):
        assert fault_in(reply[:length], ASKED) is None


@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        ("0006 0000 0007 01 04 04 0001 0002", "a reply to transaction 6, expected 7"),
        ("0000 0000 0007 01 04 04 0001 0002", "a reply to transaction 0, expected 7"),
        ("0007 0001 0007 01 04 04 0001 0002", "a reply of protocol 1, expected 0"),
        ("0007 0000 0007 02 04 04 0001 0002", "a reply from unit 2, expected 1"),
        ("0007 0000 0007 01 03 04 0001 0002", "a reply of function code 3, expected 4"),
        ("0007 0000 0003 01 83 02", "a reply of function code 131, expected 4"),
        ("0007 0000 0005 01 04 02 0001", "a reply of 2 bytes, expected 4"),
        ("0007 0000 0009 01 04 06 0001 0002 0003", "a reply of 6 bytes, expected 4"),
        ("0007 0000 0008 01 04 05 0001 0002 00", "a reply of 5 bytes, expected 4"),
        ("0007 0000 0005 01 04 04 0001", "a reply of length 4, expected 6"),
        ("0007 0000 0009 01 04 04 0001 0002 0003", "a reply of length 8, expected 6"),
        ("0007 0000 0007 01 04 04 0001 0002 00", "bytes after the reply"),
        ("0007 0000 0003 01 84 06 00", "bytes after the reply"),
    ],
)
def test_anything_else_is_named(heard, fault):
    assert fault_in(bytes.fromhex(heard), ASKED) == fault


def test_bytes_that_nobody_asked_for():
    assert fault_in(GOOD, None) == "bytes that nobody asked for"


def test_no_flip_in_what_is_not_a_value_goes_unseen():
    for place in range(9):
        for other in set(range(256)) - {GOOD[place]}:
            changed = GOOD[:place] + bytes([other]) + GOOD[place + 1 :]
            assert fault_in(changed, ASKED) is not None, changed.hex(" ")


@given(st.binary(max_size=300))
def test_garbage_never_crashes(noise):
    assert fault_in(noise, ASKED) is None or fault_in(noise, ASKED)
