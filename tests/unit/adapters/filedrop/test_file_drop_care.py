"""The pitfalls F9 to F14 of file drops, each as a test: content, hostile names, full disks, folders that cannot be listed."""

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from adapters.filedrop import DropPoller, FileDrop
from adapters.filedrop.folder import ARCHIVE, CLAIMED, REFUSED, kept_name
from contracts.outcome import Outcome
from core.ports.observe import Unobserved
from core.store.licences import LicenceQuery
from drop_material import Clock, DropHub, kept, names_in, opened, permits, table, verdicts


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


def test_a_folder_behind_links_in_a_circle_leaves_the_others_alone(hub: DropHub) -> None:
    hub.register(permits(name="circle", drop={"folder": "drop/circle/in"}))
    hub.register(permits())
    hub.directory.refresh()
    poller = DropPoller(
        hub.directory, hub.folder, store=hub.store, intake=hub.intake, observer=Unobserved(), lease_s=0
    )
    (hub.folder / "drop" / "permits").mkdir(parents=True)
    (hub.folder / "drop" / "circle").symlink_to(hub.folder / "drop" / "circle")
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
