"""The site file alone, with the addresses that a start gives it.

Apart from :mod:`api.configuration`, which reads the rulebook too: simulators and broker need none
of that, and start in half the time.
"""

from __future__ import annotations

from api.data_directory import DataDirectory
from api.settings import CannotStartError, Settings
from gateway.model.equipment import Broker, Site
from gateway.site import files as site_file


def load_site(settings: Settings) -> Site:
    """The site with its links where the settings say.

    Raises :class:`~gateway.files.documents.ConfigurationError`, or
    :class:`~api.settings.CannotStartError` for a link that it does not have.
    """
    site = site_file.load(settings.site)
    for link, (host, port) in settings.links.items():
        try:
            site = site_file.with_link_address(site, link, host, port)
        except KeyError as error:
            raise CannotStartError(f"--link {link}: {error.args[0]}") from None
    return site


def with_broker(site: Site, data: DataDirectory) -> tuple[Site, Broker]:
    """``site`` with the broker that its MQTT devices and the bus are to use.

    Raises :class:`~api.settings.CannotStartError` if the site names none and none was started.
    """
    if site.broker is not None:
        return site, site.broker
    broker = data.own_broker()
    if broker is None:
        raise CannotStartError(
            "there is no broker: name one in the site file, or start `dutyroom broker` first"
        )
    return site_file.with_broker(site, broker), broker
