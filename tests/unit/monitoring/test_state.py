"""State gauges read from a real store and bus."""

import os
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from core.errors import Unavailable
from core.store import open_store, prepare_store
from monitoring.catalogue import STATE
from monitoring.state import StateGauges
from router.bus import open_bus


def read(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_gauge_is_in_the_catalogue_and_reads_what_is_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/hub.db"
    prepare_store(url)
    store = open_store(url, master=os.urandom(32))
    bus = open_bus("embedded", tmp_path / "bus.db")
    bus.declare()
    store.alerts.raise_once("silent", "a", {})
    store.subscriptions.progress("city")
    store.jobs.ran("expiry")
    store.leases.acquire("scheduler", "me", 60)
    store.journal.sequence(1)
    found = read(StateGauges(store, bus, "1.2.3").exposition())
    names = {name for name, *_ in found}
    assert names <= {f"hub_{metric.name}" for metric in STATE}
    assert found["hub_receipt_warnings_active", "silent", "a"] == 1
    assert found["hub_journal_size",] == 1
    assert found["hub_exchange_backlog_records", "city"] == 1
    assert found["hub_scheduler_leader",] == 1
    assert found["hub_queue_messages", "records", "ready"] == 0
    assert found["hub_build_info", "1.2.3"] == 1
    assert "hub_job_last_success_timestamp_seconds" in names
    store.close()
    bus.close()


def test_a_source_out_of_reach_leaves_the_other_gauges_standing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/hub.db"
    prepare_store(url)
    store = open_store(url, master=os.urandom(32))

    class Away:
        def depth(self, _channel: object) -> None:
            raise Unavailable("the broker is away")

    found = read(StateGauges(store, Away(), "1").exposition())  # type: ignore[arg-type]  # only depth is asked for
    assert ("hub_journal_size",) in found
    assert not any(name.startswith("hub_queue") for name, *_ in found)
    store.close()
