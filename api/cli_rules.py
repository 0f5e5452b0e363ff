"""``dutyroom rules …`` and ``dutyroom replay``: limits of the site's own, and changed rules over
the history."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_options import DATA, AsJson, Data, Site, ledger_at

if TYPE_CHECKING:
    from datetime import tzinfo

    from api.models.rules import ReplayResult
    from gateway.model.equipment import Site as KnownSite
    from rules.ledger.store import Ledger
    from rules.replay.work import Report

rules = typer.Typer(
    help="Hear the readings on the broker; raise alarms, orders and notices.",
    invoke_without_command=True,
)

_FORMS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
_DAYS = 7


@rules.callback()
def serve(context: typer.Context, site: Site = None, data: Data = DATA) -> None:
    """Hear the readings on the broker; raise alarms, orders and notices."""
    if context.invoked_subcommand is not None:
        return
    from api.distributed import run_rules
    from api.lifesign import serve as run
    from api.settings import Settings, demo_site

    run(run_rules(Settings(site=site or demo_site(), data=data)))


@rules.command("overrides")
def show_overrides(site: Site = None, data: Data = DATA, as_json: AsJson = False) -> None:
    """Limits that the site has set for single equipment, in place of the rulebook's."""
    from api.views.rules import RuleViews
    from rules.ledger import overrides
    from rules.rulebook import load_rulebook

    with ledger_at(site, data) as (ledger, found), ledger.read(found.id) as view:
        kept = overrides.load(view)
    views = RuleViews(
        site=found, rulebook=load_rulebook(found), classes={}, tests={}, overrides=kept
    )
    items = [views.override(one) for one in kept]
    if as_json:
        plain = {"items": [item.model_dump(mode="json") for item in items]}
        print(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    for item in items:
        delay = "" if item.delay_s is None else f"  for {item.delay_s:g} s"
        limit = "" if item.limit is None else f"  limit {item.limit:g}"
        stale = "" if item.in_force else "  (not in force: the files have changed)"
        print(f"{item.rule}  {item.equipment}{limit}{delay}  {item.by}: {item.reason}{stale}")
    if not items:
        print("the site has set no limit of its own")


def replay(
    *,
    rulebook: Annotated[
        Path,
        typer.Option(
            "--rules",
            metavar="FOLDER",
            help="Changed files of the rulebook (alarms/pump.yaml, …), before the site's own.",
        ),
    ],
    site: Site = None,
    data: Data = DATA,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=_FORMS, help="In the site's time.  [default: 7 days ago]"),
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=_FORMS, help="[default: now]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try changed rules on the history: what they would have raised, against what was raised and
    what led to an order. Nothing is changed by it."""
    from api.settings import CannotStartError
    from api.views.rules import replay_result

    if not rulebook.is_dir():
        raise CannotStartError(f"there is no folder {rulebook}")
    begun = time.monotonic()
    with ledger_at(site, data) as (ledger, found):
        span = _span(first, last, found.zone)
        report = _replayed(ledger, found, rulebook, data, span)
    result = replay_result(report, found.zone)
    seconds = round(time.monotonic() - begun, 1)
    if as_json:
        plain = {**result.model_dump(mode="json", by_alias=True), "seconds": seconds}
        print(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        _print(result, seconds)


def _span(first: datetime | None, last: datetime | None, zone: tzinfo) -> tuple[int, int]:
    """From when to when, µs UTC."""
    from api.settings import CannotStartError
    from gateway.clock import SystemClock
    from rules.replay import work

    end = SystemClock().now().wall if last is None else _wall(last, zone)
    week = timedelta(days=_DAYS) // timedelta(microseconds=1)
    start = end - week if first is None else _wall(first, zone)
    if not start < end <= start + work.LONGEST:
        raise CannotStartError("--from is before --to, and by 92 days at most")
    return start, end


def _replayed(
    ledger: Ledger, site: KnownSite, folder: Path, data: Path, span: tuple[int, int]
) -> Report:
    """What the rules with those of ``folder`` would have done, with a bar for whoever waits."""
    from api.data_directory import DataDirectory
    from api.stores import history_of
    from rules.book_folders import folders_of
    from rules.ledger import overrides
    from rules.ledger.raised import raised
    from rules.overrides import applied
    from rules.replay import work
    from rules.rulebook import load_rulebook

    start, end = span
    own = None if site.rulebook is None else Path(site.rulebook)
    with ledger.read(site.id) as view:
        own_limits = overrides.load(view)
        before = applied(load_rulebook(site), site, own_limits)
        after = applied(load_rulebook(site, (folder, *folders_of(own))), site, own_limits)
        changed = work.changed(before, after, site)
        were = raised(view, changed, start - work.RUN_UP, end)
    opened = history_of(DataDirectory.open(data), site, read_only=True)
    with closing(opened) as history, _bar() as told:
        return work.run(site, after, changed, history, raised=were, start=start, end=end, told=told)


def replay_job(
    name: Annotated[str, typer.Argument(metavar="JOB")], site: Site = None, data: Data = DATA
) -> None:
    """Do a replay that was begun from the page."""
    from api import configuration, lifeline
    from api.data_directory import DataDirectory
    from api.logs import to_stderr
    from api.replaying import do
    from api.settings import Settings, demo_site
    from api.stores import history_of, ledger_of

    to_stderr()
    signal.signal(signal.SIGTERM, _interrupted)
    lifeline.hold()
    found, rulebook = configuration.load(Settings(site=site or demo_site(), data=data))
    directory = DataDirectory.open(data)
    ledger = ledger_of(directory)
    history = history_of(directory, found, read_only=True)
    try:
        do(name, site=found, rulebook=rulebook, ledger=ledger, history=history)
    finally:
        history.close()
        ledger.close()


def register_job(
    name: Annotated[str, typer.Argument(metavar="JOB")], site: Site = None, data: Data = DATA
) -> None:
    """Take the workbook in that is on standard input."""
    from api import configuration, lifeline
    from api.data_directory import DataDirectory
    from api.logs import to_stderr
    from api.register_importing import do
    from api.settings import Settings, demo_site
    from api.stores import ledger_of
    from gateway.clock import SystemClock

    to_stderr()
    signal.signal(signal.SIGTERM, _interrupted)
    lifeline.hold()
    workbook = sys.stdin.buffer.read()
    found, rulebook = configuration.load(Settings(site=site or demo_site(), data=data))
    ledger = ledger_of(DataDirectory.open(data))
    try:
        do(name, workbook, site=found, rulebook=rulebook, ledger=ledger, clock=SystemClock())
    finally:
        ledger.close()


def _interrupted(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _wall(given: datetime, zone: tzinfo) -> int:
    from gateway.model.moment import SECOND

    return round(given.replace(tzinfo=zone).timestamp()) * SECOND


@contextmanager
def _bar() -> Iterator[Callable[[float], None]]:
    """A bar on a terminal's stderr; hears how much is done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task: Any = progress.add_task("replay", total=1.0, visible=sys.stderr.isatty())
        yield lambda done: progress.update(task, completed=done)


def _print(result: ReplayResult, seconds: float) -> None:
    print(f"{result.from_} to {result.to}: {result.readings:,} readings in {seconds} s")
    if not result.rules:
        print("no rule differs from those in force")
    for one in result.rules:
        delayed = f", {one.delayed} later by up to {one.longest_delay_s:g} s" * bool(one.delayed)
        print(
            f"{one.rule}: {one.before} raised, {one.after} would have been"
            f" ({one.removed} removed, {one.removed_with_order} of them had an order;"
            f" {one.new} new{delayed})"
        )
        for was in one.removed_alarms:
            if was.order is not None:
                print(f"  order {was.order.number}: {was.raised_at[:19]} {was.equipment}")
