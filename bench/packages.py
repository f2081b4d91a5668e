"""Complete packages: stored records to OFD, PDF and thumbnail in the store, by way of the bus.

The records are stored before, while no packager runs; then packagers start and drain what waits. Figures count from the moment
the first packages are there: templates are built and connections open by then.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

from bench.cpu import micros, rss_mb, snapshot
from bench.hub import HubUnderTest
from bench.intake import Load, Shape
from bench.processes import Processes, wait_for

WARM = 200
"""Packages before the figures begin."""
PACKAGER = "packager"


def drained(hub: HubUnderTest, processes: Processes, packages: int, packagers: int) -> dict[str, Any]:
    """One row: packages per second and core, CPU of every process (all packagers as one), bytes kept per licence."""
    roots = hub.start(processes)
    Load(hub, roots).fill(Shape("batch of 100", 100, 8, packages), WARM + packages)
    slots = [f"{PACKAGER}-{number}" for number in range(packagers)]
    for slot in slots:
        processes.start(slot, ["-m", "bench.hub_process", str(hub.path), slot, PACKAGER])
    own = {slot: processes.roots[slot] for slot in slots}
    wait_for("the first packages", hub.sealed, WARM, every_s=0.02)
    first, began, before = hub.sealed(), time.monotonic(), snapshot(roots | own)
    ended = wait_for("packages", hub.sealed, WARM + packages, every_s=0.05)
    counted = WARM + packages - first
    cpu = micros(before, snapshot(roots | own), counted)
    cpu[PACKAGER] = sum(cpu.pop(slot) for slot in slots)
    return {
        "packages_per_s": round(counted / (ended - began)),
        "per_core": round(1e6 / cpu[PACKAGER]),
        "package_us": {**cpu, "sum": round(sum(cpu.values()), 1)},
        "RSS_MB": round(max(map(rss_mb, own.values()))),
        "bytes_kept": _kept(hub.package_bytes(), WARM + packages),
        "load": os.getloadavg()[0],
    }


def _kept(sizes: Mapping[str, int], packages: int) -> dict[str, int]:
    """Bytes a licence, by what they are; parts that licences share are counted once for all of them."""
    each = {media: round(size / packages) for media, size in sizes.items()}
    return {**each, "sum": sum(each.values())}
