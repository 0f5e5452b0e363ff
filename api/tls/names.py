"""What this machine is called, and its addresses: for whom its certificate speaks."""

from __future__ import annotations

import fcntl
import ipaddress
import re
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_ALWAYS = ("localhost", "127.0.0.1", "::1")
_SIOCGIFADDR = 0x8915
_IPV6 = Path("/proc/net/if_inet6")
_HOST = re.compile(
    r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)
_LONGEST = 253


class NoNameError(ValueError):
    """What was given is neither the name of a host nor an address."""


def of_machine() -> list[str]:
    """Names, then addresses, each once; what may be made of them by anybody comes last."""
    host = socket.gethostname().lower()
    names = [host, socket.getfqdn().lower()]
    if "." not in host:
        names.append(f"{host}.local")  # as it is called by mDNS
    return in_order([*filter(is_name, names), *_addresses(), *_ALWAYS])


def in_order(names: Iterable[str]) -> list[str]:
    """Each once, hosts before addresses."""
    known = dict.fromkeys(checked(name) for name in names)
    return sorted(known, key=is_address)


def checked(name: str) -> str:
    """``name`` as a certificate has it. Raises :class:`NoNameError`."""
    name = name.strip().lower().strip("[]").rstrip(".")
    if is_address(name):
        return str(ipaddress.ip_address(name))
    if not is_name(name):
        raise NoNameError(f"{name!r} is neither a host's name nor an address")
    return name


def is_name(name: str) -> bool:
    return len(name) <= _LONGEST and _HOST.fullmatch(name) is not None


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def shown(host: str) -> str:
    """``host`` as an address of the web has it."""
    return f"[{host}]" if ":" in host else host


def reachable(names: Iterable[str]) -> str:
    """The one of ``names`` that a phone beside us most likely reaches: an address before a name."""
    known = [name for name in names if name not in _ALWAYS]
    for name in known:
        if is_address(name) and ":" not in name and not ipaddress.ip_address(name).is_loopback:
            return name
    return next((name for name in known if not name.startswith("*")), "localhost")


def _addresses() -> list[str]:
    """Those of all interfaces, the ones of the network first that the way out leads through."""
    found = [*_way_out(), *_ipv4(), *_ipv6()]
    return [text for text in found if not ipaddress.ip_address(text).is_link_local]


def _way_out() -> list[str]:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address of nobody, to which nothing is sent
        return [str(probe.getsockname()[0])]
    return []


def _ipv4() -> list[str]:
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, interface in socket.if_nameindex():
            asked = struct.pack("256s", interface.encode()[:15])
            with suppress(OSError):  # it has none
                told = fcntl.ioctl(any_socket.fileno(), _SIOCGIFADDR, asked)
                found.append(socket.inet_ntoa(told[20:24]))
    return found


def _ipv6() -> list[str]:
    with suppress(OSError):
        lines = _IPV6.read_text(encoding="ascii").splitlines()
        return [socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line[:32])) for line in lines]
    return []
