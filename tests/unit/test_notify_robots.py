"""Each channel against a server that answers as the real one does: success only by its own word."""

from __future__ import annotations

import asyncio
import email
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from email import policy
from typing import Any

import pytest
from robots import (
    FREQUENCY,
    HANG,
    NO_SIGN,
    OK_WECOM,
    OVER_LIMIT,
    TOO_FAST,
    WRONG_KEY,
    Robot,
    dingtalk,
    feishu,
    mail_server,
    robot,
)

from gateway.clock import ManualClock
from gateway.model.channels import Channel, ChannelKind, SmsGateway
from gateway.model.moment import SECOND
from rules.notify.carrier import Answer, Carrier, Message, Outcome, Recipient
from rules.notify.dingtalk import DingTalk
from rules.notify.feishu import Feishu
from rules.notify.mail import Mail
from rules.notify.sms import Sms
from rules.notify.webhook import Webhook
from rules.notify.wecom import WeCom
from rules.notify.wire import Wire

NOON = 1_795_233_600 * SECOND
HERE = frozenset({"127.0.0.1"})
SECRET = "SEC-of-the-robot"
PEOPLE = (
    Recipient(username="li", phone="13800000001", mention="LiWei"),
    Recipient(username="wang", phone="13800000002"),
    Recipient(username="firm", mention="ou_firm"),
    Recipient(username="nobody"),
)


def message(**more: Any) -> Message:
    body = {
        "id": "alarm_raised.a1",
        "kind": "alarm_raised",
        "at": "2026-11-21T12:00:11.000+08:00",
        "subject": "a1",
        "title": {"zh": "2 号泵 电机温度高", "en": "Pump 2: Motor hot"},
        "priority": "critical",
        "life_safety": False,
        "site": {"id": "s", "zh": "锦绣花园", "en": "Brocade Garden"},
        "area": {"id": "b1", "zh": "B1 泵房", "en": "B1 pump room"},
        "equipment": None,
        "guidance": {"zh": "先停泵", "en": "Stop the pump"},
        "possibly_repeated": False,
    }
    return Message(id="alarm_raised.a1", body=body, people=PEOPLE, **more)


Make = Callable[[Wire, str], Carrier]


async def sent(make: Make, answer: object) -> tuple[Answer, Robot]:
    async with robot(answer) as server, Wire(allow=HERE) as wire:
        return await make(wire, server.address).send(message()), server


def wecom(wire: Wire, address: str) -> Carrier:
    return WeCom(wire, address)


def signed_dingtalk(wire: Wire, address: str) -> Carrier:
    return DingTalk(wire, address, SECRET, ManualClock(NOON))


def signed_feishu(wire: Wire, address: str) -> Carrier:
    return Feishu(wire, address, SECRET, ManualClock(NOON))


def test_wecom_gets_text_and_who_is_called() -> None:
    answer, server = asyncio.run(sent(wecom, OK_WECOM))
    assert answer.outcome is Outcome.DELIVERED
    (heard,) = server.heard
    assert (heard.method, heard.query) == ("POST", {"key": "s3cret"})
    assert heard.json == {
        "msgtype": "text",
        "text": {
            "content": "【紧急】2 号泵 电机温度高\n锦绣花园 · B1 泵房\n时间 11-21 12:00:11\n"
            "处置 先停泵",
            "mentioned_list": ["LiWei", "ou_firm"],
            "mentioned_mobile_list": ["13800000002"],
        },
    }


def test_dingtalk_is_signed_and_names_the_called_in_the_text() -> None:
    answer, server = asyncio.run(sent(signed_dingtalk, dingtalk(SECRET)))
    assert answer.outcome is Outcome.DELIVERED
    (heard,) = server.heard
    assert heard.query["timestamp"] == str(NOON // 1000)
    assert heard.json["at"] == {
        "atMobiles": ["13800000001", "13800000002"],
        "atUserIds": ["ou_firm"],
        "isAtAll": False,
    }
    assert heard.json["text"]["content"].endswith("\n@13800000001\n@13800000002\n@ou_firm")


def test_feishu_is_signed_and_calls_by_user_id() -> None:
    answer, server = asyncio.run(sent(signed_feishu, feishu(SECRET)))
    assert answer.outcome is Outcome.DELIVERED
    document = server.heard[0].json
    assert (document["msg_type"], document["timestamp"]) == ("text", str(NOON // SECOND))
    called = '\n<at user_id="LiWei"></at>\n<at user_id="ou_firm"></at>'
    assert document["content"]["text"].endswith(called)


def test_a_wrong_secret_is_refused_at_http_200() -> None:
    for make, answer in (
        (signed_dingtalk, dingtalk("another")),
        (signed_feishu, feishu("another")),
    ):
        told, _ = asyncio.run(sent(make, answer))
        assert told.outcome is Outcome.REFUSED
        assert SECRET not in told.detail


@pytest.mark.parametrize(
    ("make", "answer", "outcome"),
    [
        (wecom, WRONG_KEY, Outcome.REFUSED),
        (wecom, OVER_LIMIT, Outcome.THROTTLED),
        (wecom, (429, b""), Outcome.THROTTLED),
        (wecom, (500, b"oops"), Outcome.REFUSED),
        (wecom, (502, b'{"errcode": 0}'), Outcome.REFUSED),
        (wecom, (302, b"http://127.0.0.1:1/elsewhere"), Outcome.REFUSED),
        (wecom, (200, b"<html>Please log in</html>"), Outcome.DOUBTFUL),
        (wecom, (200, b'{"code": 0}'), Outcome.DOUBTFUL),
        (wecom, (200, b'{"errcode": false}'), Outcome.DOUBTFUL),
        (wecom, (200, b"[" * 100_000), Outcome.DOUBTFUL),
        (signed_dingtalk, TOO_FAST, Outcome.THROTTLED),
        (signed_dingtalk, (400, b'{"errcode": 130101, "errmsg": "too fast"}'), Outcome.THROTTLED),
        (signed_feishu, {"StatusCode": 0, "StatusMessage": "success"}, Outcome.DELIVERED),
        (signed_feishu, NO_SIGN, Outcome.REFUSED),
        (signed_feishu, FREQUENCY, Outcome.THROTTLED),
        (signed_feishu, {"code": 9499, "msg": "too many request"}, Outcome.THROTTLED),
        (signed_feishu, {"code": 9499, "msg": "Bad Request"}, Outcome.REFUSED),
        (signed_feishu, (400, b'{"code": 11232, "msg": "frequency limited"}'), Outcome.THROTTLED),
    ],
)
def test_only_the_providers_own_code_is_success(
    make: Make, answer: object, outcome: Outcome
) -> None:
    told, _ = asyncio.run(sent(make, answer))
    assert told.outcome is outcome
    assert "s3cret" not in told.detail


def test_a_robot_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.notify.wire.TIMEOUT_S", 0.2)
    told, _ = asyncio.run(sent(wecom, lambda _heard: HANG))
    assert told.outcome is Outcome.DOUBTFUL


def test_a_webhook_can_be_told_from_a_forgery() -> None:
    def make(wire: Wire, address: str) -> Carrier:
        return Webhook(wire, address, SECRET, ManualClock(NOON))

    answer, server = asyncio.run(sent(make, (204, b"")))
    assert answer.outcome is Outcome.DELIVERED
    (heard,) = server.heard
    stamp = heard.headers["x-dutyroom-timestamp"]
    right = hmac.new(SECRET.encode(), stamp.encode() + b"." + heard.body, hashlib.sha256)
    assert heard.headers["x-dutyroom-signature"] == f"sha256={right.hexdigest()}"
    assert stamp == str(NOON // SECOND)
    assert heard.headers["idempotency-key"] == heard.json["id"] == "alarm_raised.a1"


# SMS


def sms_channel(address: str, **more: Any) -> Channel:
    terms = {
        "method": "POST",
        "body": '{"to": "{phone}", "say": "{text}", "key": "{secret}"}',
        "format": "json",
        "authorization": "Bearer {secret}",
        "success_path": ("result", "code"),
        "success_value": "0",
    }
    gateway = SmsGateway(**{**terms, **more})  # type: ignore[arg-type]
    return Channel(
        id="sms",
        kind=ChannelKind.SMS,
        address=address,
        secret='qu"ote',
        priorities=frozenset({"critical"}),
        to=("13900000000",),
        sms=gateway,
    )


async def texted(answer: object, said: Message, **more: Any) -> tuple[Answer, Robot]:
    async with robot(answer) as server, Wire(allow=HERE) as wire:
        channel = sms_channel(server.address, **more)
        assert channel.sms is not None
        return await Sms(wire, channel, channel.sms).send(said), server


TAKEN = {"result": {"code": 0}}


def test_a_text_goes_to_everybody_and_ends_no_string_of_the_template() -> None:
    answer, server = asyncio.run(texted(TAKEN, message()))
    assert answer.outcome is Outcome.DELIVERED
    assert {heard.json["to"] for heard in server.heard} == {
        "13900000000",
        "13800000001",
        "13800000002",
    }
    assert {heard.json["key"] for heard in server.heard} == {'qu"ote'}
    assert server.heard[0].headers["authorization"] == 'Bearer qu"ote'
    assert "\n" in server.heard[0].json["say"]


def test_a_gateway_that_wants_a_query_gets_one() -> None:
    body = "mobile={phone}&content={text}"
    _, server = asyncio.run(texted(TAKEN, message(), method="GET", body=body))
    heard = server.heard[0]
    assert heard.query["content"].startswith("【紧急】2 号泵 电机温度高\n")
    assert (heard.query["key"], heard.body) == ("s3cret", b"")


def test_who_has_the_text_does_not_get_it_again() -> None:
    def picky(heard: Any) -> object:
        return TAKEN if heard.json["to"] != "13800000002" else {"result": {"code": 7}}

    answer, _ = asyncio.run(texted(picky, message()))
    assert answer.outcome is Outcome.REFUSED
    assert set(answer.reached) == {"13900000000", "li"}
    answer, server = asyncio.run(texted(TAKEN, message(reached=answer.reached)))
    assert answer.outcome is Outcome.DELIVERED
    assert [heard.json["to"] for heard in server.heard] == ["13800000002"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"result": {"code": "0"}}, Outcome.DELIVERED),
        ({"result": {"code": 5, "why": "no credit"}}, Outcome.REFUSED),
        ({"result": "fine"}, Outcome.DOUBTFUL),
        ((500, b'{"result": {"code": 0}}'), Outcome.REFUSED),
        ((429, b""), Outcome.THROTTLED),
    ],
)
def test_what_the_gateway_says(answer: object, outcome: Outcome) -> None:
    told, _ = asyncio.run(texted(answer, message()))
    assert told.outcome is outcome


# E-mail


def posted(act: Callable[[Mail], Awaitable[Answer]], **refuse: str) -> tuple[Answer, Any]:
    async def play() -> tuple[Answer, Any]:
        async with mail_server(**refuse) as server:
            channel = Channel(
                id="mail",
                kind=ChannelKind.EMAIL,
                address=f"smtp://127.0.0.1:{server.port}",
                priorities=frozenset({"critical"}),
                to=("duty@example.org", "chief@example.org"),
                sender="dutyroom@example.org",
            )
            mail = Mail(channel, HERE, ManualClock(NOON))
            try:
                return await act(mail), server
            finally:
                mail.close()

    return asyncio.run(play())


def test_a_letter() -> None:
    answer, server = posted(lambda mail: mail.send(message()))
    assert answer == Answer(outcome=Outcome.DELIVERED)
    letter = email.message_from_string(server.letters[0], policy=policy.default)
    assert letter["Subject"] == "【紧急】2 号泵 电机温度高"
    assert letter["To"] == "duty@example.org, chief@example.org"
    assert len(server.recipients) == 2
    assert "处置 先停泵" in letter.get_content()


@pytest.mark.parametrize(
    ("refuse", "outcome"),
    [
        ({"RCPT": "550 no such user"}, Outcome.REFUSED),
        ({"MAIL": "451 come back later"}, Outcome.REFUSED),
        ({"LETTER": "552 too big"}, Outcome.REFUSED),
        ({"QUIT": "421 in a bad mood"}, Outcome.DELIVERED),
    ],
)
def test_what_the_mail_server_says(refuse: dict[str, str], outcome: Outcome) -> None:
    answer, _ = posted(lambda mail: mail.send(message()), **refuse)
    assert answer.outcome is outcome


def test_a_password_never_goes_in_the_clear() -> None:
    async def play() -> tuple[Answer, list[str]]:
        async with mail_server() as server:
            channel = Channel(
                id="mail",
                kind=ChannelKind.EMAIL,
                address=f"smtp://127.0.0.1:{server.port}",
                secret="s3cret",
                user="dutyroom",
                priorities=frozenset({"critical"}),
                to=("duty@example.org",),
                sender="dutyroom@example.org",
            )
            mail = Mail(channel, HERE, ManualClock(NOON))
            return await mail.send(message()), server.said

    answer, said = asyncio.run(play())
    assert answer.outcome is Outcome.REFUSED
    assert "STARTTLS" in answer.detail
    assert not any(line.startswith("AUTH") for line in said)
