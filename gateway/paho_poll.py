"""paho's threads wait by ``poll()`` and not by ``select()``.

``select()`` knows no descriptor above 1,023. A connection made while so many files and sockets are
open (two hundred browsers have a thousand) would never be heard: paho takes the refusal for a lost
connection, and connects for ever. Whoever starts a client with a thread of its own asks for this
first.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence

from paho.mqtt import client as paho


class _Poll:
    """What stands where paho looks for the module ``select``, with the one call it makes."""

    @staticmethod
    def select(
        readers: Sequence[object], writers: Sequence[object], _failed: object, timeout: float
    ) -> tuple[list[object], list[object], list[object]]:
        """As ``select.select``: TypeError for what is no socket, ValueError for a closed one."""
        wanted = {_number(one): one for one in (*readers, *writers)}
        poll = select.poll()
        for number in wanted:
            reads = any(_number(one) == number for one in readers)
            writes = any(_number(one) == number for one in writers)
            poll.register(number, reads * select.POLLIN | writes * select.POLLOUT)
        found = dict(poll.poll(timeout * 1000))
        # What has broken or was hung up shows when it is read or written.
        broken = select.POLLERR | select.POLLHUP | select.POLLNVAL
        return (
            [one for one in readers if found.get(_number(one), 0) & (select.POLLIN | broken)],
            [one for one in writers if found.get(_number(one), 0) & (select.POLLOUT | broken)],
            [],
        )


def _number(one: object) -> int:
    if not isinstance(one, socket.socket):
        raise TypeError("it is no socket")
    number = one.fileno()
    if number < 0:
        raise ValueError("it is closed")
    return number


def install() -> None:
    """For every client of this process."""
    paho.select = _Poll  # type: ignore[assignment, attr-defined]
