"""Requests and replies: bytes by hand from the specification, and beside those of pymodbus."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu import bit_message, register_message
from pymodbus.pdu.utils import pack_bitstring

from gateway.modbus import pdu
from gateway.model.profile import Function

READS = {
    Function.COIL: (bit_message.ReadCoilsRequest, bit_message.ReadCoilsResponse),
    Function.DISCRETE: (
        bit_message.ReadDiscreteInputsRequest,
        bit_message.ReadDiscreteInputsResponse,
    ),
    Function.HOLDING: (
        register_message.ReadHoldingRegistersRequest,
        register_message.ReadHoldingRegistersResponse,
    ),
    Function.INPUT: (
        register_message.ReadInputRegistersRequest,
        register_message.ReadInputRegistersResponse,
    ),
}
WORDS = st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=123)


def theirs(message):
    """The bytes that pymodbus makes of it."""
    return bytes([message.function_code]) + message.encode()


# The examples of the application protocol specification, V1.1b3, 6.1 to 6.12.
@pytest.mark.parametrize(
    ("request_", "sent", "reply"),
    [
        (pdu.read(Function.COIL, 0x13, 19), "01 0013 0013", "01 03 CD6B05"),
        (pdu.read(Function.DISCRETE, 0xC4, 22), "02 00C4 0016", "02 03 ACDB35"),
        (pdu.read(Function.HOLDING, 0x6B, 3), "03 006B 0003", "03 06 022B 0000 0064"),
        (pdu.read(Function.INPUT, 8, 1), "04 0008 0001", "04 02 000A"),
        (pdu.write(Function.COIL, 0xAC, [1]), "05 00AC FF00", "05 00AC FF00"),
        (pdu.write(Function.COIL, 0xAC, [0]), "05 00AC 0000", "05 00AC 0000"),
        (pdu.write(Function.HOLDING, 1, [3]), "06 0001 0003", "06 0001 0003"),
        (pdu.write(Function.HOLDING, 1, [10, 258]), "10 0001 0002 04 000A 0102", "10 0001 0002"),
    ],
)
def test_the_examples_of_the_specification(request_, sent, reply):
    answer = bytes.fromhex(reply)
    assert request_.pdu == bytes.fromhex(sent)
    assert pdu.size_of_reply(answer, request_) == len(answer) == request_.size
    for length in range(1, len(answer)):
        assert pdu.size_of_reply(answer[:length], request_) == len(answer)


def test_the_values_in_the_examples():
    assert list(pdu.registers(bytes.fromhex("03 06 022B 0000 0064"))) == [0x22B, 0, 100]
    coils = pdu.bits(bytes.fromhex("01 03 CD6B05"), 19)
    assert "".join(str(int(bit)) for bit in coils) == "1011001111010110101"
    assert (coils.dtype, pdu.registers(b"\x03\x02\x12\x34").dtype) == (np.bool_, np.uint16)


@given(st.sampled_from(list(READS)), st.integers(0, 0xFFFF), st.integers(1, 125))
def test_reads_are_those_of_pymodbus(function, address, count):
    if address + count > 0x10000:
        with pytest.raises(ValueError, match="not in one Modbus request"):
            pdu.read(function, address, count)
        return
    message = READS[function][0](address=address, count=count)
    assert pdu.read(function, address, count).pdu == theirs(message)


@given(WORDS)
def test_registers_are_those_of_pymodbus(words):
    message = register_message.ReadHoldingRegistersResponse(registers=words)
    request = pdu.read(Function.HOLDING, 0, len(words))
    reply = theirs(message)
    assert pdu.size_of_reply(reply, request) == len(reply)
    assert list(pdu.registers(reply)) == words


@given(st.lists(st.booleans(), min_size=1, max_size=2000))
def test_bits_are_those_of_pymodbus(bits):
    packed = pack_bitstring(bits)
    reply = bytes([1, len(packed)]) + packed
    assert pdu.size_of_reply(reply, pdu.read(Function.COIL, 0, len(bits))) == len(reply)
    assert list(pdu.bits(reply, len(bits))) == bits


@given(st.integers(0, 0xFFFF - 123), WORDS)
def test_writes_are_those_of_pymodbus(address, words):
    if len(words) == 1:
        asked = register_message.WriteSingleRegisterRequest(address=address, registers=words)
        answer = register_message.WriteSingleRegisterResponse(address=address, registers=words)
    else:
        asked = register_message.WriteMultipleRegistersRequest(address=address, registers=words)
        answer = register_message.WriteMultipleRegistersResponse(address=address, count=len(words))
    request = pdu.write(Function.HOLDING, address, words)
    assert request.pdu == theirs(asked)
    assert request.head == theirs(answer)


@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        ("06 0001 0004", "echo 0600010004 ≠ 0600010003"),
        ("06 0002", "echo 060002 ≠ 0600010003"),
        ("10 0001 0003", "function 16 ≠ 6"),
        ("03 06", "function 3 ≠ 6"),
        ("90 02", "function 144 ≠ 6"),
    ],
)
def test_an_echo_that_is_none_is_named(heard, fault):
    with pytest.raises(ValueError, match=fault):
        pdu.size_of_reply(bytes.fromhex(heard), pdu.write(Function.HOLDING, 1, [3]))


def test_a_refusal_has_its_code_and_its_name():
    pdu.check_taken(bytes.fromhex("06 0001 0003"))
    with pytest.raises(pdu.RefusedError, match=r"^2 illegal address$") as caught:
        pdu.check_taken(bytes.fromhex("86 02"))
    assert caught.value.code == 2
    with pytest.raises(pdu.RefusedError, match=r"^99$"):
        pdu.check_taken(bytes.fromhex("83 63"))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (Function.INPUT, [1]),
        (Function.DISCRETE, [1]),
        (Function.COIL, [2]),
        (Function.COIL, [1, 0]),
        (Function.HOLDING, []),
        (Function.HOLDING, [0x10000]),
        (Function.HOLDING, [-1]),
        (Function.HOLDING, [0] * 124),
    ],
)
def test_what_cannot_be_written(function, words):
    with pytest.raises(ValueError, match=r"no registers|cannot be written"):
        pdu.write(function, 0, words)
