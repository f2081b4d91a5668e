"""Results kept beside the code: ``results/results.json``, a row each with where and when it was measured, and a table of it."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.cpu import model

FOLDER = Path(__file__).with_name("results")
KEPT = FOLDER / "results.json"
TABLE = FOLDER / "README.md"
Row = dict[str, Any]

_HEADING = (
    "| row | records/s (lowest - highest) | gateway | worker | sequencer | one process | RabbitMQ | PostgreSQL | **sum** "
    "| generator | p50 ms | p99 ms | load | commit |"
)
_PACKAGE_HEADING = (
    "| row | packages/s (lowest - highest) | a core of the packager | packager | RabbitMQ | PostgreSQL | others | **sum** | MB "
    "| bytes kept | load | commit |"
)
_PARTS = ("gateway", "worker", "sequencer", "gateway+worker+sequencer", "rabbitmq", "postgres", "sum")


def median(runs: Sequence[Mapping[str, Any]]) -> Row:
    """One row of several runs: the median of each figure, and the lowest and highest rate."""
    row: Row = {}
    for name, value in runs[0].items():
        values = [run[name] for run in runs]
        row[name] = median(values) if isinstance(value, dict) else statistics.median(values)
    for rate in {"records_per_s", "packages_per_s"} & row.keys():
        rates = [run[rate] for run in runs]
        row[rate] = round(row[rate])
        row |= {"slowest": min(rates), "fastest": max(rates)}
    return row


def keep(name: str, row: Row) -> None:
    """Writes the row under its name, with what it was measured on, and the table anew."""
    rows = _kept()
    rows[name] = {**row, "measured": _circumstances()}
    FOLDER.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
    TABLE.write_text(_rendered(rows), "utf-8")


def _kept() -> dict[str, Row]:
    return dict(json.loads(KEPT.read_text("utf-8"))) if KEPT.exists() else {}


def _circumstances() -> dict[str, str]:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], check=False, capture_output=True, text=True
    )
    return {
        "commit": asked.stdout.strip() or "?",
        "cpu": model(),
        "python": platform.python_version(),
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def _rendered(rows: Mapping[str, Row]) -> str:
    intake = {name: row for name, row in rows.items() if "cpu_us" in row}
    packages = {name: row for name, row in rows.items() if "package_us" in row}
    other = {name: row for name, row in rows.items() if not {"cpu_us", "package_us"} & row.keys()}
    lines = [
        "# Results of `make bench`",
        "",
        "Written by `python -m bench`; how to read it: `docs/performance.md`. CPU in microseconds a record by process. Load: the",
        "machine's one-minute average at the end of the row, the bench's own work included.",
        "",
        "## Accepted to stored",
        "",
        _HEADING,
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(_intake_line(name, row) for name, row in sorted(intake.items())),
        "",
        *_ratios(intake),
        "## Complete packages",
        "",
        "OFD, PDF and thumbnail of a stored record, made by one or two packager processes by way of the bus and stored. CPU",
        "in microseconds a package by process, packagers together; MB of the larger one; bytes kept of each licence, encrypted.",
        "",
        _PACKAGE_HEADING,
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(_package_line(name, row) for name, row in sorted(packages.items())),
        "",
        "## Files and volume",
        "",
        "| row | records/s | figures | load | commit |",
        "|---|---|---|---|---|",
        *(_other_line(name, row) for name, row in sorted(other.items())),
        "",
        *_machines(rows),
    ]
    return "\n".join(lines) + "\n"


def _intake_line(name: str, row: Row) -> str:
    cpu = " | ".join(f"{row['cpu_us'][part]:.0f}" if part in row["cpu_us"] else "" for part in _PARTS[:-1])
    at = row["measured"]
    return (
        f"| {name} | **{row['records_per_s']}** ({row['slowest']} - {row['fastest']}) | {cpu} | **{row['cpu_us']['sum']:.0f}** "
        f"| {row['generator_us']:.0f} | {row['p50_ms']:.0f} | {row['p99_ms']:.0f} | {at['load']} | {at['commit']} |"
    )


def _package_line(name: str, row: Row) -> str:
    cpu, at = row["package_us"], row["measured"]
    known = ("packager", "rabbitmq", "postgres")
    others = sum(value for part, value in cpu.items() if part not in (*known, "sum"))
    parts = " | ".join(f"{cpu[part]:.0f}" if part in cpu else "" for part in known)
    return (
        f"| {name} | **{row['packages_per_s']}** ({row['slowest']} - {row['fastest']}) | {row['per_core']:.0f} | {parts} "
        f"| {others:.0f} | **{cpu['sum']:.0f}** | {row['RSS_MB']:.0f} | {row['bytes_kept']['sum']:.0f} "
        f"| {at['load']} | {at['commit']} |"
    )


def _ratios(intake: Mapping[str, Row]) -> list[str]:
    """The hub's rate over the peer's, for each shape both were measured in."""
    lines = []
    for shape in ("single", "batch of 100"):
        ours, theirs = intake.get(f"production, {shape}, hmac"), intake.get(f"peer, {shape}, hmac")
        if ours and theirs:
            ratio = ours["records_per_s"] / theirs["records_per_s"]
            cpu = theirs["cpu_us"]["sum"] / ours["cpu_us"]["sum"]
            lines += [
                f"Hub over FastAPI + FastStream, {shape}: **{ratio:.1f} x** records/s, {cpu:.1f} x less CPU.",
                "",
            ]
    return lines


def _other_line(name: str, row: Row) -> str:
    figures = ", ".join(
        f"{key} {value}" for key, value in row.items() if key not in {"measured", "records_per_s"}
    )
    at = row["measured"]
    rate = f"**{row['records_per_s']}**" if "records_per_s" in row else ""
    return f"| {name} | {rate} | {figures} | {at['load']} | {at['commit']} |"


def _machines(rows: Mapping[str, Row]) -> list[str]:
    seen = {(at["cpu"], at["python"], at["at"][:10]) for at in (row["measured"] for row in rows.values())}
    return [f"Measured on {cpu}, Python {python}, {day}." for cpu, python, day in sorted(seen)]
