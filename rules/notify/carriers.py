"""The carriers of a site, one a channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.clock import Clock
from gateway.model.channels import Channel, ChannelKind
from gateway.model.equipment import Site
from rules.notify.carrier import Carrier
from rules.notify.dingtalk import DingTalk
from rules.notify.feishu import Feishu
from rules.notify.mail import Mail
from rules.notify.names import Resolve, resolved
from rules.notify.sms import Sms
from rules.notify.webhook import Webhook
from rules.notify.wecom import WeCom
from rules.notify.wire import Wire


@asynccontextmanager
async def carriers(
    site: Site, clock: Clock, *, resolve: Resolve = resolved
) -> AsyncIterator[Mapping[str, Carrier]]:
    """By the id of the channel; nothing is connected before something is sent."""
    async with AsyncExitStack() as ends:
        made: dict[str, Carrier] = {}
        for channel in site.channels:
            if channel.kind is ChannelKind.EMAIL:
                mail = Mail(channel, site.allow, clock, resolve=resolve)
                ends.callback(mail.close)
                made[channel.id] = mail
                continue
            wire = await ends.enter_async_context(Wire(allow=site.allow, resolve=resolve))
            made[channel.id] = _over_http(channel, wire, clock)
        yield made


def _over_http(channel: Channel, wire: Wire, clock: Clock) -> Carrier:
    match channel.kind:
        case ChannelKind.WECOM:
            return WeCom(wire, channel.address)
        case ChannelKind.DINGTALK:
            return DingTalk(wire, channel.address, channel.secret, clock)
        case ChannelKind.FEISHU:
            return Feishu(wire, channel.address, channel.secret, clock)
        case ChannelKind.SMS:
            assert channel.sms is not None, "the site file was checked"
            return Sms(wire, channel, channel.sms)
        case _:
            return Webhook(wire, channel.address, channel.secret, clock)
