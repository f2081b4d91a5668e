"""Metrics: the catalogue, the union over processes, the silence alert."""

from pathlib import Path
from typing import cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts.interface import Expectation, Interface
from core.store.alerts import AlertStore
from monitoring.catalogue import CATALOGUE, STATE
from monitoring.metrics import PrometheusObserver, Snapshot, union
from monitoring.upload_alerts import SilenceWatch


def test_names_follow_the_conventions() -> None:
    for metric in (*CATALOGUE, *STATE):
        assert metric.name.islower()
        assert metric.help.endswith(".")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert not {"receipt", "licence", "holder", "file"} & set(metric.labels)


def test_an_unknown_metric_is_a_defect() -> None:
    with pytest.raises(KeyError):
        PrometheusObserver().count("made_up_total")


def test_the_union_keeps_every_process_apart_and_parses(tmp_path: Path) -> None:
    for process, n in (("worker-1", 3), ("worker-2", 4)):
        observer = PrometheusObserver()
        observer.count("records_total", n, adapter="a", stage="store", outcome="new")
        observer.observe("stage_duration_seconds", 0.02, 2, stage="store")
        Snapshot(observer, tmp_path, process).write()
    families = {family.name: family for family in text_string_to_metric_families(union(tmp_path))}
    records = {
        sample.labels["process"]: sample.value
        for sample in families["hub_records"].samples
        if sample.name.endswith("_total")
    }
    assert records == {"worker-1": 3, "worker-2": 4}
    counts = [s.value for s in families["hub_stage_duration_seconds"].samples if s.name.endswith("_count")]
    assert counts == [2, 2]


def test_no_process_no_metrics(tmp_path: Path) -> None:
    assert union(tmp_path) == ""


class Alerts:
    """Open alerts as the store keeps them."""

    def __init__(self) -> None:
        self.opened: set[tuple[str, str]] = set()

    def raise_once(self, kind: str, interface: str, detail: dict[str, object]) -> bool:
        fresh = (kind, interface) not in self.opened
        self.opened.add((kind, interface))
        return fresh

    def close(self, kind: str, interface: str) -> bool:
        known = (kind, interface) in self.opened
        self.opened.discard((kind, interface))
        return known

    def open(self) -> list[object]:
        return [type("Open", (), {"kind": kind, "interface": name}) for kind, name in self.opened]


class Department:
    """One interface that expects a record a minute, and the clock."""

    def __init__(self, interval_s: float = 60) -> None:
        self.now_s = 10_000.0
        self.last_ms: int | None = None
        self.interval_s = interval_s
        self.enabled = True
        self.alerts = Alerts()
        alerts = cast(AlertStore, self.alerts)
        self.watch = SilenceWatch(
            self.interfaces, lambda _name: self.last_ms, alerts, clock=lambda: self.now_s
        )

    def interfaces(self) -> dict[str, tuple[Interface, int]]:
        declared = Interface(
            name="a", department="d", licence_type="t", expects=Expectation(interval_s=self.interval_s)
        )
        return {"a": (declared, 9_990_000)} if self.enabled else {}


def test_silence_past_the_expected_interval_raises_an_alert_that_closes_itself() -> None:
    department = Department()
    department.watch.check()
    assert not department.alerts.opened
    department.now_s += 61
    department.watch.check()
    assert department.alerts.opened == {("silent", "a")}
    department.last_ms = int(department.now_s * 1000)
    department.watch.check()
    assert not department.alerts.opened


def test_an_interface_without_expectation_is_never_silent() -> None:
    department = Department(interval_s=0)
    department.now_s += 1_000_000
    department.watch.check()
    assert not department.alerts.opened


def test_pausing_an_interface_closes_its_alert() -> None:
    department = Department()
    department.now_s += 61
    department.watch.check()
    department.enabled = False
    department.watch.check()
    assert not department.alerts.opened
