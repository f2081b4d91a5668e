"""Every metric the hub exports: name, kind, labels, meaning. Conventions: Prometheus naming practices, prefix ``hub_``."""

from typing import Literal

import msgspec

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets of a stage, in seconds."""
SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Buckets from receipt to stored, in seconds."""


class Metric(msgspec.Struct, frozen=True):
    """One metric without its prefix."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


CATALOGUE = (
    Metric(
        "received_records_total", "counter", ("adapter", "protocol"), "Records received, before any check."
    ),
    Metric("received_bytes_total", "counter", ("adapter", "protocol"), "Bytes received."),
    Metric(
        "records_total", "counter", ("adapter", "stage", "outcome"), "Records that ended a stage, by outcome."
    ),
    Metric("errors_total", "counter", ("adapter", "stage", "error_type"), "Errors by stage and type."),
    Metric(
        "discarded_records_total", "counter", ("adapter", "stage", "intentional"), "Records dropped for good."
    ),
    Metric("stage_duration_seconds", "histogram", ("stage",), "Time a batch spends in a stage.", FAST),
    Metric("end_to_end_duration_seconds", "histogram", ("adapter",), "From intake stamp to stored.", SLOW),
    Metric(
        "publish_confirms_total",
        "counter",
        ("outcome",),
        "Publishes by answer: ack, nack, timeout, returned.",
    ),
    Metric("publish_duration_seconds", "histogram", (), "Time from publish to confirm.", FAST),
    Metric("broker_connection_blocked", "gauge", ("role",), "1 while the broker refuses publishes."),
    Metric("broker_reconnects_total", "counter", ("role",), "Connections made anew."),
    Metric("dead_letters_total", "counter", ("stage", "reason"), "Messages parked."),
    Metric("redeliveries_total", "counter", ("stage",), "Deliveries that had been handed out before."),
    Metric("journal_entries_total", "counter", (), "Entries the sequencer has numbered."),
    Metric("exchange_requests_total", "counter", ("peer", "outcome"), "Deliveries to subscribers and peers."),
    Metric("scheduler_runs_total", "counter", ("job", "outcome"), "Job runs: ok, failed, missed, skipped."),
    Metric(
        "auth_failures_total", "counter", ("protocol", "reason"), "Requests whose credential was refused."
    ),
    Metric(
        "replays_refused_total", "counter", ("protocol",), "Requests refused because their nonce was seen."
    ),
    Metric("packages_total", "counter", ("form", "outcome"), "Packages by outcome."),
    Metric("signatures_total", "counter", ("algorithm", "outcome"), "Signatures asked of a signer."),
    Metric(
        "drop_submissions_total",
        "counter",
        ("adapter", "outcome"),
        "Dropped files: read, refused, duplicate.",
    ),
    Metric("drop_files", "gauge", ("adapter", "state"), "Files in a drop folder: listed, waiting, odd."),
    Metric(
        "source_layer_status",
        "gauge",
        ("adapter", "layer", "status"),
        "1 for the present verdict on a source.",
    ),
)
"""Metrics counted inside a process."""

STATE = (
    Metric("build_info", "gauge", ("version",), "Always 1."),
    Metric(
        "queue_messages",
        "gauge",
        ("queue", "state"),
        "Messages per channel: ready, in_hand, delayed, parked.",
    ),
    Metric("outbox_pending_messages", "gauge", (), "Journal entries that wait for their number."),
    Metric("quarantined_records", "gauge", ("adapter",), "Open quarantine cases."),
    Metric("packages", "gauge", ("state",), "Packages by state."),
    Metric("seal_pending_packages", "gauge", (), "Packages accepted but not yet sealed."),
    Metric(
        "seal_oldest_pending_timestamp_seconds",
        "gauge",
        (),
        "When the oldest unsealed package was asked for.",
    ),
    Metric(
        "last_record_timestamp_seconds",
        "gauge",
        ("adapter",),
        "When an interface's last record was accepted.",
    ),
    Metric("receipt_warnings_active", "gauge", ("kind", "adapter"), "Open upload alerts (1 each)."),
    Metric(
        "exchange_last_sequence",
        "gauge",
        ("peer", "direction"),
        "Journal number a subscriber has acknowledged.",
    ),
    Metric(
        "exchange_backlog_records", "gauge", ("peer",), "Journal entries a subscriber has not acknowledged."
    ),
    Metric("scheduler_leader", "gauge", (), "1 while somebody holds the scheduler's lease."),
    Metric("job_last_success_timestamp_seconds", "gauge", ("job_name",), "When a job last succeeded."),
    Metric("journal_size", "gauge", (), "Entries in the journal."),
    Metric(
        "reconciliation_difference_records", "gauge", (), "Receipts given that the ledger does not have yet."
    ),
)
"""Gauges read from store and bus when they are scraped."""
