"""Accepted to stored: the load of one row sent at a system, its records counted, the CPU of every process beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from bench.cpu import micros, snapshot
from bench.processes import ROOT, wait_for
from services.process import guarded

FILL = 100_000
"""Records of one part of a filling; the load generator holds them all."""


class Shape(NamedTuple):
    """How a load comes."""

    label: str
    records_each: int
    connections: int
    records: int
    credential: str = "hmac"


class System(Protocol):
    """What is measured: the hub or its peer."""

    port: int

    def target(self, records_each: int) -> str: ...
    def credential(self, kind: str) -> dict[str, str]: ...
    def stored(self) -> int: ...
    def wrong(self) -> int: ...
    def settled(self) -> int: ...


class Load:
    """Sends loads at one system; every record it ever sends has its own number."""

    def __init__(self, system: System, roots: Mapping[str, int]) -> None:
        self._system = system
        self._roots = roots
        self._first = 1

    def warm_up(self, shape: Shape) -> None:
        """Compiles, connects and caches what the first records need."""
        self.run(shape._replace(records=max(4 * shape.records_each, 400)))

    def run(self, shape: Shape) -> dict[str, Any]:
        """One measurement; raises ``RuntimeError`` when a request was refused or a record is not a new licence."""
        generator = self._generator(shape)
        before = self._system.stored()
        cpu_before = snapshot(self._roots)
        answer = _sent(generator)
        if answer["refused"] or answer["unsent"]:
            raise RuntimeError(f"not all was accepted: {answer}")
        last = wait_for("records", self._system.stored, before + shape.records)
        settled = wait_for("the journal", self._system.settled, before + shape.records)
        if self._system.wrong():
            raise RuntimeError(f"{self._system.wrong()} records are not new licences")
        cpu = micros(cpu_before, snapshot(self._roots), shape.records)
        return {
            "records_per_s": round(shape.records / (last - answer["began"])),
            "cpu_us": {**cpu, "sum": round(sum(cpu.values()), 1)},
            "generator_us": round(answer["cpu_s"] / shape.records * 1e6, 1),
            "p50_ms": answer["p50_ms"],
            "p99_ms": answer["p99_ms"],
            "behind_s": round(settled - last, 2),
            "load": os.getloadavg()[0],
        }

    def fill(self, shape: Shape, records: int) -> None:
        """Brings the system to that number of records, a part after the other."""
        while (missing := records - self._system.stored()) >= shape.records_each:
            self.run(shape._replace(records=min(missing, FILL) // shape.records_each * shape.records_each))

    def _generator(self, shape: Shape) -> "subprocess.Popen[bytes]":
        plan = {
            "port": self._system.port,
            "target": self._system.target(shape.records_each),
            "first": self._first,
            "records_each": shape.records_each,
            "requests": shape.records // shape.records_each,
            "connections": shape.connections,
            **self._system.credential(shape.credential),
        }
        self._first += shape.records
        return subprocess.Popen(
            guarded([sys.executable, "-m", "bench.load", json.dumps(plan)]),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )


def _sent(generator: "subprocess.Popen[bytes]") -> dict[str, Any]:
    with generator:
        assert generator.stdin is not None
        assert generator.stdout is not None
        if generator.stdout.readline().strip() != b"ready":
            raise RuntimeError("the load generator did not start")
        generator.stdin.write(b"go\n")
        generator.stdin.flush()
        answer: dict[str, Any] = json.loads(generator.stdout.readline())
        return answer
