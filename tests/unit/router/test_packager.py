"""The package worker on a real store, bus and seal, with a seal that is away, and makers that race."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.errors import FenceLost, NotFound, Unavailable
from core.ports.bus import Channel
from core.service.package_files import PackageFiles
from packager_material import Bench, Sealing
from router.envelope import package_message
from router.packager import PackageSweep


@pytest.fixture
def bench(tmp_path: Path, sealing: Sealing) -> Iterator[Bench]:
    made = Bench(tmp_path, sealing)
    yield made
    made.close()


def test_a_version_becomes_a_package_that_verifies_against_the_library(bench: Bench) -> None:
    versions = [bench.stored(f"A-{n}") for n in range(3)]
    bench.bus.publish_many(Channel.PACKAGES, [package_message(versions)])
    with bench.bus.consumer(Channel.PACKAGES, 4) as consumer:
        assert bench.worker.step(consumer, 1.0) == 1
    assert [bench.state(version)[0] for version in versions] == ["packaged"] * 3
    assert {bench.verdict(version) for version in versions} == {"valid"}
    assert bench.store.licences.get(versions[0][0], "sharing").sealed
    bench.store.journal.sequence(1)
    kinds = [change.kind for change in bench.store.journal.entries(-1)]
    assert kinds.count("licence.packaged") == 3


def test_with_a_document_signer_the_pdf_and_the_picture_come_with_the_ofd(bench: Bench) -> None:
    bench.dressing.documents = bench.sealing.documents
    version = bench.stored("A-1")
    assert bench.worker.make([version]) == 1
    assert [bench.verdict(version, form) for form in ("ofd", "pdf")] == ["valid", "valid"]
    row = bench.store.packages.get(*version)
    assert row is not None
    assert row.thumbnail is not None
    assert bench.store.blobs.get(row.thumbnail)[:3] == b"\xff\xd8\xff"


def test_an_unsealed_licence_is_not_shared(bench: Bench) -> None:
    version = bench.stored("A-1")
    with pytest.raises(NotFound):
        bench.store.licences.get(version[0], "sharing")
    with pytest.raises(NotFound):
        PackageFiles(bench.store).file(*version)


def test_a_package_asked_for_twice_is_sealed_once(bench: Bench) -> None:
    version = bench.stored("A-1")
    assert bench.worker.make([version, version]) == 1
    before = bench.store.packages.get(*version)
    assert bench.worker.make([version]) == 0
    assert bench.store.packages.get(*version) == before


def test_a_seal_that_is_away_leaves_the_package_waiting_and_the_sweep_brings_it_back(bench: Bench) -> None:
    version = bench.stored("A-1")
    bench.sealing.signer.away = 1
    with pytest.raises(Unavailable):
        bench.worker.make([version])
    assert bench.state(version) == ("pending", "the seal service is away")
    PackageSweep(bench.bus, bench.store.packages, idle_s=0)()
    with bench.bus.consumer(Channel.PACKAGES, 4) as consumer:
        bench.worker.step(consumer, 1.0)
    assert bench.state(version)[0] == "packaged"


def test_an_outage_of_the_seal_never_uses_up_a_packages_attempts(bench: Bench) -> None:
    version = bench.stored("A-1")
    bench.sealing.signer.away = 12
    for _ in range(12):
        with pytest.raises(Unavailable):
            bench.worker.make([version])
    assert bench.worker.make([version]) == 1


def test_a_version_superseded_before_its_package_is_recorded_not_sealed(bench: Bench) -> None:
    first = bench.stored("A-1", order="1")
    claims = bench.store.packages.claim([first], 60)
    second = bench.stored("A-1", order="2", note="changed")
    assert bench.worker.make([first]) == 0
    assert bench.worker.make([second]) == 1
    assert bench.state(first)[0] in {"superseded", "claimed"}
    assert claims[0].version_no == 1
    assert bench.verdict(second) == "valid"


def test_a_maker_whose_claim_has_lapsed_cannot_finish(bench: Bench) -> None:
    version = bench.stored("A-1")
    (lapsed,) = bench.store.packages.claim([version], lease_s=-1)
    assert bench.worker.make([version]) == 1
    with pytest.raises(FenceLost):
        bench.store.packages.hold(lapsed, "failed", "too late")
    assert bench.state(version)[0] == "packaged"


def test_a_name_the_font_cannot_write_waits_with_its_characters(bench: Bench) -> None:
    version = bench.stored("A-1", fields={"licence_name": "许可证𠮷"})
    assert bench.worker.make([version]) == 0
    assert bench.state(version) == ("needs-glyph", "𠮷")
    assert bench.store.package_queue.release("needs-glyph", actor="a", reason="r") == 1
    assert bench.state(version)[0] == "pending"


def test_a_licence_nobody_may_seal_is_held_and_says_so(bench: Bench) -> None:
    version = bench.stored("A-1")
    bench.dressing.missing = True
    assert bench.worker.make([version]) == 0
    state, detail = bench.state(version)
    assert state == "failed"
    assert "no seal may sign" in detail


def test_a_message_that_is_no_list_of_versions_is_parked(bench: Bench) -> None:
    message = package_message([bench.stored("A-1")])
    bench.bus.publish_many(Channel.PACKAGES, [type(message)(id="x", body=b"\xc1")])
    with bench.bus.consumer(Channel.PACKAGES, 4) as consumer:
        bench.worker.step(consumer, 1.0)
    assert len(bench.bus.parked()) == 1


def test_a_template_that_could_not_be_kept_is_kept_with_the_next_package(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = bench.stored("A-1")

    def away(_contents: Sequence[tuple[bytes, str]]) -> list[bytes]:
        raise Unavailable("the store is away")

    with monkeypatch.context() as outage:
        outage.setattr(bench.store.blobs, "put_all", away)
        with pytest.raises(Unavailable):
            bench.worker.make([version])
    assert bench.worker.make([version]) == 1
    assert bench.verdict(version) == "valid"
