"""What is kept of dropped files: encrypted, read back for a replay, and as clear files of an older release."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from adapters import rereading
from adapters.filedrop.folder import ARCHIVE, CLAIMED, REFUSED, kept_name
from adapters.filedrop.kept import kept_file
from adapters.rereading import Gone, Rereader
from core.errors import InternalError, NotFound
from core.store.ledger import LedgerRow
from drop_material import DropHub, names_in, opened, table, verdicts


def all_bytes_under(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())


def taken_in(hub: DropHub, content: bytes) -> list[LedgerRow]:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(content)
    drop.sweep()
    hub.work()
    return sorted(hub.rows(), key=lambda row: row.position)


def numbers_read_again(hub: DropHub, rows: list[LedgerRow]) -> list[str]:
    found = Rereader(hub.store, hub.folder).drafts(rows, hub.live(), [])
    return [draft.record.licence_number for _row, draft in found if draft.record is not None]


def test_archive_and_refused_folder_hold_nothing_in_clear(hub: DropHub) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table("N-1").replace("某公司".encode(), b"PLANTED"))
    (drop.folder.path / "b.csv").write_bytes(b"x,y\nPLANTED,2\n")
    assert sorted(verdicts(drop)) == [("a.csv", "read"), ("b.csv", "refused")]
    assert b"PLANTED" not in all_bytes_under(drop.folder.path)
    assert names_in(drop.folder.path / CLAIMED) == []


def test_a_replay_reads_the_encrypted_file(hub: DropHub) -> None:
    rows = taken_in(hub, table("N-1", "N-2", "N-3"))
    assert numbers_read_again(hub, rows[1:]) == ["N-2", "N-3"]


def test_a_replay_reads_a_file_archived_in_clear_by_an_older_release(hub: DropHub) -> None:
    rows = taken_in(hub, table("N-1", "N-2"))
    kept = hub.folder / "drop/permits" / ARCHIVE / kept_name(rows[0].submission, "a.csv")
    kept.write_bytes(table("N-1", "N-2"))
    assert numbers_read_again(hub, rows) == ["N-1", "N-2"]


def test_a_replay_of_an_altered_file_is_refused(hub: DropHub) -> None:
    rows = taken_in(hub, table("N-1"))
    kept = hub.folder / "drop/permits" / ARCHIVE / kept_name(rows[0].submission, "a.csv")
    altered = bytearray(kept.read_bytes())
    altered[-1] ^= 1
    kept.write_bytes(altered)
    with pytest.raises(InternalError):
        numbers_read_again(hub, rows)


@pytest.mark.parametrize("purged", ["before", "at the last moment"])
def test_a_replay_goes_on_behind_a_file_that_is_gone_and_counts_its_records(
    hub: DropHub, monkeypatch: pytest.MonkeyPatch, purged: str
) -> None:
    drop = opened(hub)
    for name, numbers in (("a.csv", ["N-1", "N-2"]), ("b.csv", ["N-3"])):
        (drop.folder.path / name).write_bytes(table(*numbers))
        drop.sweep()
    hub.work()
    rows = hub.rows()
    missing = kept_file(hub.folder, hub.live().declaration, hub.store.submissions.get(rows[0].submission))

    def found_and_purged(*_: Any) -> Path:
        monkeypatch.undo()
        missing.unlink()
        return missing

    if purged == "before":
        missing.unlink()
    else:
        monkeypatch.setattr(rereading, "kept_file", found_and_purged)
    gone: list[Gone] = []
    found = list(Rereader(hub.store, hub.folder).drafts(rows, hub.live(), gone))
    assert [draft.record and draft.record.licence_number for _row, draft in found] == ["N-3"]
    assert gone == [Gone(submission=rows[0].submission, file="a.csv", records=2)]


def test_what_came_in_of_a_file_that_is_gone_is_not_shown(hub: DropHub) -> None:
    (row,) = taken_in(hub, table("N-1"))
    assert Rereader(hub.store, hub.folder).received(row).rows[0]["number"] == "N-1"
    (hub.folder / "drop/permits" / ARCHIVE / kept_name(row.submission, "a.csv")).unlink()
    with pytest.raises(NotFound, match="no longer in the archive"):
        Rereader(hub.store, hub.folder).received(row)


def test_a_refused_file_is_found_where_it_is_kept(hub: DropHub) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(b"x,y\n1,2\n")
    drop.sweep()
    (submission,) = hub.store.submissions.recent("permits")
    found = kept_file(hub.folder, hub.live().declaration, submission)
    assert found == drop.folder.path / REFUSED / kept_name(submission.id, "a.csv")


def test_a_disk_that_fills_while_encrypting_keeps_the_claimed_file_and_no_half_one(
    hub: DropHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table("N-1"))
    real = os.fsync

    def full(descriptor: int) -> Any:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "encrypted":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert drop.sweep().postponed == 1
    (claim,) = (drop.folder.path / CLAIMED).iterdir()
    assert names_in(claim) == ["claim.json", "data"]
    assert verdicts(drop) == [("a.csv", "read")]
    assert names_in(drop.folder.path / CLAIMED) == []
    assert numbers_read_again(hub, []) == []
    hub.work()
    assert sum(hub.outcomes().values()) == 1
