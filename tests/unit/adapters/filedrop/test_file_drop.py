"""The pitfalls of file drops, each as a test; the numbers F1 to F14 are those of the project's list of pitfalls."""

import errno
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from adapters.filedrop import DropPoller, FileDrop
from adapters.filedrop.folder import ARCHIVE, CLAIMED, PENDING, REFUSED, kept_name
from contracts.outcome import Outcome
from core.errors import Unavailable
from core.ports.observe import Unobserved
from core.store.licences import LicenceQuery
from drop_material import DropHub, permits, table


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[DropHub]:
    made = DropHub(tmp_path / "hub")
    yield made
    made.close()


def opened(hub: DropHub, *, clock: Clock | None = None, **drop: Any) -> FileDrop:
    hub.register(permits(drop=drop))
    options: dict[str, Any] = {"clock": clock} if clock else {}
    return hub.drop(**options)


def verdicts(drop: FileDrop) -> list[tuple[str, str]]:
    return [(taken.submission.origin, taken.verdict) for taken in drop.sweep().taken]


def names_in(place: Path) -> list[str]:
    return sorted(entry.name for entry in place.iterdir())


def kept(drop: FileDrop, place: str) -> list[str]:
    return sorted(name.partition("~")[2] for name in names_in(drop.folder.path / place))


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


@pytest.mark.parametrize("codec", ["gbk", "gb18030", "utf-8-sig", "utf-16"])
def test_f9_files_in_the_encodings_of_departments_are_read(hub: DropHub, codec: str) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table("许1").decode().encode(codec))
    assert verdicts(drop) == [("a.csv", "read")]
    hub.work()
    assert hub.outcomes() == {Outcome.NEW: 1}


def test_f10_one_bad_row_in_ten_thousand_is_the_only_one_held(hub: DropHub) -> None:
    drop = opened(hub)
    data = table(*range(9_999)).splitlines(keepends=True)
    data.insert(5_000, b"\xff\xff,x,y,2024-01-02\n")
    (drop.folder.path / "a.csv").write_bytes(b"".join(data))
    drop.sweep()
    hub.work()
    drop.sweep()
    receipt = hub.receipt("a.csv")
    assert receipt["outcomes"] == {"new": 9_999, "quarantined": 1}
    bad = [record for record in receipt["records"] if record["outcome"] == "quarantined"]
    assert [record["row"] for record in bad] == [5_000]
    assert bad[0]["findings"][0]["rule"] == "decoding.undecodable-bytes"


def test_f12_links_pipes_and_folders_are_never_read(hub: DropHub, tmp_path: Path) -> None:
    drop = opened(hub, pattern=["*"])
    secret = tmp_path / "secret.csv"
    secret.write_bytes(table(1))
    (drop.folder.path / "a.csv").symlink_to(secret)
    os.mkfifo(drop.folder.path / "b.csv")
    (drop.folder.path / "c.csv").mkdir()
    sweep = drop.sweep()
    assert (sweep.taken, sorted(sweep.odd)) == ([], ["a.csv", "b.csv"])
    assert secret.exists()


def test_f12_a_link_swapped_in_between_look_and_claim_is_not_followed(hub: DropHub, tmp_path: Path) -> None:
    drop = opened(hub)
    path = drop.folder.path / "a.csv"
    path.write_bytes(table(1))
    (_name, note), *_rest = drop._completion.whole(drop.folder.look())
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert drop.folder.claim("a.csv", note) is None
    assert path.is_symlink()


def test_f12_a_link_that_races_with_the_claim_never_leads_outside(hub: DropHub, tmp_path: Path) -> None:
    drop = opened(hub)
    secret = tmp_path / "secret.csv"
    secret.write_bytes(table("secret"))
    path, stop = drop.folder.path / "a.csv", threading.Event()

    def swap() -> None:
        spare, turn = drop.folder.path / ".spare", 0
        while not stop.is_set():
            turn += 1
            if turn % 2:
                spare.write_bytes(table(turn))
            else:
                spare.symlink_to(secret)
            spare.replace(path)

    swapper = threading.Thread(target=swap)
    swapper.start()
    origins: list[str] = []
    until = time.monotonic() + 30
    try:
        while len(origins) < 3 and time.monotonic() < until:
            origins += [taken.submission.origin for taken in drop.sweep().taken]
    finally:
        stop.set()
        swapper.join()
    hub.work()
    assert origins
    assert set(hub.outcomes()) == {Outcome.NEW}
    assert secret.exists()
    drop.sweep()
    assert names_in(drop.folder.path / CLAIMED) == []
    assert not hub.store.licences.find(LicenceQuery(number="secret", scope="management")).licences


def test_f12_empty_files_are_refused_each_for_itself(hub: DropHub) -> None:
    drop = opened(hub)
    for name in ("a.csv", "b.csv"):
        (drop.folder.path / name).touch()
    assert verdicts(drop) == [("a.csv", "refused"), ("b.csv", "refused")]
    drop.sweep()
    assert [hub.receipt(name)["findings"][0]["rule"] for name in ("a.csv", "b.csv")] == [
        "decoding.empty-file"
    ] * 2


@pytest.mark.parametrize("data", [b"PK\x03\x04junk", b"x,y\n1,2\n", bytes(1000)])
def test_f12_what_is_no_table_is_refused_with_a_reason(hub: DropHub, data: bytes) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(data)
    assert verdicts(drop) == [("a.csv", "refused")]
    assert kept(drop, REFUSED) == ["a.csv"]


def test_f12_a_file_beyond_the_limit_is_refused_unread(hub: DropHub) -> None:
    drop = opened(hub, max_bytes=50)
    (drop.folder.path / "a.csv").write_bytes(table(1, 2, 3))
    assert verdicts(drop) == [("a.csv", "refused")]


def test_f12_names_that_are_hostile_stay_names(hub: DropHub) -> None:
    drop = opened(hub, pattern=["*"])
    names = ["a..%2f..%2fx.csv", "a\nb.csv", "=cmd().csv", "é" * 120 + ".csv", "x\u202egpj.csv"]
    for number, name in enumerate(names):
        (drop.folder.path / name).write_bytes(table(number))
    undecodable = os.fsencode(drop.folder.path) + b"/\xff\xfe.csv"
    Path(os.fsdecode(undecodable)).write_bytes(table("last"))
    assert [verdict for _name, verdict in verdicts(drop)] == ["read"] * 6
    hub.work()
    drop.sweep()
    assert hub.outcomes() == {Outcome.NEW: 6}
    assert len(list(drop.folder.path.glob("*.receipt.json"))) == 6
    assert not list(hub.folder.glob("*.receipt.json"))


def test_f13_archived_files_are_removed_after_their_retention(
    hub: DropHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = opened(hub, retention_days=2)
    (drop.folder.path / "a.csv").write_bytes(table(1))
    (drop.folder.path / "b.csv").write_bytes(b"?")
    drop.sweep()
    drop.sweep()
    (drop.folder.path / ARCHIVE / "not-ours.csv").touch()
    assert drop.purge() == 0
    assert (drop.folder.path / "b.csv.receipt.json").exists()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3 * 86_400)
    assert drop.purge() == 2
    assert not (drop.folder.path / "b.csv.receipt.json").exists()
    assert names_in(drop.folder.path / ARCHIVE) == ["not-ours.csv"]


def test_f13_on_a_full_disk_nothing_is_claimed_and_nothing_lost(hub: DropHub) -> None:
    drop = opened(hub, min_free_bytes=2**62)
    (drop.folder.path / "a.csv").write_bytes(table(1))
    sweep = drop.sweep()
    assert (sweep.state, sweep.taken) == ("no-space", [])
    assert (drop.folder.path / "a.csv").exists()


def test_f13_a_disk_that_fills_while_claiming_loses_nothing(
    hub: DropHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table(1))

    def full(*_arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("adapters.filedrop.folder._write", full)
        assert drop.sweep().postponed == 1
    assert (drop.folder.path / "a.csv").exists()
    assert verdicts(drop) == [("a.csv", "read")]


def test_f14_a_folder_that_cannot_be_listed_differs_from_an_empty_one(hub: DropHub) -> None:
    drop = opened(hub)
    empty = drop.sweep()
    assert (empty.state, empty.listed) == ("listed", 0)
    away = drop.folder.path.rename(drop.folder.path.with_name("away"))
    drop.folder.path.write_text("a file where the folder was")
    gone = drop.sweep()
    assert (gone.state, gone.listed) == ("not-listed", None)
    drop.folder.path.unlink()
    away.rename(drop.folder.path)


def test_a_paused_interface_claims_nothing_but_still_writes_receipts(hub: DropHub) -> None:
    drop = opened(hub)
    (drop.folder.path / "a.csv").write_bytes(table(1))
    drop.sweep()
    hub.work()
    hub.store.registry.set_state("interface", "permits", "paused", "test")
    paused = hub.drop()
    (drop.folder.path / "b.csv").write_bytes(table(2))
    assert paused.sweep().taken == []
    assert hub.receipt("a.csv")["outcomes"] == {"new": 1}


def test_a_workbook_is_dropped_like_a_table(hub: DropHub) -> None:
    hub.register(permits(source={"format": "xlsx"}, drop={"pattern": ["*.xlsx"]}))
    drop = hub.drop()
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in (("number", "title", "holder", "issued"), ("1", "许可证", "某公司", "2024-01-02")):
        page.append(row)
    book.save(drop.folder.path / "a.xlsx")
    assert verdicts(drop) == [("a.xlsx", "read")]


def test_the_poller_looks_after_every_registered_folder_at_its_pace(hub: DropHub) -> None:
    clock = Clock()
    hub.register(permits(drop={"poll_s": 5}))
    hub.register(permits(name="others", drop={"folder": "drop/others", "poll_s": 50}))
    hub.directory.refresh()
    poller = DropPoller(
        hub.directory,
        hub.folder,
        store=hub.store,
        intake=hub.intake,
        observer=Unobserved(),
        lease_s=0,
        clock=clock,
    )
    poller.tick()
    for number, name in enumerate(("permits", "others")):
        (hub.folder / "drop" / name / "a.csv").write_bytes(table(number))
    hub.directory.refresh()
    poller.tick()
    assert not hub.store.submissions.recent("permits")
    clock.now += 5
    poller.tick()
    assert len(hub.store.submissions.recent("permits")) == 1
    assert not hub.store.submissions.recent("others")
    clock.now += 45
    poller.tick()
    assert len(hub.store.submissions.recent("others")) == 1


def test_archive_names_begin_with_the_submission_so_that_no_drop_overwrites_another(hub: DropHub) -> None:
    drop = opened(hub)
    for number in (1, 2):
        (drop.folder.path / "a.csv").write_bytes(table(number))
        drop.sweep()
    submissions = hub.store.submissions.recent("permits")
    assert sorted(names_in(drop.folder.path / ARCHIVE)) == sorted(
        kept_name(s.id, "a.csv") for s in submissions
    )


def test_a_folder_belongs_to_one_interface(hub: DropHub) -> None:
    hub.register(permits())
    hub.register(permits(name="thieves", drop={"folder": "drop/../drop/permits"}))
    hub.directory.refresh()
    clock = Clock()
    poller = DropPoller(
        hub.directory,
        hub.folder,
        store=hub.store,
        intake=hub.intake,
        observer=Unobserved(),
        lease_s=0,
        clock=clock,
    )
    poller.tick()
    (hub.folder / "drop" / "permits" / "a.csv").write_bytes(table(1))
    clock.now += 5
    hub.directory.refresh()
    poller.tick()
    assert len(hub.store.submissions.recent("permits")) == 1
    assert not hub.store.submissions.recent("thieves")


def test_one_broken_folder_leaves_the_others_alone(hub: DropHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.register(permits(name="broken", drop={"folder": "drop/broken"}))
    hub.register(permits())
    hub.directory.refresh()
    poller = DropPoller(
        hub.directory, hub.folder, store=hub.store, intake=hub.intake, observer=Unobserved(), lease_s=0
    )
    real = FileDrop.sweep

    def sweep(drop: FileDrop) -> Any:
        if drop.folder.path.name == "broken":
            raise RuntimeError("a defect")
        return real(drop)

    monkeypatch.setattr(FileDrop, "sweep", sweep)
    (hub.folder / "drop" / "permits").mkdir(parents=True)
    (hub.folder / "drop" / "permits" / "a.csv").write_bytes(table(1))
    poller.tick()
    assert len(hub.store.submissions.recent("permits")) == 1


def test_a_defect_met_by_one_file_does_not_hold_up_the_next(
    hub: DropHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = opened(hub)
    real = hub.intake.take

    def take(stream: Any, origin: str, *arguments: Any, **named: Any) -> Any:
        if origin == "a.csv":
            raise RuntimeError("a defect")
        return real(stream, origin, *arguments, **named)

    monkeypatch.setattr(hub.intake, "take", take)
    for number, name in enumerate(("a.csv", "b.csv")):
        (drop.folder.path / name).write_bytes(table(number))
    assert verdicts(drop) == [("b.csv", "read")]
    monkeypatch.setattr(hub.intake, "take", real)
    assert verdicts(drop) == [("a.csv", "read")]
