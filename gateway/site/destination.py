"""Which addresses belong to the public internet, in whatever way they are written."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Of a translator (RFC 6052): the last four bytes are the address that is meant."""
_NOT_PUBLIC = tuple(map(ip_network, ("fec0::/10", "64:ff9b:1::/48", "192.88.99.0/24", "3fff::/20")))
"""Site-local, translators of a house (RFC 8215), relays to IPv6, and documentation: for Python
they are like any other."""


def written_as_address(host: str) -> Address | None:
    """The address that ``host`` itself is: dotted, decimal, octal, hexadecimal or IPv6; None for
    a name."""
    try:
        return ip_address(host.strip("[]").split("%")[0])
    except ValueError:
        pass
    try:
        # As the C library reads it, which is what a connection would be made by.
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def is_public(address: Address) -> bool:
    """Not of this machine, of a private network, of a cloud's own services, or of many."""
    inner = address
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or address
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(one in network for one in (address, inner) for network in _NOT_PUBLIC):
        return False
    return inner.is_global and not inner.is_multicast and not inner.is_reserved
