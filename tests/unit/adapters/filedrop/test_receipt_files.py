"""Receipt files when several processes write them, or several files have one name: the newest one's receipt is what is seen."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.filedrop import FileDrop
from adapters.filedrop import drop as drops
from adapters.filedrop.folder import PENDING
from adapters.filedrop.receipts import ReceiptFiles, is_complete
from core.errors import NotFound
from drop_material import DropHub, names_in, opened, table


@pytest.fixture
def drop(hub: DropHub) -> FileDrop:
    """A drop folder."""
    return opened(hub)


def dropped(hub: DropHub, drop: FileDrop, name: str, number: int) -> UUID:
    """Reads a file to its last outcome; its submission."""
    (drop.folder.path / name).write_bytes(table(number))
    (taken,) = drop.sweep().taken
    hub.work()
    return taken.submission.id


def other_than(late: UUID) -> Callable[..., bool]:
    """Completeness with one submission whose outcomes are late."""
    return lambda submission, ledger: submission.id != late and is_complete(submission, ledger)


def test_one_process_at_a_time_writes_a_receipt_file(drop: FileDrop) -> None:
    mine, others = ReceiptFiles(drop.folder.path), ReceiptFiles(drop.folder.path)
    submission = uuid4()
    with mine.turn(submission) as owed:
        assert not owed
    mine.owe(submission)
    with mine.turn(submission) as ours, others.turn(submission) as theirs:
        assert (ours, theirs) == (True, False)
        mine.written(submission)
    with others.turn(submission) as theirs:
        assert not theirs


def test_an_older_file_that_completes_later_leaves_the_receipt_of_the_newer(
    hub: DropHub, drop: FileDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = dropped(hub, drop, "a.csv", 1)
    with monkeypatch.context() as patched:
        patched.setattr(drops, "is_complete", other_than(older))
        newer = dropped(hub, drop, "a.csv", 2)
        drop.sweep()
    assert hub.receipt("a.csv")["submission"] == str(newer)
    drop.sweep()
    assert hub.receipt("a.csv")["submission"] == str(newer)
    assert names_in(drop.folder.path / PENDING) == []


def test_a_newer_file_takes_the_place_of_the_receipt_of_the_older(hub: DropHub, drop: FileDrop) -> None:
    for number in (1, 2):
        submission = dropped(hub, drop, "a.csv", number)
        drop.sweep()
        assert hub.receipt("a.csv")["submission"] == str(submission)


def test_the_longest_name_hides_no_submission(
    hub: DropHub, drop: FileDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = os.fsdecode(b"\x1b" * 251 + b".csv")
    older = dropped(hub, drop, name, 1)
    with monkeypatch.context() as patched:
        patched.setattr(drops, "is_complete", other_than(older))
        newer = dropped(hub, drop, name, 2)
        drop.sweep()
    drop.sweep()
    (receipt,) = drop.folder.path.glob("*.receipt.json")
    assert f'"submission": "{newer}"' in receipt.read_text()


def test_nobody_puts_a_newer_receipt_between_the_look_and_the_replacement(
    hub: DropHub, drop: FileDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped(hub, drop, "a.csv", 1)
    real, tried = Path.replace, []

    def replace(path: Path, target: Path) -> Any:
        descriptor = os.open(drop.folder.path / PENDING, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
        tried.append(target.name)
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    drop.sweep()
    assert tried == ["a.csv.receipt.json"]


@pytest.mark.parametrize("what", ["pipe", "link", "something else"])
def test_what_lies_in_the_place_of_a_receipt_holds_up_nothing(
    hub: DropHub, drop: FileDrop, what: str, tmp_path: Path
) -> None:
    place = drop.folder.path / "a.csv.receipt.json"
    if what == "pipe":
        os.mkfifo(place)
    elif what == "link":
        place.symlink_to(tmp_path / "nowhere")
    else:
        place.write_bytes(b"\x00\xff")
    submission = dropped(hub, drop, "a.csv", 1)
    drop.sweep()
    assert hub.receipt("a.csv")["submission"] == str(submission)
    assert not place.is_symlink()


def test_a_stranger_among_the_receipts_owed_holds_up_nothing(hub: DropHub, drop: FileDrop) -> None:
    (drop.folder.path / PENDING / "Thumbs.db").touch()
    dropped(hub, drop, "a.csv", 1)
    drop.sweep()
    assert hub.receipt("a.csv")["outcomes"] == {"new": 1}
    assert names_in(drop.folder.path / PENDING) == ["Thumbs.db"]


def test_a_receipt_owed_for_what_the_store_does_not_know_holds_up_no_other(
    hub: DropHub, drop: FileDrop
) -> None:
    unknown = uuid4()
    with pytest.raises(NotFound):
        hub.store.submissions.get(unknown)
    ReceiptFiles(drop.folder.path).owe(unknown)
    dropped(hub, drop, "a.csv", 1)
    drop.sweep()
    assert hub.receipt("a.csv")["outcomes"] == {"new": 1}
