"""E-mail through the mail server of the house, encrypted from the start or by STARTTLS.

smtplib blocks, so it works in a thread. The name of the server is asked for once and only looked
at addresses are connected to, as for HTTP; the certificate is held against the name.
"""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import urlsplit

from gateway.clock import Clock
from gateway.model.channels import Channel
from gateway.model.moment import SECOND
from rules.notify.carrier import Answer, Message, Outcome
from rules.notify.names import Resolve, resolved
from rules.notify.wire import CONNECT_S, ForbiddenDestinationError, destinations, told

TIMEOUT_S = 15.0
_MOST = 100_000


class Mail:
    def __init__(
        self,
        channel: Channel,
        allow: frozenset[str],
        clock: Clock,
        *,
        resolve: Resolve = resolved,
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._channel = channel
        self._allow = allow
        self._clock = clock
        self._resolve = resolve
        self._context = context
        self._worked = ""
        """The address that could be connected to last."""
        # Of its own: a mail server that hangs keeps no thread from the ledger.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix=f"mail-{channel.id}")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def send(self, message: Message) -> Answer:
        parts = urlsplit(self._channel.address)
        host, port = parts.hostname or "", parts.port or 0
        handed_over = given_up = False

        def talk(found: Sequence[str]) -> Answer:
            nonlocal handed_over
            context = self._context if parts.scheme == "smtps" else None
            address, connection = _reached(sorted(found, key=self._worked.__ne__), port)
            self._worked = address
            server = _greeted(connection, host, context)
            try:
                self._log_in(server, parts.scheme, host)
                # In this order: whoever gives up looks at it afterwards.
                handed_over = True
                if given_up:
                    raise TimeoutError
                refused = server.send_message(self._letter(message), to_addrs=self._channel.to)
            finally:
                # However it takes leave, it has said already what became of the letter.
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
            return Answer(outcome=Outcome.DELIVERED, detail=_refused(refused))

        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await destinations(host, port, self._allow, self._resolve)
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, talk, found)
        except ForbiddenDestinationError as error:
            return Answer(outcome=Outcome.REFUSED, detail=f"not allowed: {error}")
        except smtplib.SMTPResponseException as error:
            return Answer(outcome=Outcome.REFUSED, detail=_code(error))
        except smtplib.SMTPRecipientsRefused as error:
            return Answer(outcome=Outcome.REFUSED, detail=_refused(error.recipients))
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            # The thread of one that took too long hands over nothing any more.
            given_up = True
            outcome = Outcome.DOUBTFUL if handed_over else Outcome.REFUSED
            return Answer(outcome=outcome, detail=told(error))

    def _log_in(self, server: smtplib.SMTP, scheme: str, host: str) -> None:
        server.ehlo()
        # A server in the same machine or house may have no certificate; a password never goes
        # there in the clear.
        if scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=self._context())
            server.ehlo()
        elif scheme == "smtp" and self._channel.user:
            raise smtplib.SMTPNotSupportedError(f"{host} offers no STARTTLS for the password")
        if self._channel.user:
            server.login(self._channel.user, self._channel.secret)

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self._channel.sender
        letter["To"] = ", ".join(self._channel.to)
        letter["Subject"] = message.heading()
        letter["Date"] = formatdate(self._clock.now().wall / SECOND)
        # The same at every attempt, so that a mail program shows it once.
        digest = hashlib.sha256(message.id.encode()).hexdigest()[:32]
        letter["Message-ID"] = f"<{digest}@dutyroom>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text(_MOST), cte="base64")
        return letter


def _reached(found: Sequence[str], port: int) -> tuple[str, socket.socket]:
    """The first of the addresses that can be connected to."""
    for address in found[:-1]:
        with suppress(OSError):
            return address, socket.create_connection((address, port), timeout=CONNECT_S)
    return found[-1], socket.create_connection((found[-1], port), timeout=TIMEOUT_S / 2)


def _greeted(
    connection: socket.socket, host: str, context: Callable[[], ssl.SSLContext] | None
) -> smtplib.SMTP:
    """A conversation with the server that is called ``host``; ``context``: it is encrypted from
    the start."""
    server = smtplib.SMTP(timeout=TIMEOUT_S / 2)
    # What smtplib holds a certificate against when STARTTLS is asked for.
    server._host = host  # type: ignore[attr-defined]
    try:
        connection.settimeout(TIMEOUT_S / 2)
        if context is not None:
            connection = context().wrap_socket(connection, server_hostname=host)
        server.sock = connection
        code, words = server.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
    except BaseException:
        connection.close()
        raise
    return server


def _code(error: smtplib.SMTPResponseException) -> str:
    words = error.smtp_error
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    return f"{error.smtp_code} {text[:200]}"


def _refused(recipients: dict[str, tuple[int, bytes]]) -> str:
    codes = sorted({str(code) for code, _ in recipients.values()})
    return f"{len(recipients)} recipients refused ({', '.join(codes)})" if recipients else ""
