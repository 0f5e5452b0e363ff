"""Experiment 63: paths, files and forms that mean harm are refused, and cost no memory."""

from __future__ import annotations

import io
import re
import socket
import zipfile

import psutil
import pytest
from api_room import Served
from photographs import PNG
from starlette.testclient import TestClient

from api.app import described_app
from api.register_workbook import cells
from rules.refusals import NotValidError

ORIGIN = {"Origin": "http://testserver"}
MOST_MORE = 50 * 1024 * 1024
HUGE_PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xc3\x50\x00\x00\xc3\x50\x01\x00\x00\x00\x00"
    b"\x0b\x6e\x2f\x3e\x00\x00\x00\x00IEND\xaeB`\x82"
)
TRICKS = ("..%2F..%2F..%2Fetc%2Fpasswd", "%2e%2e%2fledger.db", "..%5C..%5Cboot.ini", "%00", "%ff")
WITH_PLACES = sorted(
    (method.upper(), path)
    for path, methods in described_app().openapi()["paths"].items()
    for method in methods
    if "{" in path
)


@pytest.mark.parametrize("trick", TRICKS)
def test_no_path_of_a_request_leads_out_of_the_house(client: TestClient, trick: str) -> None:
    wrong = []
    for method, path in WITH_PLACES:
        address = re.sub(r"\{[^}]+\}", trick, path)
        answer = client.request(method, address, headers=ORIGIN)
        if not 400 <= answer.status_code < 500 or "root:" in answer.text:
            wrong.append((method, address, answer.status_code))
    assert wrong == []


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, data in members.items():
            file.writestr(name.replace("__", "/"), data)
    return made.getvalue()


def test_bombs_and_files_that_are_two_things_are_refused_and_cost_no_memory(
    served: Served,
) -> None:
    strings = b"<sst>" + b"<si><t>abcdefgh</t></si>" * 1_500_000 + b"</sst>"
    bomb = zipped(**{"xl__sharedStrings.xml": strings, "xl__workbook.xml": b"<workbook/>"})
    many = zipped(**{f"xl__worksheets__sheet{n}.xml": b" " * 9_000_000 for n in range(8)})
    del strings
    process = psutil.Process()
    with served.client() as client:
        body = {"category": "lighting", "title": "换灯管", "area": "garage"}
        order = client.post("/api/v1/orders", json=body).json()["id"]
        pictures = f"/api/v1/orders/{order}/attachments"
        before = process.memory_info().rss
        for picture in (
            HUGE_PNG,
            PNG + zipped(a=b"x"),
            PNG + b"<script>alert(1)</script>",
            b"GIF89a" + b"/*" + PNG,
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        ):
            assert client.post(pictures, content=picture).status_code == 422
        assert client.post(pictures, content=PNG).status_code == 201
        for workbook in (bomb, many):
            with pytest.raises(NotValidError, match="too large when it is unpacked"):
                cells(workbook)
        token = next(iter(client.cookies.jar)).value
        assert _form(served, "Content-Length: 1073741824", token) == 413
        assert _form(served, "Transfer-Encoding: chunked", token) == 413
        assert process.memory_info().rss - before < MOST_MORE


def _form(served: Served, length: str, token: str) -> int:
    """The answer to a form of a gigabyte, of which as much is sent as is taken."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(
            f"POST /api/v1/orders HTTP/1.1\r\nHost: {host}\r\nOrigin: {served.url}\r\n"
            f"Cookie: dutyroom_session={token}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n{length}\r\n\r\n".encode()
        )
        piece = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
        try:
            for _ in range(1024):
                line.sendall(piece)
        except OSError:
            pass
        answer = b""
        try:
            while b"\r\n" not in answer and (more := line.recv(1000)):
                answer += more
        except OSError:
            pass
        return int(answer.split()[1]) if answer else 413
