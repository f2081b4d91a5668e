"""Files handed over by name: the name is a person's, so whatever it is, and whoever else uses it, the file is read once."""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from adapters.filedrop import DropPoller
from adapters.filedrop.folder import ARCHIVE, CLAIMED, DropFolder
from adapters.filedrop.ingest import ingest_folder
from adapters.filedrop.kept import kept_file
from contracts.outcome import Outcome
from core.errors import Unavailable
from core.ports.observe import Unobserved
from drop_material import Clock, DropHub, names_in, permits, table

NAMES = [
    b"permits.csv",
    b".permits.csv",
    b"permits.tmp",
    b"permits.part",
    b"a\nb\x1b[31m.csv",
    b"\xff\xfe.csv",
    b"archive",
    b"x.csv.receipt.json",
    b"x.licence-hub-copy",
]


@pytest.fixture
def hub(hub: DropHub) -> DropHub:
    """A hub with the interface enabled."""
    hub.register(permits())
    return hub


@pytest.fixture
def other_hub(hub: DropHub) -> Iterator[DropHub]:
    """The same hub as the command of somebody else has it."""
    made = DropHub(hub.folder)
    yield made
    made.close()


def ingested(hub: DropHub) -> Path:
    return hub.folder / "ingest" / "permits"


def left_in_clear(hub: DropHub) -> list[str]:
    """Claims that are left, and files that lie about as they were handed over."""
    files = [place for place in ingested(hub).rglob("*") if place.is_file()]
    clear = [place.name for place in files if b"number,title" in place.read_bytes()]
    return clear + names_in(ingested(hub) / CLAIMED)


def written(path: Path, *numbers: object) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(table(*numbers))
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_is_read_and_no_copy_of_it_stays_in_clear(
    hub: DropHub, tmp_path: Path, name: bytes
) -> None:
    taken = hub.ingest().take(written(tmp_path / os.fsdecode(name), 1))
    assert taken.verdict == "read"
    assert taken.submission.origin.isprintable()
    assert left_in_clear(hub) == []


def test_files_of_one_name_that_two_people_hand_over_are_both_read_whatever_the_step(
    hub: DropHub, other_hub: DropHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, others = hub.ingest(), other_hub.ingest()
    for step in count(1):
        files = [written(tmp_path / who / "export.csv", f"{who}-{step}") for who in ("a", "b")]
        taken: list[Any] = []
        with monkeypatch.context() as patched:
            at_step(patched, step, lambda files=files, taken=taken: taken.append(others.take(files[1])))
            taken.append(mine.take(files[0]))
        if len(taken) == 1:
            break
        assert [one.submission.digest for one in reversed(taken)] == [
            hashlib.sha256(file.read_bytes()).digest() for file in files
        ]
        assert [one.verdict for one in taken] == ["read", "read"]
    assert step > 10
    hub.work()
    assert hub.outcomes() == {Outcome.NEW: 2 * step - 1}
    assert len(names_in(ingested(hub) / ARCHIVE)) == 2 * step - 1
    assert left_in_clear(hub) == []


def at_step(patched: pytest.MonkeyPatch, step: int, action: Any) -> None:
    """Does something before or behind the n-th time that a file is renamed or made durable."""
    left, busy = step, False

    def stepped() -> None:
        nonlocal left, busy
        if busy:
            return
        left -= 1
        if left == 0:
            busy = True
            action()
            busy = False

    for name in ("rename", "fsync"):
        real = getattr(os, name)

        def wrapped(*arguments: Any, real: Any = real) -> Any:
            stepped()
            done = real(*arguments)
            stepped()
            return done

        patched.setattr(os, name, wrapped)


def test_a_copy_whose_reading_is_cut_is_kept_and_taken_up_with_the_next_file(
    hub: DropHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = hub.ingest()

    def away(*_arguments: Any) -> None:
        raise Unavailable("the bus is out of reach")

    with monkeypatch.context() as patched:
        patched.setattr(hub.bus, "publish_many", away)
        with pytest.raises(Unavailable, match="kept") as kept:
            ingest.take(written(tmp_path / "a.csv", 1))
    assert "已保留" in kept.value.summary_zh
    assert ingest.take(written(tmp_path / "b.csv", 2)).verdict == "read"
    hub.work()
    assert hub.outcomes() == {Outcome.NEW: 2}
    assert left_in_clear(hub) == []


def test_a_file_taken_in_before_a_crash_is_archived_though_it_was_handed_over_again_since(
    hub: DropHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "a.csv", 1)
    with monkeypatch.context() as patched:
        patched.setattr("adapters.filedrop.folder.encrypt_file", broken)
        with pytest.raises(Unavailable):
            hub.ingest().take(file)
    (first,) = hub.store.submissions.recent("permits")
    assert hub.ingest().take(file).verdict == "duplicate"
    assert kept_file(hub.folder, hub.live().declaration, first).exists()
    assert left_in_clear(hub) == []


def broken(*_arguments: Any) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_a_file_whose_copy_breaks_off_leaves_nothing_and_is_not_read(
    hub: DropHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "copyfileobj", broken)
    with pytest.raises(OSError, match="Input/output"):
        hub.ingest().take(written(tmp_path / "a.csv", 1))
    assert left_in_clear(hub) == []
    assert not hub.store.submissions.recent("permits")


def test_a_copy_cleared_away_before_it_began_is_made_again(
    hub: DropHub, other_hub: DropHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, others, looks = Path.mkdir, other_hub.ingest(), iter(range(1))

    def late(place: Path, *arguments: Any, **named: Any) -> None:
        real(place, *arguments, **named)
        if place.parent.name == CLAIMED:
            for _look in looks:
                others.write_receipts()

    monkeypatch.setattr(Path, "mkdir", late)
    assert hub.ingest().take(written(tmp_path / "a.csv", 1)).verdict == "read"
    assert left_in_clear(hub) == []


def test_on_a_disk_that_is_nearly_full_nothing_is_copied(
    hub: DropHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DropFolder, "free_bytes", lambda _folder: 0)
    with pytest.raises(Unavailable, match="not copied") as full:
        hub.ingest().take(written(tmp_path / "a.csv", 1))
    assert "空间不足" in full.value.summary_zh
    assert left_in_clear(hub) == []


def test_a_source_that_cannot_be_read_leaves_no_half_copy(hub: DropHub, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"x\.csv"):
        hub.ingest().take(tmp_path / "x.csv")
    assert left_in_clear(hub) == []


def test_what_an_older_release_copied_is_read_and_its_half_copies_are_not(
    hub: DropHub, tmp_path: Path
) -> None:
    hub.ingest().take(written(tmp_path / "a.csv", 1))
    written(ingested(hub) / "left.csv", 2)
    written(ingested(hub) / "half.licence-hub-copy", 3)
    hub.ingest().write_receipts()
    assert [s.origin for s in hub.store.submissions.recent("permits")] == ["left.csv", "a.csv"]


def test_what_was_ingested_is_kept_as_long_as_what_was_dropped(
    hub: DropHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.register(permits(drop={"retention_days": 2}))
    file = tmp_path / "a.csv"
    file.write_bytes(table(1))
    hub.ingest().take(file)
    archive = hub.folder / ingest_folder("permits") / ARCHIVE
    clock = Clock()
    poller = DropPoller(
        hub.directory, hub.folder, store=hub.store, intake=hub.intake, observer=Unobserved(), clock=clock
    )
    poller.tick()
    assert len(names_in(archive)) == 1
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3 * 86_400)
    clock.now += 3600
    hub.directory.refresh()
    poller.tick()
    assert names_in(archive) == []
