"""SIGKILL at every step of a file drop: whatever the step, each record has one outcome and the file is whole in the archive."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from adapters.filedrop.folder import open_kept
from adapters.filedrop.kept import kept_file
from contracts.outcome import Outcome
from drop_material import DropHub, permits, table

RECORDS = 7

DRIVER = """
import functools, os, pathlib, signal, sys
sys.path[:0] = {path!r}
import adapters.filedrop.folder as folder
import adapters.filedrop.reading as reading
import adapters.filedrop.receipts as receipts
from core.store.submissions import SubmissionStore
from drop_material import DropHub
from router.intake.blocking import BlockingIntake

reading.CHECKPOINT_ENTRIES = 3

def run(place, left, *files):
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
        (os, ("rename", "fsync")),
        (folder, ("_write", "_sync", "encrypt_file")),
        (folder.shutil, ("rmtree",)),
        (pathlib.Path, ("unlink",)),
        (SubmissionStore, ("begin", "progress", "finish")),
        (BlockingIntake, ("send", "flush")),
        (receipts.ReceiptFiles, ("owe", "write", "written")),
    ):
        for name in names:
            stepping(owner, name)
    for file in files:
        hub.ingest().take(pathlib.Path(file))
    if not files:
        drop.sweep()
    hub.work()
    (hub.ingest().write_receipts if files else drop.sweep)()
    hub.close()

for line in sys.stdin:  # one process a line, forked from here so that nothing is imported again
    place, left, *files = line.split()
    child = os.fork()
    if not child:
        code = 1
        try:
            run(place, int(left), *files)
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


def killed_at(driver: subprocess.Popen[str], folder: Path, step: int, *files: Path) -> bool:
    """Runs the drop, or hands the files over by name, in a process of its own; whether it was killed."""
    assert driver.stdin is not None
    assert driver.stdout is not None
    print(folder, step, *files, file=driver.stdin)
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
    assert step > 60
    assert hub.outcomes() == {Outcome.NEW: RECORDS * step}
    archived = {}
    for kept in (drop.folder.path / "archive").iterdir():
        submission, _, name = kept.name.partition("~")
        assert b"number,title" not in kept.read_bytes()
        with open_kept(kept, UUID(submission), hub.store.keyring) as stream:
            archived[name] = stream.read()
    assert archived == {
        f"{n}.csv": table(*(f"{n}-{row}" for row in range(RECORDS))) for n in range(1, step + 1)
    }
    assert not list((drop.folder.path / ".claimed").iterdir())
    assert not list((drop.folder.path / ".receipts").glob("[!.]*"))


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("hub", ["rename"], indirect=True)
def test_a_kill_at_any_step_of_an_ingest_that_is_repeated_ends_in_one_outcome_per_record(
    hub: DropHub, driver: subprocess.Popen[str], tmp_path: Path
) -> None:
    step, killed, verdicts = 0, True, []
    while killed:
        step += 1
        file = tmp_path / f"{step}.csv"
        file.write_bytes(table(*(f"{step}-{n}" for n in range(RECORDS))))
        killed = killed_at(driver, hub.folder, step, file)
        if step % 2:  # a later run takes up what was left, before the file is handed over again or behind it
            hub.ingest().write_receipts()
        verdicts.append(hub.ingest().take(file).verdict)
        hub.work()
        assert hub.outcomes() == {Outcome.NEW: RECORDS * step}, f"killed at step {step}"
        assert not list((hub.folder / "ingest" / "permits" / ".claimed").iterdir()), f"killed at step {step}"
    assert verdicts[0] == "read"
    assert verdicts.count("duplicate") > 20
    read = [s for s in hub.store.submissions.recent(limit=10_000) if s.state == "read"]
    assert {s.origin for s in read} == {f"{n}.csv" for n in range(1, step + 1)}
    for submission in read:
        kept = kept_file(hub.folder, hub.live().declaration, submission)
        with open_kept(kept, submission.id, hub.store.keyring) as stream:
            assert stream.read() == (tmp_path / submission.origin).read_bytes()
