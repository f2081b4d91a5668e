"""The package worker when one version is broken, or the host is: sound packages are made, now or when the host is well again."""

import errno
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.errors import DataError, InternalError, Unavailable
from core.packaging.bundle import package_bundles
from core.packaging.request import PackageRequest
from core.packaging.style import Style
from core.packaging.style_loader import shipped_style
from core.ports.bus import Channel
from core.store.packages import Claim, Made
from packager_material import Bench, Sealing, Version
from router.envelope import package_message
from router.packager import PackageSweep


@pytest.fixture
def bench(tmp_path: Path, sealing: Sealing) -> Iterator[Bench]:
    made = Bench(tmp_path, sealing)
    yield made
    made.close()


def alter(bench: Bench, version: Version) -> None:
    """One bit of a version's document turns over on the disk."""
    with bench.store.database.begin() as connection:
        guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'licence_version'"
        for (guard,) in connection.exec_driver_sql(guards).all():
            connection.exec_driver_sql(f"DROP TRIGGER {guard}")
        here = (version[0].bytes, version[1])
        (document,) = connection.exec_driver_sql(
            "SELECT document FROM licence_version WHERE licence_id = ? AND version_no = ?", here
        ).one()
        broken = document[:-1] + bytes([document[-1] ^ 1])
        connection.exec_driver_sql(
            "UPDATE licence_version SET document = ? WHERE licence_id = ? AND version_no = ?", (broken, *here)
        )


def test_a_version_that_cannot_be_decrypted_is_held_alone(bench: Bench) -> None:
    versions = [bench.stored(f"A-{n}") for n in range(3)]
    alter(bench, versions[1])
    assert bench.worker.make(versions) == 2
    assert [bench.state(version)[0] for version in versions] == ["packaged", "failed", "packaged"]
    assert "a sealed value was altered or moved" in bench.state(versions[1])[1]


def test_the_sweep_does_not_bring_a_broken_version_back(bench: Bench) -> None:
    alter(bench, version := bench.stored("A-1"))
    bench.worker.make([version])
    PackageSweep(bench.bus, bench.store.packages, idle_s=0)()
    with bench.bus.consumer(Channel.PACKAGES, 4) as consumer:
        assert bench.worker.step(consumer, 0.01) == 0


def test_a_package_the_store_refuses_is_held_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = [bench.stored(f"A-{n}") for n in range(3)]
    real = bench.store.packages.finish

    def finish(finished: Sequence[tuple[Claim, dict[str, Made]]]) -> list[bool]:
        if any(claim.licence_id == versions[1][0] for claim, _ in finished):
            raise DataError("the store refuses the data (54000)", receipt="")
        return real(finished)

    monkeypatch.setattr(bench.store.packages, "finish", finish)
    assert bench.worker.make(versions) == 2
    assert [bench.state(version)[0] for version in versions] == ["packaged", "failed", "packaged"]


def test_what_breaks_the_composition_of_one_does_not_keep_the_others_from_a_seal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [bench.stored(f"A-{n}") for n in range(3)]

    def composed(requests: Sequence[PackageRequest], *rest: object) -> object:
        if any(request.licence_id == versions[1][0] for request in requests):
            raise OSError("image file is truncated")  # Pillow's own: it is about data
        return package_bundles(requests, *rest)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr("router.packager.package_bundles", composed)
    assert bench.worker.make(versions) == 2
    assert [bench.state(version)[0] for version in versions] == ["packaged", "failed", "packaged"]


class Full:
    """The disk is full for a licence type's style; the other's is cached already."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mended = False
        self.of = "11100000MB03271699002"
        monkeypatch.setattr(bench.dressing, "style", self.style)

    def style(self, licence_type: str) -> Style:
        if licence_type == self.of and not self.mended:
            raise OSError(errno.ENOSPC, "No space left on device")
        return shipped_style("permit")


def test_a_full_disk_fails_no_package_for_good_and_the_rest_is_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Full(bench, monkeypatch)
    waiting, other = bench.stored("B-1", fields={"licence_type": disk.of}), bench.stored("A-1")
    for _ in range(12):
        with pytest.raises(Unavailable, match="No space left"):
            bench.worker.make([waiting, other])
    assert bench.state(other)[0] == "packaged"
    state, why = bench.state(waiting)
    assert (state, "本机暂不可用" in why) == ("pending", True)
    disk.mended = True
    assert bench.worker.make([waiting]) == 1


def test_an_error_of_the_host_while_packages_are_kept_lets_them_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [bench.stored(f"A-{n}") for n in range(2)]

    def composed(*_arguments: object) -> object:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr("router.packager.package_bundles", composed)
        with pytest.raises(Unavailable, match="Too many open files"):
            bench.worker.make(versions)
    assert [bench.state(version)[0] for version in versions] == ["pending", "pending"]
    assert bench.worker.make(versions) == 2


def test_what_one_batch_of_a_message_waits_for_does_not_keep_back_the_next(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Full(bench, monkeypatch)
    monkeypatch.setattr(bench.worker, "_batch", 1)
    waiting, other = bench.stored("B-1", fields={"licence_type": disk.of}), bench.stored("A-1")
    bench.bus.publish_many(Channel.PACKAGES, [package_message([waiting, other])])
    with bench.bus.consumer(Channel.PACKAGES, 4) as consumer:
        assert bench.worker.step(consumer, 1.0) == 1
    assert [bench.state(version)[0] for version in (waiting, other)] == ["pending", "packaged"]


def test_a_store_that_goes_away_while_a_package_is_held_leaves_the_rest_to_be_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [bench.stored(f"A-{n}") for n in range(2)]

    def record(*_version: object) -> object:
        raise InternalError("a sealed value was altered or moved")

    def away(*_arguments: object) -> None:
        raise Unavailable("the store is away")

    with monkeypatch.context() as patched:
        patched.setattr(bench.store.licences, "record", record)
        patched.setattr(bench.store.packages, "hold", away)
        assert bench.worker.make(versions[:1]) == 0
    assert bench.state(versions[0])[0] == "claimed", "the lease brings it back"
    assert bench.worker.make(versions[1:]) == 1
