"""The channels of a site file: what is wrong with them, and what they are once their secrets are
read.

A destination has to be said twice, where it is used and in ``allow``: a slip in an address, or
somebody who can change one line of the file, sends no alarm of the house elsewhere. The robots'
own hosts, and public hosts of the older list ``webhooks``, need no second word.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from gateway.files.documents import Finding, UnreadableError, findings
from gateway.model.channels import (
    HOSTS,
    ROBOTS,
    ROUTINE_A_MINUTE,
    Channel,
    ChannelKind,
    People,
    Quiet,
    SmsGateway,
    host_of,
    plain_webhook,
)
from gateway.site.destination import is_public, written_as_address
from gateway.site.document import ChannelDocument, NoticesDocument, SiteDocument, SmsDocument

_URGENT = ("critical", "major")
_ALL = ("critical", "major", "minor", "info")
_PRIORITIES = {
    ChannelKind.WEBHOOK: _ALL,
    ChannelKind.SMS: _URGENT,
}
"""Where a channel does not say; for the others all but info."""
_SCHEMES = {ChannelKind.EMAIL: ("smtp", "smtps")}
_OWN = {
    "to": (ChannelKind.EMAIL, ChannelKind.SMS),
    "user": (ChannelKind.EMAIL,),
    "sender": (ChannelKind.EMAIL,),
    "sms": (ChannelKind.SMS,),
}
"""Keys that only some kinds know."""
_NEEDED = {
    ChannelKind.EMAIL: {"to": "name who gets the mail", "sender": "name the sender's address"},
    ChannelKind.SMS: {"sms": "say how the gateway is spoken to"},
}
_PORTS = {"smtp": 587, "smtps": 465}
_ADDRESS = ("address", "address_file", "address_env")


def notice_findings(content: SiteDocument, folder: Path) -> Iterator[Finding]:
    """What is wrong with ``notices``; paths in it start from ``folder``."""
    notices = content.notices
    seen: set[str] = set()
    for at, said in enumerate(notices.channels):
        for where, wrong, mend in findings(
            _single(said, seen),
            _fitting(said),
            _needed(said),
            _source(said, folder, "address"),
            _source(said, folder, "secret"),
            _signed(said),
            _sayable(said, folder),
            _destination(said, folder, notices),
            _digest(said),
            _quiet(said),
            _sms(said),
        ):
            yield ("notices", "channels", at, *where), wrong, mend
    for at in range(len(notices.webhooks)):
        for wrong, mend in _plain(notices, at):
            yield ("notices", "webhooks", at), wrong, mend


def channels_of(notices: NoticesDocument, folder: Path) -> tuple[Channel, ...]:
    """The channels of a document without a problem."""
    plain = map(plain_webhook, dict.fromkeys(notices.webhooks))
    return (*(_channel(said, folder) for said in notices.channels), *plain)


def notice_files(notices: NoticesDocument) -> tuple[str | None, ...]:
    """What it says of other files."""
    named = ((said.address_file, said.secret_file) for said in notices.channels)
    return tuple(name for pair in named for name in pair)


def _channel(said: ChannelDocument, folder: Path) -> Channel:
    kind = ChannelKind(said.kind)
    routine = None if kind is ChannelKind.WEBHOOK else ROUTINE_A_MINUTE
    return Channel(
        id=said.id,
        kind=kind,
        address=_with_port(_read(said, folder, "address")),
        secret=_read(said, folder, "secret"),
        priorities=frozenset(said.priorities or _PRIORITIES.get(kind, _ALL[:3])),
        people=People(said.people),
        quiet=None if said.quiet is None else Quiet(start=said.quiet.start, end=said.quiet.end),
        digest_after=said.digest_after or routine,
        languages=("zh", "en") if said.language == "both" else (said.language,),
        to=said.to,
        user=said.user or "",
        sender=said.sender or "",
        sms=None if said.sms is None else _gateway(said.sms),
    )


def _gateway(said: SmsDocument) -> SmsGateway:
    path, _, value = said.success.partition("=")
    return SmsGateway(
        method=said.method,
        body=said.body,
        format=said.format,
        authorization=said.authorization or "",
        success_path=tuple(path.strip().split(".")),
        success_value=value.strip(),
    )


def _with_port(address: str) -> str:
    parts = urlsplit(address)
    port = _PORTS.get(parts.scheme)
    return address if port is None or parts.port else f"{parts.scheme}://{parts.hostname}:{port}"


def _read(said: ChannelDocument, folder: Path, what: str) -> str:
    """The address or the secret, wherever it is; empty where there is none."""
    inline = said.address if what == "address" else None
    file, name = getattr(said, f"{what}_file"), getattr(said, f"{what}_env")
    if inline is not None:
        return inline
    if file is not None:
        return (folder / str(file)).read_text(encoding="utf-8").strip()
    return "" if name is None else os.environ[str(name)].strip()


def _single(said: ChannelDocument, seen: set[str]) -> Iterator[Finding]:
    if said.id in seen:
        yield ("id",), "is the id of an earlier one too", "give it another id"
    seen.add(said.id)


def _fitting(said: ChannelDocument) -> Iterator[Finding]:
    for key, kinds in _OWN.items():
        with suppress(UnreadableError):
            if getattr(said, key) and said.kind not in kinds:
                yield (key,), f"does not fit kind {said.kind}", "take it out"


def _needed(said: ChannelDocument) -> Iterator[Finding]:
    for key, mend in _NEEDED.get(ChannelKind(said.kind), {}).items():
        with suppress(UnreadableError):
            if not getattr(said, key):
                yield (key,), "is missing", mend


def _source(said: ChannelDocument, folder: Path, what: str) -> Iterator[Finding]:
    """The address or the secret is said once, and can be read."""
    keys = [key for key in (what, f"{what}_file", f"{what}_env") if getattr(said, key, None)]
    if what == "address" and not keys:
        yield ("address",), "is missing", "say where messages go: address, _file or _env"
    if len(keys) > 1:
        yield (keys[1],), f"is given beside {keys[0]}", "keep one"
    if said.kind in ROBOTS and "address" in keys:
        wrong = "holds the robot's key, and this file is no place for secrets"
        yield ("address",), wrong, "write it into a file and name that in address_file"
    for key in keys:
        given = str(getattr(said, key))
        if key.endswith("_env") and not os.environ.get(given, "").strip():
            yield (key,), f"{given} is not set", "set it in the environment"
        if key.endswith("_file"):
            yield from _file(key, folder / given)


def _file(key: str, path: Path) -> Iterator[Finding]:
    mend = "write it into that file; the path is relative to the site file"
    try:
        if not path.read_text(encoding="utf-8").strip():
            yield (key,), f"{path} is empty", mend
    except (OSError, UnicodeDecodeError) as error:
        yield (key,), f"{path} cannot be read ({type(error).__name__})", mend


def _signed(said: ChannelDocument) -> Iterator[Finding]:
    if said.secret_file or said.secret_env:
        return
    if said.kind == "webhook":
        wrong = "is missing: what a webhook gets is signed"
        yield ("secret_file",), wrong, "write a long random text into a file and name it"
    if said.user:
        yield ("secret_file",), "is missing: the password of user", "name a file that holds it"


def _sayable(said: ChannelDocument, folder: Path) -> Iterator[Finding]:
    """What goes into a header or a log-in has no other letters than those of ASCII, and no line
    ends; it would be found out with the first alarm."""
    wrong, mend = "holds a letter that is not ASCII, or a control character", "use ASCII only"
    for key in ("user", "sender"):
        if not _is_plain(getattr(said, key) or ""):
            yield (key,), wrong, mend
    if not all(map(_is_plain, said.to)):
        yield ("to",), wrong, mend
    authorization = "" if said.sms is None else said.sms.authorization or ""
    if not _is_plain(authorization):
        yield ("sms", "authorization"), wrong, mend
    if not (said.user or "{secret}" in authorization):
        return
    key = "secret_file" if said.secret_file else "secret_env"
    try:
        secret = _read(said, folder, "secret")
    except (OSError, UnicodeDecodeError, KeyError):
        return
    if not _is_plain(secret):
        yield (key,), f"names a secret that {wrong}", "have one made of ASCII only"


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _destination(
    said: ChannelDocument, folder: Path, notices: NoticesDocument
) -> Iterator[Finding]:
    """Where it leads, as far as that can be told without asking the name service."""
    key = next((key for key in _ADDRESS if getattr(said, key)), None)
    if key is None:
        return
    try:
        address = _read(said, folder, "address")
    except (OSError, UnicodeDecodeError, KeyError):
        return
    kind, host = ChannelKind(said.kind), host_of(address)
    schemes = _SCHEMES.get(kind, ("http", "https"))
    if not host or urlsplit(address).scheme not in schemes or not _port_is_right(address):
        yield (key,), "is no address for this kind", f"use {schemes[-1]}://host…"
        return
    if host in notices.allow:
        return
    if kind in ROBOTS and urlsplit(address).scheme != "https":
        yield (key,), "is not encrypted", "use https"
    if host not in HOSTS.get(kind, ()):
        mend = f"add {host} to notices.allow if messages may go there"
        yield (key,), f"leads to {host}, which is not on the allowlist", mend


def _plain(notices: NoticesDocument, at: int) -> Iterator[tuple[str, str]]:
    with suppress(UnreadableError):
        host = host_of(notices.webhooks[at])
        literal = written_as_address(host)
        if host not in notices.allow and (
            host == "localhost" or (literal is not None and not is_public(literal))
        ):
            yield (
                f"leads to {host}, which is not public",
                f"add {host} to notices.allow if messages may go there",
            )


def _port_is_right(address: str) -> bool:
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def _digest(said: ChannelDocument) -> Iterator[Finding]:
    given = said.digest_after
    if given is None:
        return
    most = ROUTINE_A_MINUTE if said.kind in ROBOTS else 600
    if not 1 <= given <= most:
        wrong = f"{given} is not a number of messages a minute that {said.kind} may have"
        yield ("digest_after",), wrong, f"use 1 to {most}"


def _quiet(said: ChannelDocument) -> Iterator[Finding]:
    if said.quiet is not None and said.quiet.start == said.quiet.end:
        yield ("quiet", "to"), "is the time at which it begins", "take quiet out, or end it later"


def _sms(said: ChannelDocument) -> Iterator[Finding]:
    if said.sms is None:
        return
    missing = [one for one in ("{phone}", "{text}") if one not in said.sms.body]
    if missing:
        yield ("sms", "body"), f"lacks {' and '.join(missing)}", "say where they go"
    path, equals, value = said.sms.success.partition("=")
    if not (equals and value.strip() and all(path.strip().split("."))):
        yield ("sms", "success"), "says no value", "write it as code=0 or result.status=ok"
