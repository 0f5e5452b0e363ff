"""Connections, on a real server."""

from __future__ import annotations

import time
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from api_room import Served


def test_bug_a_connection_was_closed_just_when_its_next_request_came(served: Served) -> None:
    """The server's own 5 s are those of many clients and proxies too: both ends gave up at once."""
    with closing(HTTPConnection(urlsplit(served.url).netloc, timeout=10)) as connection:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        first = connection.sock
        time.sleep(6)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status in (200, 503)
        assert connection.sock is first
