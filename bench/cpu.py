"""CPU time and memory of process trees, from /proc (Linux)."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from services.process import tree

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

Roots = Mapping[str, int]
"""Name of a part -> process id of its root."""


def cpu_s(root: int) -> float:
    """Seconds of user and system time of a tree, children that have ended and were waited for included."""
    return sum(_of_process(pid) for pid in tree(root))


def _of_process(pid: int) -> float:
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / _TICKS
    return 0.0


def snapshot(roots: Roots) -> dict[str, float]:
    """CPU seconds of each part until now."""
    return {name: cpu_s(pid) for name, pid in roots.items()}


def rss_mb(root: int) -> float:
    """Resident memory of the largest process of a tree."""
    return max((_resident(pid) for pid in tree(root)), default=0.0)


def _resident(pid: int) -> float:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6
    return 0.0


def micros(before: Mapping[str, float], after: Mapping[str, float], records: int) -> dict[str, float]:
    """CPU microseconds per record of each part."""
    return {name: round((after[name] - before[name]) / records * 1e6, 1) for name in before}


def model() -> str:
    """What the machine says its processor is."""
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()} x {os.cpu_count()}"
    return f"unknown x {os.cpu_count()}"


def _lines(path: Path) -> Iterable[str]:
    with suppress(OSError):
        return path.read_text().splitlines()
    return ()
