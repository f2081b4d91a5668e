"""SIGKILL at the n-th step of every role, n = 1, 2, 3 … until a run ends by itself, on both stacks.

Judged by a ledger of attempts: every record that was accepted has exactly one outcome (0 lost) and one effect (0 double),
and nothing is stored that was never sent (0 phantom).
"""

import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from contracts.chunk import Entry
from contracts.identifier import build
from contracts.outcome import Outcome
from contracts.record import Attachment, SourceClass
from core.sealing.authority import JOURNAL
from core.service.journal_audit import JournalAudit
from core.service.package_files import PackageFiles
from core.service.trust import checkpoint_check
from core.store.licences import LicenceQuery, LicenceView
from core.verification.verify import verify_file
from faults import hub_process
from hub_material import KILLED, MadeHub, publish
from licencehub.app import Hub
from ofd_material import IDENTIFIER, document, sealed_members, zipped
from scan_material import scan
from services.process import free_port, wait_until
from signing_material import material
from store_material import ISSUER, TYPE

pytestmark = pytest.mark.faults
MOST_STEPS = 60


def licences(hub: Hub) -> list[LicenceView]:
    found: list[LicenceView] = []
    cursor = ""
    while True:
        page = hub.store.licences.find(LicenceQuery(scope="management"), cursor, 500)
        found += page.licences
        cursor = page.next
        if not cursor:
            return found


def work(hub: Hub, role: str) -> None:
    """What was left half done is finished, as a restarted process would."""
    hub_process.ROLES[role](hub, hub_process.Fuse(0))


def judge(hub: Hub, sent: list[Entry]) -> None:
    """The ledger of attempts against the library."""
    rows = hub.store.ledger.outcomes([entry.receipt for entry in sent])
    assert [entry.receipt for entry in sent if entry.receipt not in rows] == []
    assert {row.outcome for row in rows.values()} == {Outcome.NEW, Outcome.NEWER}
    numbers = [entry.record.licence_number for entry in sent if entry.record]
    stored = {view.licence_number: view.versions for view in licences(hub)}
    assert stored == {number: numbers.count(number) for number in numbers}


def test_a_record_worker_killed_anywhere_loses_nothing_and_does_nothing_twice(
    made: MadeHub, hub: Hub
) -> None:
    sent: list[Entry] = []
    killed = 0
    for step in range(1, MOST_STEPS):
        numbers = [f"W-{step}-{n}" for n in range(4)]
        sent += publish(hub, numbers, twice=step % 2 == 0)
        sent += publish(hub, numbers[:1], order="2")
        status = made.run("worker", step)
        work(hub, "worker")
        if status != KILLED:
            break
        killed += 1
    assert killed >= 6
    judge(hub, sent)
    assert hub.bus.parked() == []


def test_a_sequencer_killed_anywhere_leaves_a_dense_journal_that_verifies(made: MadeHub, hub: Hub) -> None:
    killed = 0
    for step in range(1, MOST_STEPS):
        for n in range(3):
            hub.store.journal.record("interface.changed", f"{step}-{n}", {})
        status = made.run("sequencer", step)
        work(hub, "sequencer")
        if status != KILLED:
            break
        killed += 1
    audit = JournalAudit(hub.store.journal, checkpoint_check(hub.keys(JOURNAL).certificates())).run()
    assert killed >= 4
    assert audit.fault == ""
    subjects = [change.subject for change in hub.store.journal.entries(-1, 10_000)]
    assert len(subjects) == len(set(subjects)) == 3 * (killed + 1)


def test_a_packager_killed_anywhere_seals_every_version_once_and_verifiably(made: MadeHub, hub: Hub) -> None:
    killed = 0
    for step in range(1, MOST_STEPS):
        publish(hub, [f"P-{step}-{n}" for n in range(2)])
        work(hub, "worker")
        status = made.run("packager", step)
        work(hub, "packager")
        if status != KILLED:
            break
        killed += 1
    assert killed >= 6
    views = licences(hub)
    assert packaged(hub, "form") == sorted((str(view.id), form) for view in views for form in ("ofd", "pdf"))
    assert {verdict(hub, view.id, form) for view in views for form in ("ofd", "pdf")} == {"valid"}


def test_a_packager_killed_anywhere_makes_scanned_licences_once_and_keeps_originals_as_they_came(
    made: MadeHub,
) -> None:
    made.trust(material().root.certificate)
    originals: dict[str, bytes] = {}
    with made.hub() as hub:
        killed = 0
        for step in range(1, MOST_STEPS):
            publish_scanned(hub, f"S-{step}")
            originals[f"E-{step}"] = publish_original(hub, f"E-{step}")
            work(hub, "worker")
            status = made.run("packager", step)
            work(hub, "packager")
            if status != KILLED:
                break
            killed += 1
        assert killed >= 6
        views = licences(hub)
        forms = {
            (view.id, form): view.licence_number in originals
            for view in views
            for form in (("ofd",) if view.licence_number in originals else ("ofd", "pdf"))
        }
        assert len(views) == 2 * (killed + 1)
        assert packaged(hub, "form", "original") == sorted(
            (str(of), form, kept) for (of, form), kept in forms.items()
        )
        assert {verdict(hub, of, form) for of, form in forms} == {"valid"}
        kept = {view.licence_number: PackageFiles(hub.store).file(view.id, 1) for view in views}
        assert {number: kept[number] for number in originals} == originals


def packaged(hub: Hub, *data: str) -> list[tuple[object, ...]]:
    """The subject and ``data`` of every package the journal tells of, sorted."""
    hub.store.journal.sequence(10)
    entries = hub.store.journal.entries(-1, 10_000)
    told = (change for change in entries if change.kind == "licence.packaged")
    return sorted((change.subject, *(change.data[name] for name in data)) for change in told)


def publish_scanned(hub: Hub, number: str) -> None:
    """A record typed in beside a scan."""
    page = attached(hub, scan(), "image/jpeg")
    publish(hub, [number], source_class=SourceClass.TYPED, scans=(page,))


def publish_original(hub: Hub, number: str) -> bytes:
    """A record of another library with its sealed original, which is returned."""
    identifier = str(build(TYPE, ISSUER, number.replace("-", ""), 1))
    parts = {
        name: content.replace(IDENTIFIER.encode(), identifier.encode())
        for name, content in document().items()
    }
    data = zipped(sealed_members(parts, material().signer, material().ses))
    publish(
        hub,
        [number],
        source_class=SourceClass.LIBRARY,
        identifier=identifier,
        issuer_name="海州县行政审批局",
        original=attached(hub, data, "application/ofd"),
    )
    return data


def attached(hub: Hub, data: bytes, media: str) -> Attachment:
    """A file in the blob store."""
    return Attachment(digest=hub.store.blobs.put(data, media).hex(), media_type=media, size_bytes=len(data))


def test_a_subscriber_and_its_feeder_killed_anywhere_have_one_effect_per_change(
    made: MadeHub, tmp_path: Path
) -> None:
    port, effects = free_port(), tmp_path / "effects.db"
    made.subscribe("city", f"http://127.0.0.1:{port}/changes")
    with made.hub() as hub:
        killed = 0
        for step in range(1, MOST_STEPS):
            for n in range(3):
                hub.store.journal.record("interface.changed", f"{step}-{n}", {})
            hub.store.journal.sequence(1)
            receiver = webhook(port, step, effects)
            status = made.run("feed", step)
            died = receiver.poll() is not None
            receiver.kill()
            receiver.wait()
            if status != KILLED and not died:
                break
            killed += 1
            again = webhook(port, 0, effects)
            work(hub, "feed")
            again.kill()
            again.wait()
        size = hub.store.journal.head().size
    with sqlite3.connect(effects) as connection:
        numbers = [number for (number,) in connection.execute("SELECT number FROM effect ORDER BY rowid")]
    assert killed >= 3
    assert numbers == list(range(size))


def webhook(port: int, kill_at: int, effects: Path) -> subprocess.Popen[bytes]:
    """A subscriber's process, once it listens."""
    command = [
        sys.executable,
        str(Path(__file__).parent / "webhook_process.py"),
        str(port),
        str(kill_at),
        str(effects),
    ]
    process = subprocess.Popen(command)
    wait_until(lambda: _listens(port), timeout_s=10, what="the subscriber to listen")
    return process


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def verdict(hub: Hub, licence_id: UUID, form: str) -> str:
    data = PackageFiles(hub.store).file(licence_id, 1, form)
    return verify_file(data, hub.trust, library=hub.store.licences).verdict.value
