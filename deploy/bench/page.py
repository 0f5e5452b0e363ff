"""One page in a real browser: how soon it is of use, how soon a reading is seen, what it takes of
the processor, and whether it grows over a shift of eight hours.

The shift is accelerated: Playwright turns the page's own clock, ``page.js`` says what happens in
each of its seconds, and everything that the page asks for is answered by the real server. It is no
shift of readings only: alarms come up, are acknowledged and close, each with an order; whatever
else changes is told of; every half hour the line breaks and everything is sent anew. The heap is
measured behind a garbage collection, and always at the same place in that course: what the page
holds on to and, apart from that, what the browser makes of its code. Whoever opens a page once an
hour has the browser still compiling it after eight, and that would hide what grows for ever.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from deploy.bench.figures import Figure, WrongError

HOURS = 8
_CHROMIUM = "/usr/bin/chromium"
_SCRIPT = Path(__file__).with_name("page.js")
_COLD = 5
"""Times that a page is opened in a browser that has never seen it."""
_LISTEN_S = 20.0
_LATE_S = 60.0
_TURN = 60
"""s of the page's clock that are turned at once."""
_LOOK = 1800
"""s of it between two looks at the heap."""
_SETTLED = 3600
"""s of it after which everything has been drawn once; the slope is taken from there."""
_VERDICT = "[data-test=verdict]:not(.lost)"
_GROWN_KB = "100"
"""kB an hour: 10 MB over four days, a fraction of what a browser takes by itself."""
_CODE = ("code", "object shape", "hidden")
"""Sorts of a heap snapshot: what the browser makes by itself of the page's code."""
_NOT_IN_THE_HEAP = ("native", "synthetic")
"""The document is counted in nodes; of the rest here, most is what the browser keeps for us."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A page; ``of_use``: what has to be drawn, as selectors."""

    name: str
    path: str
    of_use: tuple[str, ...]
    cold: str = ""
    """s within which it is to be of use."""


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who looks at the product."""

    base: str
    cookies: Mapping[str, str]


def kinds(equipment: str) -> tuple[Kind, ...]:
    """The pages that are always open somewhere."""
    return (
        Kind(name="the wall", path="/wall", of_use=(_VERDICT, ".tile"), cold="2"),
        Kind(name="the overview", path="/", of_use=(_VERDICT, ".tile"), cold="2"),
        Kind(
            name="an equipment page",
            path=f"/equipment/{equipment}",
            of_use=("[data-test=point-row][data-quality=good]",),
            cold="2",
        ),
    )


def measure(
    visitor: Visitor, equipment: str, templates: Mapping[str, Any], points: int
) -> Iterator[list[Figure]]:
    """Part after part; ``templates``: an ``alarm`` and an ``order`` as the API tells of them."""
    with _browser() as browser:
        for kind in kinds(equipment):
            yield _opened(browser, visitor, kind)
            yield _drawn(browser, visitor, kind, points)
        wall, desk, _ = kinds(equipment)
        yield _shift(browser, visitor, wall, templates, lambda page, hour: None)
        yield _shift(browser, visitor, desk, templates, partial(_walk, equipment))


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _page(browser: Browser, visitor: Visitor, *, clock: bool = False) -> Iterator[Page]:
    """A page in a browser that keeps nothing; ``clock``: it is turned by hand."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    try:
        context.add_cookies(
            [
                {"name": name, "value": value, "url": visitor.base}
                for name, value in visitor.cookies.items()
            ]
        )
        page = context.new_page()
        if clock:
            page.clock.install()
        page.add_init_script(path=_SCRIPT)
        yield page
    finally:
        context.close()


def _until(what: str, look: Callable[[], Any], seconds: float = _LATE_S) -> Any:
    """The first true answer; the page's own clock may stand still, so this one counts."""
    ends = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > ends:
            raise WrongError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)
    return found


def _of_use(page: Page, visitor: Visitor, kind: Kind) -> float:
    """s from the start of the navigation until ``kind`` was drawn."""
    page.add_init_script(f"window.bench.wanted = {list(kind.of_use)!r}")
    page.goto(visitor.base + kind.path, wait_until="commit")
    ms: float = _until(f"{kind.name} is of use", lambda: page.evaluate("window.bench.usable"))
    return ms / 1000


# --- how soon it is of use ---


def _opened(browser: Browser, visitor: Visitor, kind: Kind) -> list[Figure]:
    took, sizes, asked = [], [], []
    for _ in range(_COLD):
        with _page(browser, visitor) as page:
            took.append(_of_use(page, visitor, kind))
            loaded = page.evaluate(
                "performance.getEntriesByType('resource').filter((one) =>"
                " one.responseEnd <= window.bench.usable)"
                ".map((one) => [new URL(one.name).pathname, one.transferSize])"
            )
            sizes.append(sum(size for path, size in loaded if not path.startswith("/api/")))
            asked.append(sum(path.startswith("/api/") for path, _ in loaded))
    figure = partial(
        _figure,
        checked=f"{_COLD} times with nothing kept; until all of {', '.join(kind.of_use)} is drawn, "
        f"{max(sizes) / 1000:.0f} kB of files, {max(asked)} answers",
    )
    return [
        figure(f"{kind.name} opened cold, of use after", "s", float(np.median(took)), kind.cold),
        figure(f"{kind.name} opened cold, the slowest of {_COLD}", "s", max(took)),
    ]


# --- how soon a reading is seen, and what that takes ---


def _drawn(browser: Browser, visitor: Visitor, kind: Kind, points: int) -> list[Figure]:
    with _page(browser, visitor) as page:
        _of_use(page, visitor, kind)
        # Whatever is fetched later has been.
        page.wait_for_timeout(5000)
        console = _console(page)
        page.evaluate("window.bench.rounds.length = 0")
        before = _used(console)
        page.wait_for_timeout(_LISTEN_S * 1000)
        used = [now - then for now, then in zip(_used(console), before, strict=True)]
        rounds = np.array(page.evaluate("window.bench.rounds"))
        heard = page.evaluate("window.bench.points")
    if len(rounds) < _LISTEN_S / 2 or heard != points:
        raise WrongError(f"{kind.name}: {len(rounds)} rounds in {_LISTEN_S:g} s, {heard} points")
    checked = f"{len(rounds)} rounds of {heard:,} readings, each another value"
    figure = partial(_figure, checked=checked)
    return [
        *(
            figure(f"{kind.name}: readings made by the server → pixels, {word}", "ms", value, to)
            for word, value, to in zip(
                ("median", "p95", "p99", "slowest"),
                np.percentile(rounds[:, 0], (50, 95, 99, 100)),
                ("", "200", "", ""),
                strict=True,
            )
        ),
        figure(
            f"{kind.name}: heard by the page → pixels, p95", "ms", np.percentile(rounds[:, 1], 95)
        ),
        figure(f"{kind.name}: its main thread", "% of a core", 100 * used[0] / _LISTEN_S),
        figure(f"{kind.name}: all of Chromium", "% of a core", 100 * used[1] / _LISTEN_S),
    ]


def _console(page: Page) -> CDPSession:
    console = page.context.new_cdp_session(page)
    console.send("Performance.enable", {"timeDomain": "threadTicks"})
    return console


def _used(console: CDPSession) -> tuple[float, float]:
    """s of processor: of the page's main thread, and of all that is Chromium here."""
    told = {one["name"]: one["value"] for one in console.send("Performance.getMetrics")["metrics"]}
    family = psutil.Process().children(recursive=True)
    total = 0.0
    for process in family:
        try:
            if "chrom" in process.name():
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.Error:
            continue
    return told["TaskDuration"], total


# --- whether it grows ---


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is held on to at ``second`` of the shift; bytes."""

    second: int
    data: float
    code: float
    nodes: float


def _walk(equipment: str, page: Page, minute: int) -> None:
    """Somebody at a desk: every ten minutes another page, at the end of an hour the first again."""
    places = ["/equipment", f"/equipment/{equipment}", "/alarms", "/orders", "/rounds", "/"]
    if minute % 10 == 0:
        place = places[minute // 10 % len(places) - 1]
        page.locator(f'a[href="{place}"]').first.evaluate("(link) => link.click()")


def _shift(
    browser: Browser,
    visitor: Visitor,
    kind: Kind,
    templates: Mapping[str, Any],
    act: Callable[[Page, int], None],
) -> list[Figure]:
    """``act`` is called with the minute of the shift."""
    seen: list[Look] = []
    with _page(browser, visitor, clock=True) as page:
        page.set_default_timeout(_LATE_S * 1000)
        page.goto(visitor.base + kind.path)
        # Where the page is built anew beside us, a wall would begin anew, and so would the shift.
        page.route(f"{visitor.base}/", lambda route: route.abort())
        _until("the first page", lambda: page.locator(_VERDICT).count())
        console = page.context.new_cdp_session(page)
        page.evaluate("(templates) => window.bench.begin(templates)", dict(templates))
        for second in range(_TURN, HOURS * 3600 + 1, _TURN):
            _until(f"{kind.name}: second {second}", partial(_turn, page, second))
            act(page, second // 60)
            if second % _LOOK == 0:
                seen.append(_kept(console, second))
                _say(kind, seen[-1])
    return _grown(kind, seen)


def _turn(page: Page, until: int) -> bool:
    """Whether the shift has come to ``until``; a page that waits for its stream takes longer."""
    passed: int = page.evaluate("window.bench.second")
    if passed < until:
        page.clock.run_for(min(until - passed, _TURN) * 1000)
    return passed >= until


def _say(kind: Kind, look: Look) -> None:
    words = f"{look.data / 1e6:.2f} MB of data, {look.code / 1e6:.2f} MB of code"
    place = f"{kind.name}, hour {look.second / 3600:g}"
    print(f"  {place}: {words}, {look.nodes:,.0f} nodes", file=sys.stderr, flush=True)


def _kept(console: CDPSession, second: int) -> Look:
    """What is still held on to."""
    time.sleep(0.5)  # what it has just asked for is answered, and drawn
    for _ in range(3):
        console.send("HeapProfiler.collectGarbage")
    nodes: float = console.send("Memory.getDOMCounters")["nodes"]
    sizes = _sizes(console)
    code = sum(sizes.pop(sort, 0.0) for sort in _CODE)
    data = sum(size for sort, size in sizes.items() if sort not in _NOT_IN_THE_HEAP)
    return Look(second=second, data=data, code=code, nodes=nodes)


def _sizes(console: CDPSession) -> dict[str, float]:
    """Bytes of the heap by the sort of thing that takes them, as V8 names the sorts."""
    pieces: list[str] = []

    def take(event: Mapping[str, str]) -> None:
        pieces.append(event["chunk"])

    console.on("HeapProfiler.addHeapSnapshotChunk", take)
    console.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    console.remove_listener("HeapProfiler.addHeapSnapshotChunk", take)
    told = json.loads("".join(pieces))
    meta = told["snapshot"]["meta"]
    fields = meta["node_fields"]
    things = np.array(told["nodes"]).reshape(-1, len(fields))
    sorts: list[str] = meta["node_types"][fields.index("type")]
    size = np.bincount(
        things[:, fields.index("type")],
        weights=things[:, fields.index("self_size")],
        minlength=len(sorts),
    )
    return dict(zip(sorts, size.tolist(), strict=True))


def _grown(kind: Kind, seen: Sequence[Look]) -> list[Figure]:
    late = [look for look in seen if look.second >= _SETTLED]
    figure = partial(
        _figure,
        checked=f"{len(seen)} looks in {HOURS} h of {_alarms()} alarms with their orders, "
        f"{HOURS * 2} broken lines, a round of readings every 5 s",
    )
    return [
        figure(
            f"{kind.name}: what it holds over {HOURS} h, slope",
            "kB/h",
            _slope(late, lambda look: look.data / 1000),
            _GROWN_KB,
        ),
        figure(f"{kind.name}: what it holds after the first hour", "MB", late[0].data / 1e6),
        figure(f"{kind.name}: what it holds at the end", "MB", late[-1].data / 1e6),
        figure(
            f"{kind.name}: the browser's compiled code, slope",
            "kB/h",
            _slope(late, lambda look: look.code / 1000),
        ),
        figure(f"{kind.name}: the browser's compiled code at the end", "MB", late[-1].code / 1e6),
        figure(
            f"{kind.name}: nodes of the document, slope",
            "an hour",
            _slope(late, lambda look: look.nodes),
        ),
    ]


def _slope(looks: Sequence[Look], of: Callable[[Look], float]) -> float:
    """An hour."""
    hours = [look.second / 3600 for look in looks]
    return float(np.polyfit(hours, [of(look) for look in looks], 1)[0])


def _alarms() -> int:
    return HOURS * 3600 // 300


def _figure(what: str, unit: str, ours: float, target: str = "", *, checked: str) -> Figure:
    return Figure(
        part="page",
        what=what,
        unit=unit,
        ours=float(ours),
        target=target,
        more_is_better=False,
        checked=checked,
    )
