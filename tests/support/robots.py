"""Servers on this machine that answer as the real receivers of messages do, and remember what they
were told: chat robots, an SMS gateway, a mail server."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

OK_WECOM = {"errcode": 0, "errmsg": "ok"}
WRONG_KEY = {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1], from ip: 192.0.2.1"}
OVER_LIMIT = {"errcode": 45009, "errmsg": "api freq out of limit"}
TOO_FAST = {
    "status": 1111,
    "wait": 5,
    "source": "x5",
    "punish": "deny",
    "errcode": 130101,
    "errmsg": "send too fast, exceed 20 times per minute",
}
NO_MATCH = {"errcode": 310000, "errmsg": "sign not match"}
OK_FEISHU = {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}
NO_SIGN = {"code": 19021, "data": {}, "msg": "sign match fail or timestamp is not within one hour"}
FREQUENCY = {"code": 11232, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]"}


@dataclass(frozen=True, kw_only=True)
class Heard:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Robot:
    """``answer`` is what the next ones are told: a document with status 200, or a status and
    bytes."""

    address: str
    answer: Callable[[Heard], object]
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def robot(answer: object) -> AsyncIterator[Robot]:
    """``answer``: a document, ``(status, bytes)``, or a function of what was heard."""
    tell = answer if callable(answer) else lambda _heard: answer

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            heard = await _heard(reader)
            made.heard.append(heard)
            said = made.answer(heard)
            if said is HANG:
                await asyncio.sleep(3600)
            status, body = said if isinstance(said, tuple) else (200, json.dumps(said).encode())
            head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n"
            if status in (301, 302, 307):
                head += f"Location: {body.decode()}\r\n"
            writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    made = Robot(address=f"http://127.0.0.1:{port}/robot/send?key=s3cret", answer=tell)
    try:
        yield made
    finally:
        listening.close()


HANG = object()
"""An answer that never comes."""


def dingtalk(secret: str) -> Callable[[Heard], object]:
    """A robot with 加签, as DingTalk checks it."""

    def answer(heard: Heard) -> object:
        stamp = heard.query.get("timestamp", "")
        right = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
        is_right = heard.query.get("sign") == base64.b64encode(right).decode()
        return OK_WECOM if is_right else NO_MATCH

    return answer


def feishu(secret: str) -> Callable[[Heard], object]:
    """A robot with 签名校验, as Feishu checks it: the secret is part of the key."""

    def answer(heard: Heard) -> object:
        stamp = heard.json.get("timestamp", "")
        right = hmac.new(f"{stamp}\n{secret}".encode(), digestmod=hashlib.sha256).digest()
        is_right = heard.json.get("sign") == base64.b64encode(right).decode()
        return OK_FEISHU if is_right else NO_SIGN

    return answer


async def _heard(reader: asyncio.StreamReader) -> Heard:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {
        name.lower(): value
        for name, _, value in (line.partition(": ") for line in head[1:])
        if name
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Heard(method=method, path=parts.path, query=query, headers=headers, body=body)


@dataclass
class MailServer:
    """Takes letters; ``refuse`` maps the beginning of a command to the reply it gets instead."""

    port: int
    refuse: dict[str, str] = field(default_factory=dict)
    letters: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@asynccontextmanager
async def mail_server(**refuse: str) -> AsyncIterator[MailServer]:
    """A mail server without encryption, as one within the house may be."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            writer.write(b"220 mail.test ESMTP\r\n")
            while True:
                line = (await reader.readuntil(b"\r\n")).decode().strip()
                made.said.append(line)
                command = line.split(" ", 1)[0].upper()
                if command in made.refuse:
                    writer.write(made.refuse[command].encode() + b"\r\n")
                elif command == "EHLO":
                    writer.write(b"250-mail.test\r\n250 8BITMIME\r\n")
                elif command == "RCPT":
                    made.recipients.append(line)
                    writer.write(b"250 fine\r\n")
                elif command == "DATA":
                    writer.write(b"354 go on\r\n")
                    letter = await reader.readuntil(b"\r\n.\r\n")
                    made.letters.append(letter.decode())
                    writer.write(f"{made.refuse.get('LETTER', '250 taken')}\r\n".encode())
                elif command == "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 fine\r\n")
                await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    made = MailServer(port=listening.sockets[0].getsockname()[1], refuse=dict(refuse))
    try:
        yield made
    finally:
        listening.close()
