"""Gauges of state, read from store and bus at the moment of a scrape (nothing is cached that could go stale)."""

import logging
from collections.abc import Callable, Iterable, Sequence

from contracts.identity import uuid7_ms
from core.errors import HubError
from core.ports.bus import Bus, Channel
from core.store import Store
from monitoring.catalogue import STATE

log = logging.getLogger(__name__)

Sample = tuple[str, dict[str, str], float]
"""Metric name without prefix, labels, value."""

SEQUENCER_LEASE = "sequencer"
SCHEDULER_LEASE = "scheduler"

_HELP = {metric.name: metric.help for metric in STATE}


class StateGauges:
    """Reads every state gauge; a source that is out of reach leaves its gauges out and the rest stand."""

    def __init__(self, store: Store, bus: Bus, version: str) -> None:
        self._store = store
        self._bus = bus
        self._version = version

    def exposition(self) -> str:
        """All state gauges in the text format."""
        samples: list[Sample] = [("build_info", {"version": self._version}, 1.0)]
        for source in (self._queues, self._journal, self._packages, self._intake, self._coordination):
            samples += _tolerant(source)
        return _rendered(samples)

    def _queues(self) -> Iterable[Sample]:
        for channel in Channel:
            depth = self._bus.depth(channel)
            for state in ("ready", "in_hand", "delayed", "parked"):
                yield "queue_messages", {"queue": channel.value, "state": state}, getattr(depth, state)

    def _journal(self) -> Iterable[Sample]:
        size = self._store.journal.head().size
        yield "journal_size", {}, size
        yield "outbox_pending_messages", {}, self._store.journal.pending()
        for feed in self._store.subscriptions.all():
            yield "exchange_last_sequence", {"peer": feed.name, "direction": "out"}, feed.delivered
            yield "exchange_backlog_records", {"peer": feed.name}, size - 1 - feed.delivered

    def _packages(self) -> Iterable[Sample]:
        states = self._store.packages.states()
        for state in ("pending", "claimed", "packaged", "superseded", "needs-glyph", "failed"):
            yield "packages", {"state": state}, states.get(state, 0)
        yield "seal_pending_packages", {}, states.get("pending", 0) + states.get("claimed", 0)
        oldest_ms = self._store.packages.oldest_pending_ms()
        if oldest_ms is not None:
            yield "seal_oldest_pending_timestamp_seconds", {}, oldest_ms / 1000

    def _intake(self) -> Iterable[Sample]:
        for interface, open_cases in self._store.quarantine.open_counts().items():
            yield "quarantined_records", {"adapter": interface}, open_cases
        for entry in self._store.registry.list("interface"):
            last = self._store.ledger.last_receipt(entry.name)
            if last is not None:
                yield "last_record_timestamp_seconds", {"adapter": entry.name}, uuid7_ms(last) / 1000
        for alert in self._store.alerts.open():
            yield "receipt_warnings_active", {"kind": alert.kind, "adapter": alert.interface}, 1
        yield "reconciliation_difference_records", {}, self._store.manifests.missing()

    def _coordination(self) -> Iterable[Sample]:
        yield "scheduler_leader", {}, float(self._store.leases.holder(SCHEDULER_LEASE) is not None)
        for run in self._store.jobs.all():
            if run.last_succeeded_ms is not None:
                yield (
                    "job_last_success_timestamp_seconds",
                    {"job_name": run.job},
                    run.last_succeeded_ms / 1000,
                )


def _tolerant(source: Callable[[], Iterable[Sample]]) -> list[Sample]:
    try:
        return list(source())
    except HubError as error:
        log.warning("state gauges left out: %s", error)
        return []


def _rendered(samples: Sequence[Sample]) -> str:
    lines: list[str] = []
    for name in dict.fromkeys(name for name, _, _ in samples):
        lines += [f"# HELP hub_{name} {_HELP[name]}", f"# TYPE hub_{name} gauge"]
        lines += [
            f"hub_{name}{_labels(labels)} {value!r}" for found, labels, value in samples if found == name
        ]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    inner = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return "{" + inner + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
