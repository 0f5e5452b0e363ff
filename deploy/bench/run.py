"""``make bench``: every part, one table; ``--json`` for machines.

python -m deploy.bench.run [--only poll gateway lines rules history replay] [--seconds 20] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from deploy.bench import (
    change,
    conditions,
    flood,
    history,
    influx,
    lines,
    pages,
    polling,
    replay,
)
from deploy.bench.figures import Figure, WrongError, table

_HISTORY_ROWS = 4_000_000
_INFLUX_ROWS = 1_000_000
_POINTS = 1000
_REPLAY_DAYS = 30


def of_history(folder: Path) -> list[Figure]:
    """The embedded history by its own bench, with Debian's InfluxDB on the same kind of data."""
    shown: list[tuple[str, str, str, str]] = []

    def keep(what: str, ours: str, plain: str = "", ratio: str = "") -> None:
        shown.append((what, ours, plain, ratio))

    history.show = keep
    history.writing(folder, _HISTORY_ROWS, _POINTS)
    history.charts(folder)
    history.newest(folder, 10_000)
    found = [
        Figure(
            part="history",
            what=what.strip(),
            unit="",
            ours=_number(ours),
            plain=_number(plain) if plain else None,
            plain_way="a row a reading" if plain else "",
            more_is_better="rows/s" in what,
            checked="see tests/contract/test_history.py",
        )
        for what, ours, plain, _ in shown
    ]
    if influx.server() is None:
        print("  influxd is not installed: nothing beside the history", file=sys.stderr)
        return found
    told = influx.measure(history.worlds(_INFLUX_ROWS, _POINTS, 1))
    return found + [
        Figure(
            part="InfluxDB 1.x",
            what=what,
            unit=unit,
            ours=told[key],
            more_is_better=key == "rows",
            checked=f"{_INFLUX_ROWS:,} rows counted by itself",
        )
        for key, what, unit in (
            ("rows", "written, in requests of 5,000 lines", "rows/s"),
            ("chart_ms", "30 days at 1 s of a point in 500 parts", "ms"),
            ("latest_ms", f"latest of {_POINTS:,} points", "ms"),
        )
    ]


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    every = ["poll", "gateway", "lines", "rules", "history", "flood", "change", "pages", "replay"]
    parser.add_argument("--only", nargs="+", default=every)
    parser.add_argument("--seconds", type=float, default=20, help="how long a load is held")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile", type=Path, help="where to write what the gateway does")
    given = parser.parse_args()
    figures: list[Figure] = []
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="dutyroom-bench-") as name:
        folder = Path(name)
        parts: dict[str, Callable[[], Sequence[Figure]]] = {
            "poll": lambda: polling.tags(folder, given.seconds, given.profile),
            "gateway": lambda: polling.memory(folder, given.seconds),
            "lines": lambda: lines.building(folder),
            "rules": conditions.evaluations,
            "history": lambda: of_history(folder),
            "flood": lambda: flood.flood(folder),
            "change": lambda: change.change(folder / "change"),
            "pages": lambda: pages.pages(folder / "pages"),
            "replay": lambda: replay.measure(folder, _REPLAY_DAYS, _POINTS),
        }
        for part in given.only:
            print(f"{part} …", file=sys.stderr, flush=True)
            try:
                figures += parts[part]()
            except WrongError as error:
                wrong += 1
                print(f"  no figure: {error}", file=sys.stderr, flush=True)
    where = {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }
    if given.json:
        rows = [{**asdict(one), "ratio": one.ratio} for one in figures]
        print(json.dumps({"machine": where, "figures": rows}, ensure_ascii=False, indent=1))
    else:
        print(table(figures))
        print(f"{where['cores']} cores, load {where['load']} at the end, Python {where['python']}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
