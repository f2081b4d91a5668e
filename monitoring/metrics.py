"""Metrics inside a process, and their union over the hub's processes.

Each process writes its exposition to one file, replaced atomically; the scrape reads all of them and adds a ``process`` label. A
process that was killed leaves its last figures; its successor in the same slot starts again from zero, which rate() understands.
"""

import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path
from threading import Event

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from monitoring.catalogue import CATALOGUE, Metric

log = logging.getLogger(__name__)

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})?( .*)$")


class PrometheusObserver:
    """Port ``Observer`` on prometheus_client; a metric outside the catalogue is a defect and raises ``KeyError``."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        kinds: dict[str, list[Metric]] = {"counter": [], "gauge": [], "histogram": []}
        for metric in CATALOGUE:
            kinds[metric.kind].append(metric)
        self._counters = {metric.name: self._counter(metric) for metric in kinds["counter"]}
        self._gauges = {metric.name: self._gauge(metric) for metric in kinds["gauge"]}
        self._histograms = {metric.name: self._histogram(metric) for metric in kinds["histogram"]}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Adds to a counter."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def observe(self, name: str, value: float, count: int = 1, **labels: str) -> None:
        """Adds ``count`` observations of one value to a histogram."""
        histogram = self._histograms[name]
        child = histogram.labels(**labels) if labels else histogram
        for _ in range(count):
            child.observe(value)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Sets a gauge."""
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def exposition(self) -> str:
        """Everything counted so far, in the text format."""
        return generate_latest(self.registry).decode()

    def _counter(self, metric: Metric) -> Counter:
        name = f"hub_{metric.name}".removesuffix("_total")
        return Counter(name, metric.help, metric.labels, registry=self.registry)

    def _gauge(self, metric: Metric) -> Gauge:
        return Gauge(f"hub_{metric.name}", metric.help, metric.labels, registry=self.registry)

    def _histogram(self, metric: Metric) -> Histogram:
        name = f"hub_{metric.name}"
        return Histogram(name, metric.help, metric.labels, registry=self.registry, buckets=metric.buckets)


class Snapshot:
    """One process's file in the shared folder."""

    def __init__(self, observer: PrometheusObserver, folder: Path, process: str) -> None:
        self._observer = observer
        self._path = folder / f"{process}.prom"
        folder.mkdir(parents=True, exist_ok=True)

    def write(self) -> None:
        """Replaces the file; a full disk costs a refresh, nothing else."""
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
        try:
            temporary.write_text(self._observer.exposition())
            temporary.replace(self._path)
        except OSError as error:
            log.warning("metrics snapshot not written: %s", error.strerror)

    def run(self, stop: Event, every_s: float = 1.0) -> None:
        """Keeps the file fresh until ``stop``."""
        while not stop.wait(every_s):
            self.write()
        self.write()


def union(folder: Path) -> str:
    """All processes' expositions as one, each sample with the name of its process."""
    merged: dict[str, list[str]] = {}
    heads: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.prom")):
        for family, head, samples in _families(path.read_text().splitlines(), path.stem):
            heads.setdefault(family, head)
            merged.setdefault(family, []).extend(samples)
    lines = [line for family, samples in merged.items() for line in (*heads[family], *samples)]
    return "\n".join(lines) + "\n" if lines else ""


def _families(lines: Iterable[str], process: str) -> Iterable[tuple[str, list[str], list[str]]]:
    family, head, samples = "", [], []  # type: str, list[str], list[str]
    for line in lines:
        if line.startswith("# HELP"):
            if family:
                yield family, head, samples
            family, head, samples = line.split(" ", 3)[2], [line], []
        elif line.startswith("#"):
            head.append(line)
        else:
            samples.append(_labelled(line, process))
    if family:
        yield family, head, samples


def _labelled(sample: str, process: str) -> str:
    found = _SAMPLE.match(sample)
    if found is None:
        return sample
    name, labels, rest = found.groups()
    inner = labels[1:-1] + "," if labels and labels != "{}" else ""
    return f'{name}{{{inner}process="{process}"}}{rest}'
