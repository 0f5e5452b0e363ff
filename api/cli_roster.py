"""``dutyroom roster …`` and ``dutyroom calendar …``: who is on duty, and which days are worked."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_options import DATA, AsJson, Data, Site, actor, ledger_at

if TYPE_CHECKING:
    from datetime import date, tzinfo

    from api.models.roster import ShiftNow

roster = typer.Typer(
    help="Who is on duty, and teams, shifts and rotation from a file.", no_args_is_help=True
)
calendar = typer.Typer(help="Working days and holidays.", no_args_is_help=True)

_WEEK = 7
_MOST_DAYS = 366

_FORM = ["%Y-%m-%d"]


@roster.command("show")
def show(
    site: Site = None,
    data: Data = DATA,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=_FORM, help="The first day.  [default: today]"),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=_MOST_DAYS, help="How many days.")] = _WEEK,
    as_json: AsJson = False,
) -> None:
    """Every shift of the next days with its team, its people and what is wrong with it."""
    from api.views.roster import RosterViews
    from rules.ledger import roster as stored

    with ledger_at(site, data) as (ledger, found), ledger.read(found.id) as view:
        begin = _today(found.zone) if first is None else first.date()
        last = begin + timedelta(days=days - 1)
        duties = list(stored.roster_of(view, found, begin, last).between(begin, last))
    shown = RosterViews(zone=found.zone, sees_people=True)
    items = [shown.shift_day(duty) for duty in duties]
    if as_json:
        plain = [item.model_dump(mode="json", by_alias=True) for item in items]
        print(json.dumps({"items": plain}, ensure_ascii=False, indent=2))
        return
    for item in items:
        print(_line(item))
    if not items:
        print("no rotation is set up: dutyroom roster import FILE")


@roster.command("on-duty")
def on_duty(site: Site = None, data: Data = DATA, as_json: AsJson = False) -> None:
    """Who is on duty now; ends with code 1 if nobody is."""
    from api.views.roster import RosterViews
    from gateway.clock import SystemClock
    from rules.ledger import roster as stored

    with ledger_at(site, data) as (ledger, found), ledger.read(found.id) as view:
        duty = stored.on_duty(view, found, SystemClock().now().wall)
    item = RosterViews(zone=found.zone, sees_people=True).shift_now(duty)
    if as_json:
        plain = None if item is None else item.model_dump(mode="json", by_alias=True)
        print(json.dumps({"shift": plain}, ensure_ascii=False, indent=2))
    else:
        print("no shift is held now" if item is None else _line(item))
    if item is None or not item.crew:
        raise typer.Exit(1)


@roster.command("import")
def import_roster(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As deploy/demo/people.yaml.")],
    site: Site = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Put the teams, shifts and rotation of a file in the place of those that there are.

    All of it or nothing. The people have to be there: `dutyroom user import` brings them in.
    """
    from api.settings import CannotStartError
    from gateway.clock import SystemClock
    from rules.refusals import NotValidError
    from rules.shifts import roster_file

    with ledger_at(site, data) as (ledger, found):
        try:
            plan = roster_file.bring_in(ledger, found, file, actor=actor(), now=SystemClock().now())
        except NotValidError as error:
            raise CannotStartError(f"{file}: {error.field}: {error}") from None
    teams = [team.id for team in plan.teams]
    shifts = [shift.id for shift in plan.shifts]
    days = len(plan.pattern)
    if as_json:
        print(json.dumps({"teams": teams, "shifts": shifts, "days": days}))
    else:
        print(f"teams: {', '.join(teams)}\nshifts: {', '.join(shifts)}\nrotation: {days} days")


@calendar.command("show")
def show_calendar(
    year: Annotated[int, typer.Argument(min=2000, max=2199, metavar="YEAR")],
    site: Site = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """The days of a year that are not what their weekday says; with --json, every day."""
    from api.views import roster as views
    from rules.ledger import roster as stored

    with ledger_at(site, data) as (ledger, found), ledger.read(found.id) as view:
        known = stored.calendar_of(view, found)
    if as_json:
        plain = views.calendar(known, year).model_dump(mode="json")
        print(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    hours = views.hours(known.hours)
    print(f"{year}: working hours {hours.starts} to {hours.ends}")
    if known.is_provisional(year):
        print("provisional: make-up working days are not known, and holidays may be longer")
    for day in known.days(year):
        is_plain = day.name is None and day.source.value != "site"
        if not is_plain:
            name = "" if day.name is None else f"  {day.name.zh} {day.name.en}"
            print(f"{day.date:%Y-%m-%d %a}  {day.kind:<15}  {day.source:<11}{name}")


def _today(zone: tzinfo) -> date:
    from gateway.clock import SystemClock
    from rules.shifts.local_time import date_of

    return date_of(SystemClock().now().wall, zone)


def _line(item: ShiftNow) -> str:
    crew = ", ".join(f"{member.display_name} ({member.username})" for member in item.crew)
    wrong = "".join(f"  ! {problem.text.zh} / {problem.text.en}" for problem in item.problems)
    when = f"{item.starts_at[:16]} to {item.ends_at[:16]}".replace("T", " ")
    return f"{when}  {item.name.zh} {item.name.en}  {item.team.name.zh}  {crew or '-'}{wrong}"
