"""Where a Modbus link leads, however it is written: two links that lead to one place are one."""

from __future__ import annotations

import asyncio
import os
import socket
from ipaddress import IPv6Address, ip_address

from gateway.model.equipment import ModbusLink

_HERE = "localhost"


def plain_host(host: str) -> str:
    """``host`` in one way of writing, as far as that can be told without asking anybody."""
    name = host.strip().lower().rstrip(".")
    try:
        address = ip_address(name.split("%")[0])
    except ValueError:
        return name
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    # Who connects to "any address" reaches the machine itself.
    return _HERE if address.is_loopback or address.is_unspecified else str(address)


def written_address(device: str | None, host: str, port: int) -> str:
    """Of a link as it is written: its serial ``device``, links followed, or host and port."""
    return os.path.realpath(device) if device else f"{plain_host(host)}:{port}"


async def reached(link: ModbusLink) -> frozenset[str]:
    """Every address to which ``link`` may lead; asks the name service.

    Raises :class:`OSError` if its host has none.
    """
    if link.serial is not None:
        return frozenset({written_address(link.serial.device, "", 0)})
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            link.host, link.port, type=socket.SOCK_STREAM
        )
    except UnicodeError as error:
        raise OSError(f"{link.host!r} is no name of a host") from error
    said = {written_address(None, str(address[0]), link.port) for *_, address in found}
    return frozenset({written_address(None, link.host, link.port), *said})
