"""Claims when several processes look after one folder: no timing makes one of them clear away the work of another.

Leases are zero here: whatever a lease would hide by waiting has to hold without it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from adapters.filedrop import folder as folders
from adapters.filedrop import locks
from adapters.filedrop.folder import CLAIMED, DropFolder, note_of
from drop_material import DropHub, names_in, opened, table, verdicts

CONTENT = table(1)


@pytest.fixture
def folder(hub: DropHub) -> DropFolder:
    """A folder with one file in it."""
    made = opened(hub).folder
    (made.path / "a.csv").write_bytes(CONTENT)
    return made


def other(folder: DropFolder) -> DropFolder:
    """The same folder as another process has it."""
    return DropFolder(folder.path, folder.keyring)


def take_up_all(folder: DropFolder) -> list[str]:
    """Ids of the claims another process could take up now."""
    second = other(folder)
    taken = []
    for claim_id in second.orphans(0):
        claim = second.take_up(claim_id)
        if claim is not None:
            taken.append(claim.id)
            claim.release()
    return taken


@pytest.mark.parametrize("step", ["fsync", "rename"])
@pytest.mark.parametrize("done_suffix", ["", ".done"])
def test_a_claim_in_the_making_is_nobody_elses(
    folder: DropFolder, monkeypatch: pytest.MonkeyPatch, step: str, done_suffix: str
) -> None:
    (folder.path / "a.csv.done").touch()
    looks = []
    real: Callable[..., Any] = getattr(os, step)

    def slow(*arguments: Any) -> Any:
        looks.append(take_up_all(folder))
        done = real(*arguments)
        looks.append(take_up_all(folder))
        return done

    monkeypatch.setattr(os, step, slow)
    claim = folder.claim("a.csv", note_of("a.csv", done_suffix=done_suffix))
    assert claim is not None
    assert claim.stream.read() == CONTENT
    assert looks
    assert not any(looks)
    assert names_in(folder.path / CLAIMED / claim.id) == ["claim.json", "data"] + ["done"] * bool(done_suffix)
    claim.release()


def test_a_claim_cleared_away_before_it_began_leaves_the_file_where_it_is(
    folder: DropFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = locks.made_locked

    @contextmanager
    def late(path: Path) -> Iterator[BinaryIO | None]:
        take_up_all(folder)
        with real(path) as made:
            yield made

    with monkeypatch.context() as patched:
        patched.setattr(folders, "made_locked", late)
        assert folder.claim("a.csv", note_of("a.csv")) is None
    assert (folder.path / "a.csv").read_bytes() == CONTENT
    claim = folder.claim("a.csv", note_of("a.csv"))
    assert claim is not None
    claim.release()


def test_a_claim_that_ends_while_it_is_taken_up_is_over(
    folder: DropFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = folder.claim("a.csv", note_of("a.csv"))
    assert claim is not None
    real = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "data":
            claim.discard()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    assert take_up_all(folder) == []
    assert names_in(folder.path / CLAIMED) == []


def test_a_claim_that_is_worked_on_is_not_taken_up_and_a_released_one_is(folder: DropFolder) -> None:
    claim = folder.claim("a.csv", note_of("a.csv"))
    assert claim is not None
    assert take_up_all(folder) == []
    claim.release()
    assert take_up_all(folder) == [claim.id]


def test_a_folder_swapped_in_between_look_and_claim_is_left_alone(folder: DropFolder) -> None:
    (folder.path / "b.csv").mkdir()
    assert folder.claim("b.csv", note_of("b.csv")) is None
    assert folder.read("b.csv", 10) is None
    assert names_in(folder.path / CLAIMED) == []


def test_what_a_process_left_that_died_early_is_cleared_away(folder: DropFolder) -> None:
    for name, note in (("empty", None), ("torn", b'{"origin": "a.c')):
        place = folder.path / CLAIMED / name
        place.mkdir()
        if note is not None:
            (place / "claim.json").write_bytes(note)
    assert take_up_all(folder) == []
    assert names_in(folder.path / CLAIMED) == []


def test_a_stranger_among_the_claims_holds_up_nothing(hub: DropHub) -> None:
    drop = opened(hub)
    (drop.folder.path / CLAIMED / ".DS_Store").write_bytes(b"")
    (drop.folder.path / "a.csv").write_bytes(CONTENT)
    assert verdicts(drop) == [("a.csv", "read")]
    assert names_in(drop.folder.path / CLAIMED) == [".DS_Store"]
