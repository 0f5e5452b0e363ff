"""dutyroom's own MQTT broker, so that the first run needs nothing installed.

On loopback, with one user and a password; nothing is kept over a restart. A site of any size
names a broker of its own in the site file.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

import structlog
from amqtt.broker import Broker as Server
from amqtt.contexts import BrokerConfig, ListenerConfig
from amqtt.errors import BrokerError
from pwdlib.hashers.argon2 import Argon2Hasher

from api.data_directory import DataDirectory
from api.settings import CannotStartError
from gateway.model.equipment import Broker

log = structlog.get_logger(__name__)

_SHUTDOWN = 3.0
"""s that its clients have to be gone."""


async def run(*, data: DataDirectory, stop: asyncio.Event) -> None:
    """Serve the broker of ``data`` until ``stop``, made anew if there is none.

    Raises :class:`~api.settings.CannotStartError` if one runs already, or its port is taken.
    """
    broker = data.own_broker() or data.renew_broker()
    data.claim_service("broker")
    # It logs each client that comes or goes as a warning, and a bare connection as an error.
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    server = Server(_configuration(broker, _password_file(data, broker)))
    try:
        await server.start()
    except BrokerError as error:
        raise CannotStartError(
            f"the broker cannot listen on {broker.host}:{broker.port}: {error}"
        ) from None
    log.info("broker listens", at=f"{broker.host}:{broker.port}")
    await stop.wait()
    with suppress(TimeoutError):
        await asyncio.wait_for(server.shutdown(), _SHUTDOWN)


def _configuration(broker: Broker, password_file: Path) -> BrokerConfig:
    return BrokerConfig(
        listeners={"default": ListenerConfig(bind=f"{broker.host}:{broker.port}")},
        # Naming plugins leaves out the default ones, of which one lets everybody in.
        plugins={
            "amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(password_file)}
        },
    )


def _password_file(data: DataDirectory, broker: Broker) -> Path:
    """``user:hash`` lines as FileAuthPlugin reads them."""
    # The password is 256 random bits, so a hash that is slow to compute would protect nothing and
    # would hold up the broker at every log-in.
    hasher = Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1)
    return data.keep_secret("broker.users", f"{broker.username}:{hasher.hash(broker.password)}\n")
