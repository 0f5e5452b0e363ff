"""``dutyroom profile …``: device types, from and to the point tables of integrators."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api import cli_profile_paper as paper
from api.cli_options import AsJson, Site
from api.settings import CannotStartError

if TYPE_CHECKING:
    from gateway.files.documents import Problem
    from gateway.profile.files import ProfileFile, Profiles

profile = typer.Typer(
    help="""Device types (profiles): list, show, check, begin a new one, and point tables as CSV
and XLSX in and out.

A profile is one YAML file: `deploy/docs/profiles.md` says what is in it. A site's own ones are in
its profiles_folder and go before shipped ones of the same name.""",
    no_args_is_help=True,
)

Into = Annotated[
    Path, typer.Option("--into", help="Folder for the file, such as the site's profiles_folder.")
]
Force = Annotated[bool, typer.Option("--force", help="Put it in place of what is there.")]
HERE = Path()


@profile.command("list")
def list_profiles(
    site: Site = None,
    device_class: Annotated[
        str | None, typer.Option("--class", help="Only of this class, such as meter.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Every profile that the site may use: the shipped ones and its own.

    `verified` says what the map was checked against: device, manual, code or unverified.
    """
    known = profiles_at(site)
    files = [
        file
        for _, file in sorted(known.found.items())
        if device_class in (None, file.profile.equipment_class, *file.profile.generic)
    ]
    if as_json:
        print(json.dumps([_line(file) for file in files], ensure_ascii=False, indent=2))
    else:
        rows = [list(map(str, _line(file).values())) for file in files]
        table(("profile", "class", "vendor", "model", "protocol", "points", "verified", ""), rows)
    tell(known.problems)


@profile.command("show")
def show(
    profile_id: Annotated[str, typer.Argument(metavar="PROFILE", help="Id, or a profile file.")],
    site: Site = None,
    as_json: AsJson = False,
) -> None:
    """What a profile says: source, parameters, and every point with its place."""
    file = found(profile_id, site)
    if as_json:
        content = file.document.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude_defaults=True
        )
        print(json.dumps({"file": file.profile.file, **content}, ensure_ascii=False, indent=2))
        return
    one = file.profile
    print(f"{one.id}  {one.model.zh}  {one.model.en}")
    print(f"class {', '.join((one.equipment_class, *one.generic))}; {one.protocol}")
    print(f"verified: {one.verified}; source: {one.source}")
    for name, limits in file.document.parameters.items():
        print(f"parameter {name}: {limits.low} to {limits.high}, {paper.step(limits)}")
    print(f"file: {one.file}\n")
    headings = ("point", "名称", "name", "unit", "range", "where", "how", "states")
    table(headings, paper.rows(file))


@profile.command("check")
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Profile files, or folders of them.")
    ],
    as_json: AsJson = False,
) -> None:
    """Read profile files and print every mistake with its line.

    Ends with code 2 if there is one.
    """
    from gateway.profile.files import load_profile, scan_profiles

    problems: list[Problem] = []
    for path in files:
        wrong = scan_profiles([path]).problems if path.is_dir() else load_profile(path)[1]
        problems.extend(wrong)
    if as_json:
        told = [_problem(problem) for problem in problems]
        print(json.dumps({"ok": not told, "problems": told}, ensure_ascii=False, indent=2))
    elif problems:
        print(*problems, sep="\n")
        print(f"{len(problems)} to mend")
    else:
        print(f"{', '.join(map(str, files))}: nothing wrong")
    if problems:
        raise typer.Exit(2)


@profile.command("new")
def new(
    *,
    device_class: Annotated[
        str, typer.Option("--class", help="What it is: meter, pump, lamp … (see `profile list`).")
    ],
    model: Annotated[str, typer.Option(help="As people call it.")],
    vendor: Annotated[str, typer.Option(help="Maker; empty: of no maker in particular.")] = "",
    model_en: Annotated[str, typer.Option(help="The model in English.  [default: --model]")] = "",
    protocol: Annotated[str, typer.Option(help="modbus or mqtt.")] = "modbus",
    profile_id: Annotated[
        str, typer.Option("--profile", help="Its id.  [default: of vendor and model]")
    ] = "",
    into: Into = HERE,
    force: Force = False,
) -> None:
    """Write a profile to begin with: valid, and with a comment on every key."""
    from gateway.profile.new import id_of, new_profile

    if protocol not in ("modbus", "mqtt"):
        raise typer.BadParameter("use modbus or mqtt", param_hint="--protocol")
    name = profile_id or id_of(vendor, model_en or model)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
        raise typer.BadParameter(
            "give an id of lower-case letters, digits and hyphens", param_hint="--profile"
        )
    text = new_profile(
        profile=name,
        equipment_class=device_class,
        vendor=vendor,
        model=model,
        model_en=model_en or model,
        protocol=protocol,
    )
    _refuse_if_wrong(text, name)
    target = _written(text, into, name, force=force)
    print(f"{target}: written; mend the points and run: dutyroom profile check {target}")


@profile.command("import")
def import_table(
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Point table: .csv or .xlsx, one device type.")
    ],
    profile_id: Annotated[str | None, typer.Option("--profile", help="Id to give it.")] = None,
    device_class: Annotated[str | None, typer.Option("--class", help="Such as meter.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Maker.")] = None,
    model: Annotated[str | None, typer.Option(help="As people call it.")] = None,
    model_en: Annotated[str | None, typer.Option(help="The model in English.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Where the table comes from.  [default: the file's name]")
    ] = None,
    first_register: Annotated[
        int | None,
        typer.Option(
            help="The table's number for PDU address 0: 0, 1, 40001.  [default: 0, or found out "
            "where every address is in Modicon notation]"
        ),
    ] = None,
    function: Annotated[
        str | None, typer.Option(help="holding, input, coil or discrete, where no row says it.")
    ] = None,
    into: Into = HERE,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Make a profile of a point table as integrators deliver it.

    Headings in Chinese or English (名称/name, 地址/address, 功能码/function, 类型/type, 倍率/scale,
    单位/unit, …); addresses as 16, 0x10, 10H, 40001, 4x0001 or 40001.3. CSV: UTF-8 or GB18030;
    comma, semicolon or tab. With a mistake nothing is written, and each is named by row and
    column; ends with code 2.
    """
    from gateway.files.documents import ConfigurationError
    from gateway.profile.text import profile_text
    from gateway.table.point_table import read_table

    given = {
        "profile": profile_id,
        "class": device_class,
        "vendor": vendor,
        "model_zh": model,
        "model_en": model_en,
        "source": source,
        "first_register": None if first_register is None else str(first_register),
        "function": function,
    }
    try:
        imported = read_table(
            _table_at(file),
            {key: value for key, value in given.items() if value is not None},
            {"source": f"point table {file.name}"},
        )
    except ConfigurationError as error:
        if not as_json:
            raise
        told = [_problem(problem) for problem in error.problems]
        print(json.dumps({"ok": False, "problems": told}, ensure_ascii=False, indent=2))
        raise typer.Exit(2) from None
    comment = f"Made of the point table {file.name}: compare it with a device (dutyroom probe)."
    text = profile_text(imported.document, comment=comment, hexadecimal=imported.hexadecimal)
    name = str(imported.document["profile"])
    target = _written(text, into, name, force=force)
    count = len(imported.document["points"])
    if as_json:
        done = {"ok": True, "file": str(target), "points": count, "notes": list(imported.notes)}
        print(json.dumps(done, ensure_ascii=False, indent=2))
        return
    for note in imported.notes:
        print(f"note: {note}")
    print(f"{target}: {count} points")
    print(f"next: dutyroom probe HOST:PORT --unit 1 --profile {target}")


@profile.command("export")
def export_table(
    profile_id: Annotated[str, typer.Argument(metavar="PROFILE", help="Id, or a profile file.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="To write: .csv or .xlsx.")],
    site: Site = None,
    force: Force = False,
) -> None:
    """Write the point table of a Modbus profile; `import` reads it back as the same profile."""
    from gateway.table.csv_file import csv_of_table
    from gateway.table.export import rows_of
    from gateway.table.xlsx_file import xlsx_of_table

    one = found(profile_id, site)
    if one.profile.protocol != "modbus":
        raise CannotStartError(f"{profile_id} speaks MQTT: a point table is of registers")
    kinds = {".csv": csv_of_table, ".xlsx": xlsx_of_table}
    write = kinds.get(file.suffix.lower())
    if write is None:
        raise typer.BadParameter("name it .csv or .xlsx", param_hint="FILE")
    _refuse_if_there(file, force=force)
    file.write_bytes(write(rows_of(one)))
    print(f"{file}: {len(one.profile.points)} points")


def profiles_at(site: Path | None) -> Profiles:
    """The profiles that the site may use: its own before the shipped ones."""
    from gateway.files.documents import UnreadableError, salvage
    from gateway.profile.files import SHIPPED, scan_profiles
    from gateway.site.document import SiteDocument

    own = None
    if site is not None:
        parsed, problems = salvage(site, SiteDocument)
        if parsed is None:
            raise CannotStartError("\n".join(map(str, problems)))
        with suppress(UnreadableError):
            own = parsed.content.site.profiles_folder
    return scan_profiles([SHIPPED] if site is None or own is None else [site.parent / own, SHIPPED])


def found(given: str, site: Path | None) -> ProfileFile:
    """The profile of an id or of a file; raises :class:`CannotStartError` or
    :class:`~gateway.files.documents.ConfigurationError`."""
    from gateway.files.documents import ConfigurationError
    from gateway.files.fields import instead
    from gateway.profile.files import load_profile

    if given.endswith((".yaml", ".yml")):
        loaded, problems = load_profile(Path(given))
        if loaded is None:
            raise ConfigurationError(problems)
        return loaded
    known = profiles_at(site)
    if given not in known.found:
        wrong = [problem for problem in known.problems if Path(problem.file).stem == given]
        if wrong:
            raise ConfigurationError(wrong)
        raise CannotStartError(f"there is no profile {given!r}; {instead(given, known.found)}")
    return known.found[given]


def table(headings: tuple[str, ...], rows: list[list[str]]) -> None:
    """A table on standard output: ruled for a terminal, else cells with tabs between them."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console().print(shown)


def tell(problems: Any) -> None:
    """What is wrong with other files than the one that was asked for."""
    for problem in problems:
        print(f"dutyroom: {problem}", file=sys.stderr)


def _table_at(file: Path) -> Any:
    from gateway.table.csv_file import table_of_csv
    from gateway.table.sheet import LARGEST_BYTES
    from gateway.table.xlsx_file import table_of_xlsx

    try:
        with file.open("rb") as source:
            data = source.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise CannotStartError(f"{file} cannot be read: {error.strerror}") from None
    packed = data.startswith(b"PK\x03\x04") or file.suffix.lower() in (".xlsx", ".xlsm", ".xls")
    return (table_of_xlsx if packed else table_of_csv)(str(file), data)


def _refuse_if_wrong(text: str, name: str) -> None:
    """Raises :class:`~gateway.files.documents.ConfigurationError` for what was given badly."""
    from tempfile import TemporaryDirectory

    from gateway.files.documents import ConfigurationError
    from gateway.profile.files import load_profile

    with TemporaryDirectory() as folder:
        passing = Path(folder) / f"{name}.yaml"
        passing.write_text(text, encoding="utf-8")
        problems = load_profile(passing)[1]
    if problems:
        raise ConfigurationError(replace(problem, file=f"{name}.yaml") for problem in problems)


def _written(text: str, into: Path, name: str, *, force: bool) -> Path:
    """The text in its file, which appears whole or not at all."""
    if not into.is_dir():
        raise CannotStartError(f"there is no folder {into}")
    target = into / f"{name}.yaml"
    _refuse_if_there(target, force=force)
    passing = into / f".{name}.yaml.new"
    passing.write_text(text, encoding="utf-8")
    passing.replace(target)
    return target


def _refuse_if_there(file: Path, *, force: bool) -> None:
    if file.exists() and not force:
        raise CannotStartError(f"{file} is there already; --force replaces it")


def _problem(problem: Problem) -> Mapping[str, Any]:
    return {name: getattr(problem, name) for name in type(problem).__slots__}


def _line(file: ProfileFile) -> dict[str, Any]:
    from gateway.profile.files import SHIPPED

    one = file.profile
    return {
        "profile": one.id,
        "class": one.equipment_class,
        "vendor": one.vendor,
        "model": one.model.zh,
        "protocol": one.protocol,
        "points": len(one.points),
        "verified": one.verified,
        "origin": "shipped" if Path(one.file).is_relative_to(SHIPPED) else "site",
    }
