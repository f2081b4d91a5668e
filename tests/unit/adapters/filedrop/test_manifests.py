"""A manifest whose files cannot all be claimed at once: it stays until they are, and judges no file of another delivery."""

import errno
import hashlib
import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from adapters.filedrop import FileDrop
from adapters.filedrop import folder as folders
from adapters.filedrop.folder import CLAIMED
from adapters.filedrop.locks import open_locked
from drop_material import DropHub, names_in, opened, table, verdicts

A, B = table("a"), table("b")


@pytest.fixture
def drop(hub: DropHub) -> FileDrop:
    """A folder with two files and the manifest of both; its next look waits for no lease."""
    opened(hub, completion="manifest")
    made = hub.drop(lease_s=60)
    deliver(made, "night", {"a.csv": A, "b.csv": B})
    return made


def deliver(drop: FileDrop, name: str, files: dict[str, bytes]) -> None:
    entries = [
        {"name": file, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for file, data in files.items()
    ]
    for file, data in files.items():
        (drop.folder.path / file).write_bytes(data)
    (drop.folder.path / f"{name}.manifest.json").write_text(json.dumps(entries))


def full_while_claiming(*names: str) -> Callable[..., None]:
    """A disk that is full when the notes of these files are written."""
    real = folders._write

    def write(out: Any, content: bytes) -> None:
        if any(f'"origin":"{name}"'.encode() in content for name in names):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(out, content)

    return write


@pytest.mark.parametrize("names", [("b.csv",), ("a.csv",), ("a.csv", "b.csv")])
def test_a_file_that_could_not_be_claimed_is_read_at_the_next_look(
    drop: FileDrop, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(folders, "_write", full_while_claiming(*names))
        sweep = drop.sweep()
    others = {"a.csv", "b.csv"} - set(names)
    assert {taken.submission.origin for taken in sweep.taken} == others
    assert (sweep.waiting, sweep.postponed > 0) == (len(names), True)
    assert verdicts(drop) == [(name, "read") for name in names]
    assert names_in(drop.folder.path / CLAIMED) == []


def test_a_file_that_somebody_holds_is_read_when_it_is_let_go(drop: FileDrop) -> None:
    held = open_locked(drop.folder.path / "b.csv")
    assert held is not None
    with held:
        assert verdicts(drop) == [("a.csv", "read")]
        assert (drop.sweep().taken, drop.sweep().postponed) == ([], 1)
    assert verdicts(drop) == [("b.csv", "read")]
    assert names_in(drop.folder.path / CLAIMED) == []


def test_what_is_left_of_a_manifest_survives_a_restart(
    hub: DropHub, drop: FileDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(folders, "_write", full_while_claiming("b.csv"))
        drop.sweep()
    assert verdicts(hub.drop()) == [("b.csv", "read")]


def test_the_next_delivery_under_the_names_of_one_that_waits_is_not_judged_by_its_manifest(
    drop: FileDrop,
) -> None:
    held = open_locked(drop.folder.path / "b.csv")
    assert held is not None
    with held:
        assert verdicts(drop) == [("a.csv", "read")]
        (drop.folder.path / "a.csv").write_bytes(table("a of the next night"))
        assert drop.sweep().taken == []
    assert verdicts(drop) == [("b.csv", "read")]
    deliver(drop, "next", {"a.csv": table("a of the next night")})
    assert verdicts(drop) == [("a.csv", "read")]


def test_a_listed_file_that_is_gone_is_waited_for_no_longer(drop: FileDrop) -> None:
    held = open_locked(drop.folder.path / "b.csv")
    assert held is not None
    with held:
        drop.sweep()
    (drop.folder.path / "b.csv").unlink()
    assert drop.sweep().postponed == 0
    assert names_in(drop.folder.path / CLAIMED) == []


def test_a_manifest_that_cannot_be_read_holds_up_no_other(
    drop: FileDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (drop.folder.path / "secret.manifest.json").write_text("[]")
    real = os.open

    def opening(path: Any, *arguments: Any, **named: Any) -> int:
        if str(path).endswith("secret.manifest.json"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", opening)
    assert sorted(verdicts(drop)) == [("a.csv", "read"), ("b.csv", "read")]
    assert (drop.folder.path / "secret.manifest.json").exists()
