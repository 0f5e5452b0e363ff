"""Debian's InfluxDB 1.x with the history's own data, by its bare HTTP interface: what is left of
it beside the embedded history. Not its bytes: it keeps a log of them until it has been idle for ten
minutes.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import httpx2
import numpy as np
from numpy.typing import NDArray

from deploy.bench.figures import WrongError

_SUPPORT = Path(__file__).parents[2] / "tests" / "support"
_LINES = 5000
"""Lines a request, as InfluxDB's own documentation advises."""
_START = 1_795_233_600


def server() -> str | None:
    """The program, where it is installed."""
    return shutil.which("influxd", path="/usr/bin:/usr/sbin:/usr/local/bin")


def measure(values: NDArray[np.float64], month: int = 30) -> dict[str, float]:
    """Of ``values`` (seconds × points): rows a second written, ms of one
    point's ``month`` days at 1 s in 500 buckets, ms of the latest of all points."""
    sys.path.insert(0, str(_SUPPORT))
    from influx import PASSWORD, USER, running_influx

    program = server()
    if program is None:
        raise WrongError("influxd is not installed")
    with running_influx(program) as running:
        client = httpx2.Client(
            base_url=f"http://127.0.0.1:{running.port}",
            auth=(USER, PASSWORD),
            timeout=120,
            trust_env=False,
        )
        client.post("/query", params={"q": "CREATE DATABASE bench"})
        spent = _write(client, _process(values))
        kept = _ask(client, "SELECT count(value) FROM process")[0][1]
        if kept != values.size:
            raise WrongError(f"InfluxDB has {kept} of {values.size} rows")
        latest = _timed(lambda: _ask(client, "SELECT last(value) FROM process GROUP BY point"))
        _write(client, _month(month))
        end = _START + month * 86_400
        per = month * 86_400 // 500
        chart = _timed(
            lambda: _ask(
                client,
                "SELECT mean(value), min(value), max(value) FROM month "  # noqa: S608  # own numbers
                f"WHERE time >= {_START}s AND time < {end}s GROUP BY time({per}s)",
            )
        )
    return {
        "rows": values.size / spent,
        "latest_ms": latest,
        "chart_ms": chart,
    }


def _process(values: NDArray[np.float64]) -> Iterator[str]:
    for row, said in enumerate(values.tolist()):
        at = _START + row
        for point, value in enumerate(said):
            yield f"process,point=p{point} value={value} {at}"


def _month(days: int) -> Iterator[str]:
    rng = np.random.default_rng(2)
    for row, step in enumerate(np.round(np.cumsum(rng.normal(0, 0.05, days * 86_400)), 2)):
        yield f"month value={step} {_START + row}"


def _write(client: httpx2.Client, lines: Iterator[str]) -> float:
    """Seconds that InfluxDB took; the making of the lines is left out."""
    spent = 0.0
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == _LINES:
            spent += _post(client, batch)
            batch = []
    return spent + (_post(client, batch) if batch else 0.0)


def _post(client: httpx2.Client, lines: list[str]) -> float:
    body = "\n".join(lines).encode()
    begun = perf_counter()
    answer = client.post("/write", params={"db": "bench", "precision": "s"}, content=body)
    if answer.status_code != httpx2.codes.NO_CONTENT:
        raise WrongError(answer.text)
    return perf_counter() - begun


def _ask(client: httpx2.Client, statement: str) -> Any:
    answer = client.post("/query", params={"db": "bench", "q": statement}).json()
    return answer["results"][0]["series"][0]["values"]


def _timed(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(5):
        begun = perf_counter()
        work()
        spent.append(perf_counter() - begun)
    return 1000 * median(spent)
