"""The pitfalls F1 to F8 of file drops, each as a test: when a file is whole, who claims it, what was seen before."""

import errno
import hashlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from adapters.filedrop import FileDrop
from adapters.filedrop.folder import ARCHIVE, CLAIMED, PENDING, REFUSED
from contracts.outcome import Outcome
from core.errors import Unavailable
from drop_material import Clock, DropHub, kept, names_in, opened, permits, table, verdicts


def test_a_dropped_file_ends_in_the_library_the_archive_and_a_receipt_file(hub: DropHub) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table(1, 2))
    assert verdicts(drop) == [("a.csv", "read")]
    assert not (drop.folder.path / "a.csv.receipt.json").exists()
    hub.work()
    drop.sweep()
    receipt = hub.receipt("a.csv")
    assert receipt["outcomes"] == {"new": 2}
    assert [(r["row"], r["outcome"]) for r in sorted(receipt["records"], key=lambda r: r["row"])] == [
        (1, "new"),
        (2, "new"),
    ]
    assert kept(drop, ARCHIVE) == ["a.csv"]
    assert names_in(drop.folder.path / CLAIMED) == []
    assert names_in(drop.folder.path / PENDING) == []
    assert "某公司" not in (drop.folder.path / "a.csv.receipt.json").read_text()


def test_f1_a_renamed_file_is_read_when_it_has_its_name(hub: DropHub) -> None:
    drop = opened(hub)
    partial = drop.folder.path / "a.csv.part"
    partial.write_bytes(table(1)[:20])
    for _poll in range(3):
        assert drop.sweep().taken == []
    partial.write_bytes(table(1))
    partial.rename(drop.folder.path / "a.csv")
    assert verdicts(drop) == [("a.csv", "read")]


def test_f1_with_done_files_a_slow_writer_is_not_read_early(hub: DropHub) -> None:
    drop = opened(hub, completion="done-file")
    (drop.folder.path / "a.csv").write_bytes(table(1)[:20])
    for _poll in range(3):
        assert (drop.sweep().taken, drop.sweep().waiting) == ([], 1)
    (drop.folder.path / "a.csv").write_bytes(table(1))
    (drop.folder.path / "a.csv.done").touch()
    assert verdicts(drop) == [("a.csv", "read")]
    assert not (drop.folder.path / "a.csv.done").exists()


def manifest_of(**files: bytes) -> bytes:
    entries = [
        {"name": name.replace("_", "."), "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
    ]
    return json.dumps(entries).encode()


def test_f1_a_manifest_names_size_and_hash_of_its_files(hub: DropHub) -> None:
    drop = opened(hub, completion="manifest")
    (drop.folder.path / "a.csv").write_bytes(table(1)[:20])
    assert drop.sweep().waiting == 1
    (drop.folder.path / "day.manifest.json").write_bytes(manifest_of(a_csv=table(1), b_csv=table(2)))
    assert drop.sweep().taken == []  # b.csv is still to come
    (drop.folder.path / "b.csv").write_bytes(table(2))
    assert sorted(verdicts(drop)) == [("a.csv", "refused"), ("b.csv", "read")]
    assert hub.store.submissions.recent("permits")
    drop.sweep()
    assert hub.receipt("a.csv")["findings"][0]["rule"] == "drop.manifest-mismatch"
    assert drop.sweep().listed == 1  # the receipt file; b.csv's waits for the worker


@pytest.mark.parametrize(
    "content", [b"[", b'[{"name": "../x.csv", "size_bytes": 1, "sha256": ""}]', b'[{"name":1}]']
)
def test_f1_a_broken_manifest_is_refused_with_its_reason(hub: DropHub, content: bytes) -> None:
    drop = opened(hub, completion="manifest")
    (drop.folder.path / "day.manifest.json").write_bytes(content)
    assert verdicts(drop) == [("day.manifest.json", "refused")]
    assert kept(drop, REFUSED) == ["day.manifest.json"]


def test_f2_stability_is_the_hubs_own_observation_of_size_and_time(hub: DropHub) -> None:
    clock = Clock()
    drop = opened(hub, clock=clock, completion="stable", stable_s=30)
    path = drop.folder.path / "a.csv"
    for skew_s in (-600, 600):  # the source's clock is ten minutes behind, or ahead
        path.write_bytes(table(skew_s)[:20])
        os.utime(path, (time.time() + skew_s,) * 2)
        assert drop.sweep().taken == []
        clock.now += 29
        path.write_bytes(table(skew_s))
        os.utime(path, (time.time() + skew_s,) * 2)
        assert drop.sweep().taken == []
        clock.now += 29
        assert drop.sweep().taken == []
        clock.now += 2
        assert verdicts(drop) == [("a.csv", "read")]


def test_f2_a_change_of_time_alone_starts_the_wait_anew(hub: DropHub) -> None:
    clock = Clock()
    drop = opened(hub, clock=clock, completion="stable", stable_s=30)
    path = drop.folder.path / "a.csv"
    path.write_bytes(table(1))
    drop.sweep()
    clock.now += 29
    os.utime(path, (1, 1))
    drop.sweep()
    clock.now += 29
    assert drop.sweep().taken == []


@pytest.mark.parametrize("name", ["a.csv.tmp", "a.csv.part", "a.csv.filepart", ".a.csv", "a.csv.crdownload"])
def test_f3_temporary_names_are_never_candidates(hub: DropHub, name: str) -> None:
    drop = opened(hub, pattern=["*"])
    (drop.folder.path / name).write_bytes(table(1))
    assert drop.sweep().taken == []


def test_f3_other_temporary_names_can_be_declared(hub: DropHub) -> None:
    drop = opened(hub, temporary=["upload_*"])
    (drop.folder.path / "upload_a.csv").write_bytes(table(1))
    assert drop.sweep().taken == []


def test_f4_two_workers_on_one_folder_ingest_each_file_once(hub: DropHub, tmp_path: Path) -> None:
    first = opened(hub)
    other_hub = DropHub(hub.folder)
    second = other_hub.drop()
    for number in range(60):
        (first.folder.path / f"{number}.csv").write_bytes(table(number))
    taken: list[str] = []

    def work(drop: FileDrop) -> None:
        for _look in range(5):
            taken.extend(found.submission.origin for found in drop.sweep().taken)

    threads = [threading.Thread(target=work, args=(drop,)) for drop in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other_hub.close()
    assert sorted(taken) == sorted(f"{number}.csv" for number in range(60))
    hub.work()
    assert hub.outcomes() == {Outcome.NEW: 60}


def test_f4_a_claim_across_file_systems_fails_visibly_and_leaves_the_file(
    hub: DropHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table(1))
    real = os.rename

    def across(source: Any, target: Any) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "rename", across)
    sweep = drop.sweep()
    assert (sweep.taken, sweep.postponed, sweep.waiting) == ([], 1, 1)
    assert names_in(drop.folder.path / CLAIMED) == []
    monkeypatch.setattr(os, "rename", real)
    assert verdicts(drop) == [("a.csv", "read")]


def test_f5_an_orphan_claim_is_freed_after_its_lease(hub: DropHub) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table(1))
    claim = drop.folder.claim("a.csv", next(drop._completion.whole(drop.folder.look()))[1])
    assert claim is not None
    assert drop.sweep().taken == []  # alive: its lock holds
    claim.release()
    assert hub.drop(lease_s=60).sweep().taken == []
    assert verdicts(drop) == [("a.csv", "read")]


def test_f5_a_cut_reading_goes_on_at_its_checkpoint(hub: DropHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.filedrop.reading.CHECKPOINT_ENTRIES", 10)
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table(*range(35)))
    publish, calls = hub.bus.publish_many, 0

    def failing(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Unavailable("the bus is out of reach")
        publish(*arguments)

    monkeypatch.setattr(hub.bus, "publish_many", failing)
    assert drop.sweep().postponed == 1
    assert hub.store.submissions.recent("permits")[0].records == 20
    assert verdicts(drop) == [("a.csv", "read")]
    hub.work()
    assert hub.outcomes() == {Outcome.NEW: 35}


def test_f5_a_cut_gathering_goes_on_at_its_checkpoint(hub: DropHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.filedrop.reading.CHECKPOINT_ENTRIES", 4)
    hub.register(
        permits(group={"by": ["number"], "item": "KZ_PLACES", "fields": {"title": {"source": "title"}}})
    )
    drop = hub.drop()
    (drop.folder.path / "a.csv").write_bytes(table(*range(10), *range(10)))
    publish, calls = hub.bus.publish_many, 0

    def failing(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Unavailable("the bus is out of reach")
        publish(*arguments)

    monkeypatch.setattr(hub.bus, "publish_many", failing)
    assert drop.sweep().postponed == 1
    assert hub.store.submissions.recent("permits")[0].records == 4
    assert verdicts(drop) == [("a.csv", "read")]
    hub.work()
    assert sorted((row.position, row.rows) for row in hub.rows()) == [(number, 2) for number in range(10)]


def test_f6_the_same_content_under_a_new_name_is_reported_as_duplicate(hub: DropHub) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table(1))
    drop.sweep()
    (drop.folder.path / "b.csv").write_bytes(table(1))
    (drop.folder.path / "a.csv").write_bytes(table(1))
    assert sorted(verdicts(drop)) == [("a.csv", "duplicate"), ("b.csv", "duplicate")]
    drop.sweep()
    assert hub.receipt("b.csv")["findings"][0]["rule"] == "drop.duplicate"
    hub.work()
    assert hub.outcomes() == {Outcome.NEW: 1}


def test_f6_the_same_name_with_new_content_is_a_new_submission(hub: DropHub) -> None:
    drop = opened(hub)
    for number in (1, 2):
        (drop.folder.path / "a.csv").write_bytes(table(number))
        assert verdicts(drop) == [("a.csv", "read")]
    hub.work()
    assert hub.outcomes() == {Outcome.NEW: 2}


def test_f6_the_seen_ledger_survives_a_restart(hub: DropHub) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table(1))
    drop.sweep()
    again = DropHub(hub.folder)
    (drop.folder.path / "a.csv").write_bytes(table(1))
    assert verdicts(again.drop()) == [("a.csv", "duplicate")]
    again.close()


def test_f6_equal_names_and_contents_of_two_interfaces_are_different(hub: DropHub) -> None:
    opened(hub)
    hub.register(permits(name="others", drop={"folder": "drop/others"}))
    for name in ("permits", "others"):
        drop = hub.drop(name)
        (drop.folder.path / "a.csv").write_bytes(table(1))
        assert verdicts(drop) == [("a.csv", "read")]


def test_f6_a_refused_file_is_read_again_when_it_is_dropped_again(hub: DropHub) -> None:
    drop = opened(hub)
    for _time in range(2):
        (drop.folder.path / "a.csv").write_bytes(b"x,y\n1,2\n")
        assert verdicts(drop) == [("a.csv", "refused")]


def test_f7_equal_times_and_old_times_are_found(hub: DropHub) -> None:
    drop = opened(hub)
    for number, mtime in ((1, 1_700_000_000), (2, 1_700_000_000), (3, 1)):
        path = drop.folder.path / f"{number}.csv"
        path.write_bytes(table(number))
        os.utime(path, (mtime, mtime))
        assert verdicts(drop) == [(f"{number}.csv", "read")]


def test_f8_a_file_that_waits_is_remembered_between_looks(hub: DropHub) -> None:
    clock = Clock()
    drop = opened(hub, clock=clock, completion="stable", stable_s=10)
    (drop.folder.path / "a.csv").write_bytes(table(1))
    for _look in range(5):
        clock.now += 2.1
        drop.sweep()
    clock.now += 2.1
    assert verdicts(drop) == [("a.csv", "read")]
