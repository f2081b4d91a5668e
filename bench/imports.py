"""CSV imports on the embedded stack: ``licence-hub ingest`` of files from small to large, its memory watched."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import material
from bench.cpu import cpu_s, rss_mb
from bench.hub import HubUnderTest
from bench.processes import ROOT
from services.process import guarded

SMALL = 10_000
"""Records of a store that holds little."""


def import_csv(folder: Path, *, rows: int = 0, size_bytes: int = 0) -> dict[str, Any]:
    """A file into a new hub."""
    hub = HubUnderTest(folder / "hub", None)
    try:
        return ingested(hub, folder / "permits.csv", rows=rows, size_bytes=size_bytes)
    finally:
        hub.close()


def at_volume(folder: Path, large: int, sample: int) -> dict[str, Any]:
    """The rate of ``sample`` records into a hub that holds ``SMALL``, and into the same when it holds ``large``."""
    hub = HubUnderTest(folder / "hub", None)
    try:
        rates, stored = {}, 0
        for held in (SMALL, large):
            ingested(hub, folder / f"fill-{held}.csv", rows=held - stored, first=stored)
            found = ingested(hub, folder / f"sample-{held}.csv", rows=sample, first=held)
            rates[held], stored = found["records_per_s"], held + sample
        return {f"at {held}": rate for held, rate in rates.items()} | {
            "ratio": round(rates[large] / rates[SMALL], 2)
        }
    finally:
        hub.close()


def ingested(
    hub: HubUnderTest, path: Path, *, rows: int = 0, size_bytes: int = 0, first: int = 0
) -> dict[str, Any]:
    """One run of the command: records/s of the whole process from start to end, its CPU and its largest memory."""
    records = material.write_csv(path, rows, size_bytes, first)
    size_mb = round(path.stat().st_size / 1e6)
    before = hub.stored()
    command = ["-m", "licencehub", "-c", str(hub.path), "ingest", material.DROPPED, str(path)]
    began = time.monotonic()
    process = subprocess.Popen(guarded([sys.executable, *command]), cwd=ROOT, stdout=subprocess.DEVNULL)
    largest, cpu = 0.0, 0.0
    while process.poll() is None:
        largest, cpu = max(largest, rss_mb(process.pid)), max(cpu, cpu_s(process.pid))
        time.sleep(0.1)
    seconds = time.monotonic() - began
    path.unlink()
    if process.returncode or hub.stored() - before != records or hub.wrong():
        raise RuntimeError(
            f"the import ended with {process.returncode}, {hub.stored() - before} of {records} stored"
        )
    return {
        "records_per_s": round(records / seconds),
        "records": records,
        "MB": size_mb,
        "us_per_record": round(cpu / records * 1e6),
        "RSS_MB": round(largest),
    }
