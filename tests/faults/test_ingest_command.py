"""``licence-hub ingest`` reads in one process and stores in another: what holds when either of them is killed."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.config import load_config
from licencehub.app import Hub
from licencehub.presence import WORKER_LEASE
from services.process import guarded, tree, wait_until

PERMITS = Path(__file__).parents[2] / "examples" / "sf-food-permits"
COPIES = 8  # a decade apart
INTERFACE = "sf-food-permits"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A hub with the interface enabled."""
    for arguments in (
        ("init", "."),
        ("interface", "apply", "-f", str(PERMITS / "interface.toml")),
        ("interface", "enable", INTERFACE),
    ):
        subprocess.run([*_command(), *arguments], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def permits(tmp_path: Path) -> Path:
    """The permits of San Francisco, as many times with numbers of their own."""
    with (PERMITS / "permits.csv").open(encoding="utf-8", newline="") as source:
        header, *rows = csv.reader(source)
    number = header.index("permit")
    path = tmp_path / "many.csv"
    with path.open("w", encoding="utf-8", newline="") as target:
        table = csv.writer(target)
        table.writerow(header)
        for copy in range(COPIES):
            table.writerows([*row[:number], _shifted(row[number], copy), *row[number + 1 :]] for row in rows)
    return path


def test_a_command_that_is_killed_takes_its_worker_along_and_the_next_one_finishes(
    folder: Path, permits: Path
) -> None:
    process = _ingest(folder, permits)
    worker = _worker_of(process)
    process.kill()
    process.communicate(timeout=30)
    wait_until(lambda: not _runs(worker), timeout_s=20, what="the worker ends with its command")
    (taken,) = _ended(_ingest(folder, permits))
    assert taken["verdict"] in ("read", "duplicate")
    with Hub(load_config(folder / "licence-hub.toml")) as hub:
        wait_until(
            lambda: hub.store.leases.holder(WORKER_LEASE) is None, timeout_s=20, what="no worker is left"
        )
        outcomes = hub.store.ledger.totals()
    expected = json.loads((PERMITS / "expected.json").read_text())["outcomes"]
    assert {outcome.value: n for outcome, n in outcomes.items()} == {
        outcome: n * COPIES for outcome, n in expected.items()
    }


def test_a_worker_that_is_killed_is_started_again_and_the_command_ends_well(
    folder: Path, permits: Path
) -> None:
    process = _ingest(folder, permits)
    os.kill(_worker_of(process), signal.SIGKILL)
    (taken,) = _ended(process)
    expected = json.loads((PERMITS / "expected.json").read_text())["outcomes"]
    assert taken["outcomes"] == {outcome: n * COPIES for outcome, n in expected.items()}


def test_a_command_whose_worker_was_anothers_and_is_gone_runs_its_own(folder: Path, permits: Path) -> None:
    with Hub(load_config(folder / "licence-hub.toml")) as hub:
        hub.store.leases.acquire(WORKER_LEASE, "another command's", 600)
        process = _ingest(folder, permits)
        wait_until(lambda: _is_read(hub), timeout_s=60, what="the file is read")
        assert not hub.store.ledger.totals()
        hub.store.leases.release(WORKER_LEASE, "another command's")
        (taken,) = _ended(process)
    expected = json.loads((PERMITS / "expected.json").read_text())["outcomes"]
    assert taken["outcomes"] == {outcome: n * COPIES for outcome, n in expected.items()}


def _is_read(hub: Hub) -> bool:
    return any(submission.state == "read" for submission in hub.store.submissions.recent(INTERFACE))


def _shifted(permit: str, decades: int) -> str:
    """The permit's number with its year so many decades later."""
    return f"{(int(permit[:2]) + 10 * decades) % 100:02d}{permit[2:]}"


def _command() -> list[str]:
    return [sys.executable, "-m", "licencehub"]


def _ingest(folder: Path, file: Path) -> subprocess.Popen[bytes]:
    command = guarded([*_command(), "ingest", INTERFACE, str(file), "--json"])
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _ended(process: subprocess.Popen[bytes]) -> list[dict[str, object]]:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()[-2000:]
    value: list[dict[str, object]] = json.loads(out)
    return value


def _worker_of(process: subprocess.Popen[bytes]) -> int:
    """The worker below a command, once it is there."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for pid in tree(process.pid)[1:]:
            if b"--role" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return pid
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise TimeoutError("the command has started no worker")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
