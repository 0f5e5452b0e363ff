"""What the rules tell about themselves, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

records = Counter("dutyroom_rules_records", "Records of the gateway that were evaluated.")
changes = Counter("dutyroom_rules_changes", "Alarms that began or ended.", ["turn"])
commits = Histogram(
    "dutyroom_rules_commit_seconds",
    "Time that one ledger transaction took.",
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
commit_failures = Counter(
    "dutyroom_rules_commit_failures", "Ledger transactions that were not possible."
)
set_aside = Counter(
    "dutyroom_rules_set_aside", "Things that the ledger can never take; the log names each."
)
housekeeping_failures = Counter(
    "dutyroom_rules_housekeeping_failures",
    "Times that rounds, plans, shifts or the register failed in a way that nobody foresaw.",
    ["book"],
)
provisional = Gauge("dutyroom_rules_provisional_alarms", "Alarms that are up and no rows yet.")
lag = Gauge(
    "dutyroom_rules_lag_seconds", "Age of the newest evaluated record when it was evaluated."
)
lost = Gauge("dutyroom_rules_lost_records", "Records that the gateway no longer had.")
notices = Counter(
    "dutyroom_notices",
    "Attempts to send a message, by channel and how they ended.",
    ["channel", "outcome"],
)
notices_waiting = Gauge(
    "dutyroom_notices_waiting", "Messages that a channel has not sent, held ones too.", ["channel"]
)
notices_failing = Gauge(
    "dutyroom_notices_failing_seconds",
    "For how long no message has gone by a channel although it was tried; 0: the last one went.",
    ["channel"],
)
leads = Gauge("dutyroom_rules_leads", "1 if this worker leads its site, 0 if it stands by.")
