"""What the gateway tells about itself, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

polls = Counter("dutyroom_polls", "Polls of a unit, by link.", ["link"])
poll_failures = Counter(
    "dutyroom_poll_failures", "Polls that brought no value, by link and reason.", ["link", "reason"]
)
poll_seconds = Histogram(
    "dutyroom_poll_seconds",
    "Time that one round over the due units of a link took.",
    ["link"],
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
)
link_up = Gauge("dutyroom_link_up", "1 if the link brings values, else 0.", ["link"])
readings = Counter("dutyroom_readings", "Readings taken into the spool, by link.", ["link"])
readings_refused = Counter(
    "dutyroom_readings_refused", "Readings dropped because spool and memory were full."
)
loop_failures = Counter(
    "dutyroom_gateway_failures", "Unexpected errors in a part of the gateway.", ["part"]
)
mqtt_messages = Counter("dutyroom_mqtt_messages", "Messages heard from devices.")
mqtt_repeats = Counter("dutyroom_mqtt_repeats", "Messages that a broker delivered once more.")
mqtt_quarantined = Gauge(
    "dutyroom_mqtt_quarantined", "Messages of devices that could not be read, since start."
)
spool_records = Gauge("dutyroom_spool_head", "Number of the newest synced record.")
spool_bytes = Gauge("dutyroom_spool_bytes", "Size of the spool on disk.")
spool_backlog = Gauge(
    "dutyroom_spool_backlog_records", "Records that a consumer has not released.", ["consumer"]
)
spool_torn = Gauge("dutyroom_spool_torn_records", "Records found damaged or cut off, since start.")
spool_shed = Gauge("dutyroom_spool_shed_records", "Records deleted unread, since start.")
spool_used = Gauge("dutyroom_spool_used", "Share of the spool's capacity that is taken, 0 to 1.")
spool_waiting = Gauge("dutyroom_spool_waiting_bytes", "What waits in memory for the disk.")
spool_dropped = Gauge(
    "dutyroom_spool_dropped_records",
    "Records that went from memory before the disk took them, since start.",
)
spool_fails = Gauge("dutyroom_spool_fails", "1 while the disk does not take the spool, else 0.")
spool_sync_seconds = Histogram(
    "dutyroom_spool_sync_seconds",
    "Time that making a batch durable took.",
    buckets=(0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3),
)
spool_sync_failures = Counter(
    "dutyroom_spool_sync_failures", "Times that the disk did not take a batch."
)
history_seconds = Histogram(
    "dutyroom_history_write_seconds",
    "Time that one transaction of the history took.",
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
history_failures = Counter("dutyroom_history_failures", "Transactions that were not possible.")
history_parked = Counter(
    "dutyroom_history_parked", "Readings that the history server refused for good, kept aside."
)
history_too_old = Counter(
    "dutyroom_history_too_old", "Batches with readings older than the history server keeps."
)
history_behind = Gauge(
    "dutyroom_history_backlog_seconds", "Age of the oldest record that the history lacks."
)
bus_dropped = Counter(
    "dutyroom_bus_dropped",
    "Messages not sent because the broker was away; the stream makes up for them.",
)
