"""``dutyroom cert``: HTTPS without anybody else's authority."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_options import DATA, AsJson, Data
from api.settings import CannotStartError

if TYPE_CHECKING:
    from api.data_directory import DataDirectory
    from api.tls.authority import Made

Name = Annotated[
    list[str] | None,
    typer.Option(
        "--name",
        help="A further host name or address that people come by; once for each. It is kept for "
        "the next time.",
    ),
]
Days = Annotated[
    int,
    typer.Option(
        min=1, max=825, help="How long the certificate is good; iPhones take 825 days at most."
    ),
]


def cert(
    *,
    data: Data = DATA,
    name: Name = None,
    days: Days = 397,
    new_authority: Annotated[
        bool,
        typer.Option(
            "--new-authority", help="Make another authority: every phone must trust it anew."
        ),
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Only say what is there, and its fingerprint.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make or renew the certificate for HTTPS, by an authority of this machine's own.

    It is for all names and addresses that this machine has now. The authority is made once and is
    good for ten years; the same command renews the certificate, which a running dutyroom takes
    within seconds. Phones trust the authority once: the page /trust says how.
    """
    from api.data_directory import DataDirectory
    from api.tls.authority import Folder, make, seen
    from api.tls.names import NoNameError

    directory = DataDirectory.open(data)
    folder, now = Folder(root=directory.tls), time.time_ns() // 1000
    if show:
        found = seen(folder)
        if found is None:
            raise CannotStartError(f"{folder.root} has no certificate yet: run `dutyroom cert`")
    else:
        try:
            found = make(folder, name or (), days=days, now=now, new_authority=new_authority)
        except NoNameError as error:
            raise typer.BadParameter(str(error), param_hint="--name") from None
    if as_json:
        print(json.dumps(_document(directory, found), ensure_ascii=False, indent=2))
    else:
        _tell(directory, found, now, is_made=not show)


def _document(directory: DataDirectory, found: Made) -> dict[str, object]:
    return {
        "names": list(found.names),
        "certificate": {
            "file": str(directory.tls / "server.pem"),
            "begins": _moment(found.server.begins),
            "ends": _moment(found.server.ends),
            "sha256": found.server.fingerprint,
        },
        "authority": {
            "file": str(directory.tls / "ca.crt"),
            "ends": _moment(found.authority.ends),
            "sha256": found.authority.fingerprint,
            "new": found.new_authority,
        },
    }


def _tell(directory: DataDirectory, found: Made, now: int, *, is_made: bool) -> None:
    from api.tls.names import reachable, shown

    if found.new_authority:
        print(f"authority    made, good until {_moment(found.authority.ends)[:10]}; phones must")
        print("             trust it before they come by HTTPS without a warning")
    else:
        print(f"authority    good until {_moment(found.authority.ends)[:10]}")
    print(f"  SHA-256    {found.authority.fingerprint}")
    print(f"certificate  {'made, ' if is_made else ''}good until {_moment(found.server.ends)[:10]}")
    print(f"  for        {', '.join(found.names)}")
    warning = found.server.warning(now)
    if warning is not None:
        print(f"  WARNING    {warning}")
    missing = found.missing()
    strangers = [name for name in missing if not found.authority.speaks_for(name)]
    if near := [name for name in missing if name not in strangers]:
        print(f"  WARNING    it is not for {', '.join(near)}: run `dutyroom cert`")
    if strangers:
        print(f"  WARNING    its authority may not speak for {', '.join(strangers)}: if people")
        print("             come by that, `dutyroom cert --new-authority` makes another")
    if is_made and directory.parent() is None:
        host = shown(reachable(found.names))
        print("next         dutyroom up --host 0.0.0.0")
        print(f"             then http://{host}:8000/trust on each phone")


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
