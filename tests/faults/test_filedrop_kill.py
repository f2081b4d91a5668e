"""SIGKILL at every step of a file drop: whatever the step, each record has one outcome and the file is in the archive."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.outcome import Outcome
from drop_material import DropHub, permits, table

RECORDS = 7

DRIVER = """
import functools, os, pathlib, signal, sys
sys.path[:0] = {path!r}
import adapters.filedrop.folder as folder
import adapters.filedrop.reading as reading
from core.store.submissions import SubmissionStore
from drop_material import DropHub
from router.intake.blocking import BlockingIntake

reading.CHECKPOINT_ENTRIES = 3

def run(place, left):
    def step():
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepping(owner, name):
        real = getattr(owner, name)
        @functools.wraps(real)
        def wrapped(*arguments, **named):
            step()
            try:
                return real(*arguments, **named)
            finally:
                step()
        setattr(owner, name, wrapped)

    hub = DropHub(pathlib.Path(place))
    drop = hub.drop()
    for owner, names in (
        (os, ("rename",)),
        (folder, ("_write", "_sync")),
        (folder.shutil, ("rmtree",)),
        (SubmissionStore, ("begin", "progress", "finish")),
        (BlockingIntake, ("send", "flush")),
        (folder.DropFolder, ("owe_receipt", "write_receipt", "receipt_written")),
    ):
        for name in names:
            stepping(owner, name)
    drop.sweep()
    hub.work()
    drop.sweep()
    hub.close()

for line in sys.stdin:  # one process a line, forked from here so that nothing is imported again
    place, left = line.split()
    child = os.fork()
    if not child:
        code = 1
        try:
            run(place, int(left))
            code = 0
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def hub(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[DropHub]:
    made = DropHub(tmp_path / "hub")
    completion = request.param
    made.register(permits(drop={"completion": completion, "done_suffix": ".done"}))
    yield made
    made.close()


@pytest.fixture
def driver() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER.format(path=sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    ) as started:
        yield started


def killed_at(driver: subprocess.Popen[str], folder: Path, step: int) -> bool:
    """Runs the drop in a process of its own; whether it was killed."""
    assert driver.stdin is not None
    assert driver.stdout is not None
    driver.stdin.write(f"{folder} {step}\n")
    driver.stdin.flush()
    code = int(driver.stdout.readline())
    assert code in (0, -signal.SIGKILL)
    return code != 0


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("hub", ["rename", "done-file"], indirect=True)
def test_f5_a_kill_at_any_step_ends_in_one_outcome_per_record(
    hub: DropHub, driver: subprocess.Popen[str]
) -> None:
    drop = hub.drop()
    step, killed = 0, True
    while killed:
        step += 1
        name = f"{step}.csv"
        (drop.folder.path / name).write_bytes(table(*(f"{step}-{n}" for n in range(RECORDS))))
        (drop.folder.path / f"{name}.done").touch()
        killed = killed_at(driver, hub.folder, step)
        for _look in range(2):  # the restart: takes up the claim, then writes the receipt
            drop.sweep()
            hub.work()
        drop.sweep()
        assert hub.receipt(name)["outcomes"] == {"new": RECORDS}, f"killed at step {step}"
        assert not (drop.folder.path / name).exists()
    assert step > 30
    assert hub.outcomes() == {Outcome.NEW: RECORDS * step}
    archived = sorted(kept.name.partition("~")[2] for kept in (drop.folder.path / "archive").iterdir())
    assert archived == sorted(f"{n}.csv" for n in range(1, step + 1))
    assert not list((drop.folder.path / ".claimed").iterdir())
    assert not list((drop.folder.path / ".receipts").glob("[!.]*"))
