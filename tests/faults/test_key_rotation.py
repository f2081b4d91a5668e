"""Keys and seals replaced while packages are being made, by real processes on both stacks: no gap, no failure, all verifies."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import update

from core.ports.subscriber import Change
from core.sealing.authority import JOURNAL, PDF_SIGNER
from core.sealing.succession import FRESH_S
from core.service.package_files import PackageFiles
from core.store.tables import package
from core.verification.report import VerificationReport
from core.verification.verify import verify_file
from faults import hub_process
from hub_material import MadeHub, publish
from licencehub.app import Hub
from services.process import guarded, wait_until

pytestmark = pytest.mark.faults
FORMS = ("ofd", "pdf")
DAY_MS = 86_400_000


def command(made: MadeHub, *arguments: str) -> Any:
    """``licence-hub`` as a process; its JSON."""
    whole = [sys.executable, "-m", "licencehub", "-c", str(made.path), *arguments, "--json"]
    done = subprocess.run(
        whole, env=made.environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@contextmanager
def serving(made: MadeHub, log: Path) -> Iterator[None]:
    """The whole hub as it is run: one process on the embedded stack, a process for each role in production."""
    settings = {"LICENCE_HUB__GATEWAY__PORT": "0", "LICENCE_HUB__SCHEDULER__PACKAGE_SWEEP_S": "1"}
    environment = {**made.environment, **settings}
    with log.open("wb") as out:
        whole = guarded([sys.executable, "-m", "licencehub", "-c", str(made.path), "serve"])
        process = subprocess.Popen(whole, env=environment, stdout=out, stderr=out)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@contextmanager
def sending(hub: Hub) -> Iterator[list[str]]:
    """Records arrive without a pause; the licence numbers sent so far."""
    sent: list[str] = []
    stop = Event()

    def send() -> None:
        while not stop.wait(0.2):
            numbers = [f"K-{len(sent) + n}" for n in range(3)]
            publish(hub, numbers)
            sent.extend(numbers)

    sender = Thread(target=send)
    sender.start()
    try:
        yield sent
    finally:
        stop.set()
        sender.join()


class Sealed(NamedTuple):
    """What the library keeps of one package, and what stands in its file."""

    algorithm: str
    key_id: str
    report: VerificationReport


def packaged(hub: Hub) -> int:
    return hub.store.packages.states().get("packaged", 0)


def packaging(hub: Hub, form: str) -> list[Change]:
    """Journal entries of packages of one form, in order."""
    entries = hub.store.journal.entries(-1, 100_000)
    return [one for one in entries if one.kind == "licence.packaged" and one.data["form"] == form]


def kept(hub: Hub, change: Change) -> Sealed:
    licence_id, form = UUID(change.subject), change.data["form"]
    row = hub.store.packages.get(licence_id, 1, form)
    assert row is not None
    data = PackageFiles(hub.store).file(licence_id, 1, form)
    return Sealed(row.algorithm, row.key_id, verify_file(data, hub.trust, library=hub.store.licences))


def assert_handed_over(changes: list[Change], before: str, after: str, retired_ms: int) -> None:
    """The old key signed until the new one did, and never again."""
    keys = [change.data["key_id"] for change in changes]
    assert keys == sorted(keys, key=[before, after].index)
    assert set(keys) == {before, after}
    late = [change.at_ms - retired_ms for change in changes if change.data["key_id"] == before]
    assert max(late) < (FRESH_S + 5) * 1000


def test_seal_and_keys_are_replaced_while_packages_are_made_without_a_gap(
    made: MadeHub, hub: Hub, tmp_path: Path
) -> None:
    log = tmp_path / "serve.log"
    old_seal = hub.seals.open("development").signer.key_id
    old_pdf, old_journal = hub.keys(PDF_SIGNER).signer().key_id, hub.keys(JOURNAL).signer().key_id
    with serving(made, log):
        with sending(hub) as sent:
            wait_until(lambda: packaged(hub) >= 20, timeout_s=60, what="the first packages", log=log)
            wait_until(
                lambda: bool(hub.store.journal.checkpoints()), timeout_s=60, what="a checkpoint", log=log
            )
            command(made, "seal", "new", "following", "--owner", "滨海市行政审批服务局")
            new_pdf = command(made, "ca", "renew", PDF_SIGNER)["key_id"]
            new_journal = command(made, "ca", "renew", JOURNAL)["key_id"]
            command(made, "seal", "retire", "development")
            retired_ms = time.time_ns() // 1_000_000
            new_seal = hub.seals.open("following").signer.key_id
            wait_until(
                lambda: (
                    {old_pdf, new_pdf, old_seal, new_seal}
                    <= {change.data["key_id"] for form in FORMS for change in packaging(hub, form)}
                ),
                timeout_s=60,
                what="packages by the new keys",
                log=log,
            )
            wait_until(
                lambda: {one.key_id for one in hub.store.journal.checkpoints()} == {old_journal, new_journal},
                timeout_s=60,
                what="a checkpoint by the new key",
                log=log,
            )
            time.sleep(2 * FRESH_S)
        wait_until(lambda: packaged(hub) == 2 * len(sent), timeout_s=120, what="all packages", log=log)
        wait_until(lambda: hub.store.journal.pending() == 0, timeout_s=30, what="the journal", log=log)
    assert hub.store.packages.states() == {"packaged": 2 * len(sent)}
    assert "cannot be used" not in log.read_text()
    assert "packages wait" not in log.read_text()
    assert_handed_over(packaging(hub, "ofd"), old_seal, new_seal, retired_ms)
    assert_handed_over(packaging(hub, "pdf"), old_pdf, new_pdf, retired_ms)
    for change in [*packaging(hub, "ofd"), *packaging(hub, "pdf")]:
        sealed = kept(hub, change)
        assert sealed.report.verdict.value == "valid", sealed.report.as_dict()
        (facts,) = sealed.report.signatures
        assert (facts.algorithm, facts.key_id) == (sealed.algorithm, sealed.key_id)
        assert facts.signer
    assert command(made, "journal", "verify")["valid"]
    keys = {row["name"]: row["in_use"] for row in command(made, "ca", "list")}
    assert keys == {"pdf-signer": False, "pdf-signer-2": True, "journal": False, "journal-2": True}


def backlog(hub: Hub, numbers: list[str], days: int) -> None:
    """Licences whose packages were asked for ``days`` ago and not made since."""
    publish(hub, numbers)
    hub_process.ROLES["worker"](hub, hub_process.Fuse(0))
    with hub.store.database.begin() as connection:
        connection.execute(update(package).values(created_ms=package.c.created_ms - days * DAY_MS))


def test_what_waited_since_before_the_new_seal_began_is_sealed_by_it_at_the_time_of_sealing(
    made: MadeHub, hub: Hub
) -> None:
    backlog(hub, ["B-1", "B-2"], days=3)
    began = time.time()
    command(made, "seal", "new", "following", "--owner", "滨海市行政审批服务局")
    command(made, "seal", "retire", "development")
    hub_process.ROLES["packager"](hub, hub_process.Fuse(0))
    hub.store.journal.sequence(10)
    changes = [change for form in FORMS for change in packaging(hub, form)]
    assert len(changes) == 4
    for change in changes:
        sealed = kept(hub, change)
        assert sealed.report.verdict.value == "valid"
        (facts,) = sealed.report.signatures
        assert facts.signed_at is not None
        assert facts.signed_at.timestamp() >= began - 1


def test_a_seal_whose_key_is_gone_keeps_no_other_from_sealing(made: MadeHub, hub: Hub) -> None:
    command(made, "seal", "new", "a-broken-one", "--owner", "甲")
    (hub.authority_folder / "seals" / "seal-a-broken-one.key").unlink()
    backlog(hub, ["B-1", "B-2"], days=0)
    hub_process.ROLES["packager"](hub, hub_process.Fuse(0))
    assert hub.store.packages.states() == {"packaged": 4}


def test_with_every_seal_out_of_reach_packages_wait_say_why_and_are_made_later(
    made: MadeHub, hub: Hub, tmp_path: Path
) -> None:
    log = tmp_path / "serve.log"
    key = hub.authority_folder / "seals" / "seal-development.key"
    aside = key.rename(key.with_suffix(".aside"))
    with serving(made, log):
        publish(hub, ["W-1"])
        wait_until(lambda: "development" in why(hub), timeout_s=60, what="the reason", log=log)
        aside.rename(key)
        wait_until(lambda: packaged(hub) == 2, timeout_s=60, what="the package", log=log)


def why(hub: Hub) -> str:
    """What the list says of packages that are pending."""
    return " ".join(one.detail for one in hub.store.package_queue.list(["pending"]).packages)
