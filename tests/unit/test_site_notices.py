"""Channels in the site file: what they become, and what is wrong with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from product import ROOT

from gateway.files.documents import Problem
from gateway.model.channels import ChannelKind, People, Quiet
from gateway.site import files

WELL = """
notices:
  allow: [mail.house, sms.example.org, hooks.example.org, 127.0.0.1]
  channels:
    - id: engineering-group
      kind: wecom
      address_file: wecom.url
      quiet: {from: "22:00", to: "07:00"}
      priorities: [critical, major]
    - {id: duty-group, kind: dingtalk, address_env: H5_DING, secret_file: ding.key}
    - {id: lifts, kind: feishu, address_file: feishu.url, language: both, digest_after: 6}
    - {id: tickets, kind: webhook, address: "https://hooks.example.org/in", secret_env: H5_HOOK}
    - id: mail
      kind: email
      address: smtp://mail.house
      to: [duty@example.org]
      sender: dutyroom@example.org
    - id: phones
      kind: sms
      address: https://sms.example.org/send
      secret_file: ding.key
      people: addressed
      sms:
        body: '{"to": "{phone}", "text": "{text}", "key": "{secret}"}'
        success: result.code=0
  webhooks: [https://old.example.org/notice]
"""
SECRETS = {
    "wecom.url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=wecom-s3cret\n",
    "feishu.url": "https://open.feishu.cn/open-apis/bot/v2/hook/feishu-s3cret\n",
    "ding.key": "SEC-ding-s3cret\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("H5_DING", "https://oapi.dingtalk.com/robot/send?access_token=ding-t0ken")
    monkeypatch.setenv("H5_HOOK", "hook-s3cret")
    for name, text in SECRETS.items():
        (tmp_path / name).write_text(text)
    shutil.copy(ROOT / "deploy/demo/site.yaml", tmp_path / "demo.yaml")
    return tmp_path


def survey(folder: Path, notices: str) -> files.Survey:
    demo = (folder / "demo.yaml").read_text()
    before, _, after = demo.partition("notices: {webhooks: []}\n")
    assert after
    path = folder / "site.yaml"
    path.write_text(notices.lstrip() + before + after)
    return files.survey(path)


def problems(folder: Path, notices: str) -> list[Problem]:
    return list(survey(folder, notices).problems)


def test_channels_with_their_secrets_read(folder: Path) -> None:
    site = survey(folder, WELL).site
    assert site is not None
    wecom, ding, feishu, hook, mail, sms, plain = site.channels
    assert (wecom.kind, wecom.host) == (ChannelKind.WECOM, "qyapi.weixin.qq.com")
    assert wecom.address.endswith("key=wecom-s3cret")
    assert wecom.quiet == Quiet(start=22 * 60, end=7 * 60)
    assert (wecom.priorities, wecom.digest_after) == ({"critical", "major"}, 12)
    assert (ding.secret, ding.priorities) == ("SEC-ding-s3cret", {"critical", "major", "minor"})
    assert (feishu.languages, feishu.digest_after) == (("zh", "en"), 6)
    assert (hook.secret, hook.digest_after, "info" in hook.priorities) == (
        "hook-s3cret",
        None,
        True,
    )
    assert (mail.address, mail.to) == ("smtp://mail.house:587", ("duty@example.org",))
    assert sms.sms is not None
    assert (sms.sms.success_path, sms.sms.success_value) == (("result", "code"), "0")
    assert (sms.people, sms.priorities) == (People.ADDRESSED, {"critical", "major"})
    assert (plain.kind, plain.host) == (ChannelKind.WEBHOOK, "old.example.org")
    assert "mail.house" in site.allow


def test_no_secret_is_seen_where_the_site_is_printed(folder: Path) -> None:
    shown = repr(survey(folder, WELL).site)
    assert "engineering-group" in shown
    assert "s3cret" not in shown
    assert "t0ken" not in shown


def test_the_files_of_secrets_are_copied_with_the_site(folder: Path) -> None:
    survey(folder, WELL)
    beside = {path.name for path in files.files_beside(folder / "site.yaml")}
    assert set(SECRETS) <= beside


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: wecom", "kind: wechat", "notices.channels.engineering-group.kind: "),
        (
            "{id: lifts,",
            "{id: duty-group,",
            "is the id of an earlier one too; give it another id",
        ),
        ("secret_env: H5_HOOK", "language: en", "secret_file: is missing: what a webhook gets"),
        ("secret_env: H5_HOOK", "secret_env: H5_NONE", "secret_env: H5_NONE is not set; set it"),
        ("address_file: wecom.url", "address_file: none.url", "none.url cannot be read (FileNot"),
        (
            "address_file: wecom.url",
            "address: 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x'",
            "address: holds the robot's key, and this file is no place for secrets; write it",
        ),
        ("https://hooks.", "https://other.", "leads to other.example.org, which is not on the"),
        ("allow: [mail.house, ", "allow: [", "add mail.house to notices.allow if messages may"),
        ('"https://hooks.example.org/in"', "http://2130706433/", "which is not on the allowlist"),
        ("https://old.example.org", "http://169.254.169.254", "which is not public; add 169.254"),
        (
            "https://old.example.org/notice",
            "'http://[::ffff:10.0.0.1]/'",
            "which is not public; add ::ffff",
        ),
        ("https://old.example.org", "http://2130706433", "which is not public; add 2130706433"),
        ("smtp://mail.house", "https://mail.house", "is no address for this kind; use smtps://"),
        ('to: "07:00"', 'to: "7:00"', "is no time of day"),
        ('to: "07:00"', 'to: "22:00"', "is the time at which it begins"),
        ("digest_after: 6", "digest_after: 20", "digest_after: 20 is not a number of messages"),
        ("      to: [duty@example.org]\n", "", "to: is missing; name who gets the mail"),
        ("address_file: feishu.url", "address_file: feishu.url, user: x", "user: does not fit"),
        ('"text": "{text}"', '"text": "hi"', "sms.body: lacks {text}; say where they go"),
        ("result.code=0", "result.code", "sms.success: says no value; write it as code=0"),
        ("hooks.example.org, 127", "'http://hooks.example.org/in', 127", "allow.2: is no host"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_mend(
    folder: Path, old: str, new: str, said: str
) -> None:
    assert old in WELL
    found = [str(one) for one in problems(folder, WELL.replace(old, new, 1))]
    assert any(said in one for one in found), found
    assert all("s3cret" not in one for one in found)
    assert all(one.split(":")[1].isdigit() for one in found)


@pytest.mark.parametrize("secret", ["pässwort-s3cret", "密码-s3cret", "two\nlines-s3cret"])
def test_a_secret_that_no_header_and_no_log_in_can_hold_is_refused(
    folder: Path, secret: str
) -> None:
    (folder / "odd.key").write_text(secret)
    mail = "sender: dutyroom@example.org"
    bearer = '      sms:\n        authorization: "Bearer {secret}"\n'
    notices = (
        WELL.replace(mail, f"{mail}\n      user: dutyroom\n      secret_file: odd.key")
        .replace("      secret_file: ding.key\n", "      secret_file: odd.key\n")
        .replace("      sms:\n", bearer)
    )
    found = problems(folder, notices)
    assert [one.name for one in found] == [
        "notices.channels.mail.secret_file",
        "notices.channels.phones.secret_file",
    ]
    assert all(one.mend == "have one made of ASCII only" for one in found)
    assert "s3cret" not in str(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("to: [duty@example.org]", "to: [düty@example.org]"),
        ("sender: duty", "sender: düty"),
        ("      sms:\n", '      sms:\n        authorization: "Bäsic"\n'),
    ],
)
def test_what_goes_into_a_header_is_ascii(folder: Path, old: str, new: str) -> None:
    assert any("not ASCII" in one.wrong for one in problems(folder, WELL.replace(old, new, 1)))


def test_the_older_list_of_public_addresses_needs_no_other_word(folder: Path) -> None:
    site = survey(folder, "notices: {webhooks: [https://a.example.org/1]}\n").site
    assert site is not None
    assert [one.id for one in site.channels] == ["webhook-" + site.channels[0].id[8:]]


def test_two_kinds_of_mistake_in_one_channel_are_both_told(folder: Path) -> None:
    wrong = "notices:\n  channels:\n    - {id: a, kind: email, digest_after: 0}\n"
    assert {one.name for one in problems(folder, wrong)} == {
        f"notices.channels.a.{key}" for key in ("to", "sender", "address", "digest_after")
    }
