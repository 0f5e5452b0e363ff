"""``dutyroom kiosk …``: the screens on the walls, from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_options import DATA, AsJson, Data, Site, actor, ledger_at

if TYPE_CHECKING:
    from datetime import tzinfo

    from rules.people.kiosks import Kiosk

kiosks = typer.Typer(
    help="Screens on a wall, which look and do nothing: make, list, revoke.",
    no_args_is_help=True,
)
_ADDRESS = "http://127.0.0.1:8000"


@kiosks.command("new")
def new_kiosk(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Where the screen hangs.")],
    area: Annotated[
        list[str] | None, typer.Option(help="What it shows; once an area. Without: everything.")
    ] = None,
    url: Annotated[
        str, typer.Option(help="How the screen reaches this server.", metavar="URL")
    ] = _ADDRESS,
    site: Site = None,
    data: Data = DATA,
) -> None:
    """Make a screen and print its link, this one time: it opens `/wall` once, within a week."""
    from gateway.clock import SystemClock
    from rules.people import kiosks as screens

    if not 1 <= len(name.strip()) <= 60 or not name.isprintable():
        raise typer.BadParameter("1 to 60 characters in one line", param_hint="NAME")
    with ledger_at(site, data) as (ledger, found):
        key, _ = screens.make(
            ledger,
            found,
            name=name.strip(),
            areas=tuple(area or ()),
            actor=actor(),
            now=SystemClock().now(),
        )
    print(f"{url.rstrip('/')}/wall#k={key}")


@kiosks.command("list")
def list_kiosks(site: Site = None, data: Data = DATA, as_json: AsJson = False) -> None:
    """Every screen: what it shows, when and from where it was seen last."""
    from rules.people import kiosks as screens

    with ledger_at(site, data) as (ledger, found), ledger.read(found.id) as view:
        all_of_them, zone = screens.all_of(view, actor=actor()), found.zone
    if as_json:
        plain = [_plain(one, zone) for one in all_of_them]
        print(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    for one in all_of_them:
        told = _plain(one, zone)
        seen = f"seen {told['last_seen_at']} from {told['address']}"
        state = seen if one.last_seen_at else "opened" if one.opened_at else "never opened"
        print(f"{one.id}  {one.name}  {', '.join(one.areas) or 'everything'}  {state}")


@kiosks.command("revoke")
def revoke_kiosk(
    kiosk_id: Annotated[str, typer.Argument(metavar="ID", help="As `kiosk list` shows it.")],
    site: Site = None,
    data: Data = DATA,
) -> None:
    """The screen shows nothing any more, within half a minute."""
    from gateway.clock import SystemClock
    from rules.people import kiosks as screens

    with ledger_at(site, data) as (ledger, found):
        screens.revoke(ledger, found.id, kiosk_id, actor=actor(), now=SystemClock().now())
    print(f"{kiosk_id} is revoked")


def _plain(one: Kiosk, zone: tzinfo) -> dict[str, Any]:
    from gateway.model.moment import iso

    def at(moment: int | None) -> str | None:
        return None if moment is None else iso(moment, zone)

    return {
        "id": one.id,
        "name": one.name,
        "areas": list(one.areas),
        "created_at": at(one.created_at),
        "created_by": one.created_by,
        "opened_at": at(one.opened_at),
        "last_seen_at": at(one.last_seen_at),
        "address": one.address,
        "agent": one.agent,
    }
