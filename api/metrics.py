"""What the API counts about itself, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "dutyroom_http_requests_total",
    "Answered requests by operation and status; streams count when they end.",
    ("method", "operation", "status"),
)
DURATION = Histogram(
    "dutyroom_http_request_seconds",
    "Time to answer, streams left out.",
    ("operation",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
STREAMS = Gauge("dutyroom_streams", "Live streams that are open.")
STREAMS_CUT = Counter("dutyroom_streams_cut_total", "Live streams cut by reason.", ("reason",))
LIVE_FAILURES = Counter(
    "dutyroom_live_failures_total", "Times that the ledger could not be asked for changes."
)
STALLS = Counter("dutyroom_loop_stalls_total", "Times that the event loop was held up for long.")
