"""``dutyroom user …`` and ``dutyroom audit …``: people and the audit from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_options import DATA, AsJson, Data, Site, actor, ledger_at

if TYPE_CHECKING:
    from rules.people.people import Person

users = typer.Typer(
    help="The people of the site: list, add, change, passwords, import from a file.",
    no_args_is_help=True,
)
audit = typer.Typer(help="Who did what, and whether that record is whole.", no_args_is_help=True)

_ROLES = "officer, technician, foreman, engineering_manager, project_manager or admin"
Username = Annotated[str, typer.Argument(metavar="USERNAME")]
RoleOption = Annotated[str | None, typer.Option("--role", help=f"One of {_ROLES}.")]
Name = Annotated[str | None, typer.Option("--name", help="How they are called.")]
Areas = Annotated[
    list[str] | None,
    typer.Option("--area", help="Where they may act; once an area, `all` for everywhere."),
]
Skills = Annotated[
    list[str] | None, typer.Option("--skill", help="Once a skill; an empty one takes all away.")
]
Phone = Annotated[str | None, typer.Option(help="Telephone; empty takes it away.")]
Mention = Annotated[
    str | None, typer.Option(help="What a chat robot calls them by; empty takes it away.")
]
Contractor = Annotated[
    bool | None,
    typer.Option("--contractor/--no-contractor", help="Of another firm: never logs in."),
]
LogIn = Annotated[bool | None, typer.Option("--log-in/--no-log-in", help="May log in.")]

_SHORTEST_PASSWORD = 8
_LONGEST_PASSWORD = 256
_NAME_FORM = r"[a-z0-9][a-z0-9._-]{0,63}"


@users.command("list")
def list_users(site: Site = None, data: Data = DATA, as_json: AsJson = False) -> None:
    """Everybody, also who has left."""
    from rules.people import people

    with ledger_at(site, data) as (ledger, found), ledger.read(found.id) as view:
        everybody = people.everybody(view)
    if as_json:
        print(json.dumps([_plain(person) for person in everybody], ensure_ascii=False, indent=2))
        return
    for person in everybody:
        where = ", ".join(person.areas) or "everywhere"
        notes = [
            note
            for note, holds in (
                ("contractor", person.contractor),
                ("no log-in", not person.can_log_in and not person.contractor),
                ("PIN", person.has_pin),
                ("left", not person.active),
            )
            if holds
        ]
        shown = f" ({', '.join(notes)})" if notes else ""
        print(_shown(f"{person.username}  {person.display_name}  {person.role}  {where}{shown}"))


@users.command("add")
def add_user(
    *,
    username: Username,
    name: Annotated[str, typer.Option("--name", help="How they are called.")],
    role: Annotated[str, typer.Option("--role", help=f"One of {_ROLES}.")],
    site: Site = None,
    data: Data = DATA,
    area: Areas = None,
    skill: Skills = None,
    phone: Phone = None,
    mention: Mention = None,
    contractor: Contractor = None,
    log_in: LogIn = None,
) -> None:
    """Somebody new; a password is given with `dutyroom user password`.

    Somebody of another site on the same ledger joins this one with what they are there.
    """
    import re

    from gateway.clock import SystemClock
    from rules.people import people
    from rules.people.people import Person

    if not re.fullmatch(_NAME_FORM, username):
        raise typer.BadParameter(
            "lower-case letters, digits, dots and hyphens, 64 at most", param_hint="USERNAME"
        )
    person = Person(
        username=username,
        display_name=name,
        role=_role(role),
        can_log_in=not contractor,
    )
    person = _edited(person, area=area, skill=skill, phone=phone, mention=mention)
    person = _edited(person, contractor=contractor, log_in=log_in)
    with ledger_at(site, data) as (ledger, found):
        people.add(ledger, found, person, actor=actor(), now=SystemClock().now())
    print(f"{username} is added")


@users.command("set")
def set_user(
    *,
    username: Username,
    site: Site = None,
    data: Data = DATA,
    name: Name = None,
    role: RoleOption = None,
    area: Areas = None,
    skill: Skills = None,
    phone: Phone = None,
    mention: Mention = None,
    contractor: Contractor = None,
    log_in: LogIn = None,
    active: Annotated[bool | None, typer.Option("--active/--left", help="Works here.")] = None,
) -> None:
    """Change what is given."""
    _change(
        username,
        site,
        data,
        name=name,
        role=role,
        area=area,
        skill=skill,
        phone=phone,
        mention=mention,
        contractor=contractor,
        log_in=log_in,
        active=active,
    )
    print(f"{username} is changed")


@users.command("deactivate")
def deactivate_user(username: Username, site: Site = None, data: Data = DATA) -> None:
    """Somebody has left: no log-in, no session, and not on the roster any more."""
    _change(username, site, data, active=False)
    print(f"{username} has left")


@users.command("password")
def give_password(username: Username, site: Site = None, data: Data = DATA) -> None:
    """Give somebody a password; asked for, or a line of standard input. Their sessions end."""
    from gateway.clock import SystemClock
    from rules.people import people

    with ledger_at(site, data) as (ledger, found):
        password = _secret("Password")
        if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
            raise typer.BadParameter(
                f"a password has {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters"
            )
        people.set_password(
            ledger, found.id, username, password, actor=actor(), now=SystemClock().now()
        )
    print(f"{username} has a new password")


@users.command("pin")
def give_pin(
    username: Username,
    site: Site = None,
    data: Data = DATA,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away.")] = False,
) -> None:
    """Give somebody a PIN for signing; asked for, or a line of standard input."""
    import re

    from gateway.clock import SystemClock
    from rules.people import people

    with ledger_at(site, data) as (ledger, found):
        pin = None if remove else _secret("PIN")
        if pin is not None and not re.fullmatch(r"[0-9]{4,8}", pin):
            raise typer.BadParameter("a PIN has 4 to 8 digits")
        people.give_pin(ledger, found.id, username, pin, actor=actor(), now=SystemClock().now())
    print(f"{username} has {'no PIN' if remove else 'a new PIN'}")


@users.command("import")
def import_users(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As deploy/demo/people.yaml.")],
    site: Site = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Bring everybody of a file in as it says, and teams, shifts and rotation if it has them.

    A file with a mistake brings in nothing. Whoever is not in the file stays as they are;
    newcomers have no password until one is given.
    """
    from api import people_import
    from gateway.clock import SystemClock

    with ledger_at(site, data) as (ledger, found):
        done = people_import.bring_in(ledger, found, file, actor=actor(), now=SystemClock().now())
    if as_json:
        print(json.dumps({"added": done.added, "changed": done.changed}, ensure_ascii=False))
    else:
        print(f"added: {', '.join(done.added) or 'nobody'}")
        print(f"changed: {', '.join(done.changed) or 'nobody'}")


@audit.command("verify")
def verify(site: Site = None, data: Data = DATA, as_json: AsJson = False) -> None:
    """Go through every row; ends with code 1 and names the first bad one, if there is one."""
    from rules.ledger.audit import verify

    with ledger_at(site, data) as (ledger, found), ledger.read(found.id) as view:
        verdict = verify(view)
    if as_json:
        print(
            json.dumps(
                {
                    "ok": verdict.ok,
                    "rows": verdict.rows,
                    "head": verdict.head,
                    "first_bad": verdict.first_bad,
                    "why": verdict.why,
                }
            )
        )
    elif verdict.ok:
        print(f"{verdict.rows} rows, each as it was written; head {verdict.head}")
    else:
        print(f"first bad row: {verdict.first_bad} ({verdict.why})")
    if not verdict.ok:
        raise typer.Exit(1)


@audit.command("list")
def list_audit(
    *,
    site: Site = None,
    data: Data = DATA,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Rows.")] = 50,
    subject: Annotated[str | None, typer.Option(help="Only of this thing.")] = None,
    by: Annotated[str | None, typer.Option(help="Only what this person did.")] = None,
    as_json: AsJson = False,
) -> None:
    """Who did what, newest first."""
    from gateway.model.moment import iso
    from rules.ledger.audit import newest

    with ledger_at(site, data) as (ledger, found), ledger.read(found.id) as view:
        rows = newest(view, limit=limit, subject=subject, by=by)
    for row in rows:
        at = iso(row.at, found.zone)
        if as_json:
            fields = ("number", "by", "via", "action", "subject", "detail")
            plain = {name: getattr(row, name) for name in fields}
            print(json.dumps({"at": at, **plain}, ensure_ascii=False))
        else:
            told = " ".join(f"{name}={value}" for name, value in row.detail.items())
            line = f"{row.number}  {at}  {row.by} ({row.via})  {row.action}  {row.subject}  {told}"
            print(_shown(line.rstrip()))


def _change(username: str, site: Path | None, data: Path, **given: Any) -> None:
    from gateway.clock import SystemClock
    from rules.people import people

    with ledger_at(site, data) as (ledger, found):
        people.change(
            ledger,
            found,
            username,
            lambda person: _edited(person, **given),
            actor=actor(),
            now=SystemClock().now(),
        )


def _edited(
    person: Person,
    *,
    name: str | None = None,
    role: str | None = None,
    area: Sequence[str] | None = None,
    skill: Sequence[str] | None = None,
    phone: str | None = None,
    mention: str | None = None,
    contractor: bool | None = None,
    log_in: bool | None = None,
    active: bool | None = None,
) -> Person:
    """``person`` with what was given on the command line."""
    given: dict[str, Any] = {
        "display_name": name,
        "role": None if role is None else _role(role),
        "areas": None if not area else () if "all" in area else tuple(area),
        "skills": None if not skill else tuple(one for one in skill if one),
        "contractor": contractor,
        "can_log_in": log_in,
        "active": active,
    }
    texts = {"phone": phone, "mention": mention}
    changed = {field: value for field, value in given.items() if value is not None}
    changed.update((field, text or None) for field, text in texts.items() if text is not None)
    return replace(person, **changed)


def _role(word: str) -> Any:
    from rules.people.roles import Role

    try:
        return Role(word)
    except ValueError:
        raise typer.BadParameter(f"{word!r} is none of {_ROLES}", param_hint="--role") from None


def _secret(what: str) -> str:
    """Asked for twice without showing it; of a pipe, its first line. Never a flag: that would be
    seen in the list of processes."""
    if sys.stdin.isatty():
        asked: str = typer.prompt(what, hide_input=True, confirmation_prompt=True)
        return asked
    return sys.stdin.readline().rstrip("\r\n")


def _shown(text: str) -> str:
    """``text`` without what would command the terminal or turn the line around."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _plain(person: Person) -> dict[str, Any]:
    def day(value: date | None) -> str | None:
        return None if value is None else value.isoformat()

    return {
        "username": person.username,
        "display_name": person.display_name,
        "role": person.role.value,
        "areas": list(person.areas),
        "skills": list(person.skills),
        "certificates": [
            {"name": one.name, "number": one.number, "expires_on": day(one.expires_on)}
            for one in person.certificates
        ],
        "phone": person.phone,
        "mention": person.mention,
        "contractor": person.contractor,
        "can_log_in": person.can_log_in,
        "has_pin": person.has_pin,
        "active": person.active,
    }
