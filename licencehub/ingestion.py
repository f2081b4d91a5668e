"""``ingest`` and ``replay``: records in by command, waited for until each has its outcome."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from uuid import UUID

import msgspec

from adapters.filedrop.ingest import FileIngest
from adapters.filedrop.reading import FileIntake, Taken
from contracts.interface import Interface
from contracts.mapping import compile_interface
from core.errors import NotFound, Refused
from core.interfaces import LiveInterface
from licencehub.app import Hub
from licencehub.presence import WORKER_LEASE
from licencehub.supervision import Child, collect_seldom, kept_running, run_processes

POLL_S = 0.1
LOOK_S = 1.0
"""How often a command looks whether the worker it relies on is still alive."""
POLL_SHARE = 10
"""Pauses between two questions to the ledger are at least so many times as long as its answer took."""
Progress = Callable[[int, int], None]
"""Called with records that have their outcome, and all that were read so far."""


def live_interface(hub: Hub, name: str) -> LiveInterface:
    """The registered interface, whatever its state; raises ``NotFound``."""
    snapshot = hub.store.registry.snapshot()
    entry = snapshot.find("interface", name)
    if entry is None:
        raise NotFound(f"there is no interface {name}", f"没有接口 {name}")
    declaration = msgspec.convert(entry.declaration, Interface)
    return LiveInterface(declaration, entry.state, snapshot.revision, compile_interface(declaration))


@contextmanager
def worker_at_hand(hub: Hub, config: Path) -> Iterator[None]:
    """On the embedded stack, runs a worker process beside the block while no other is alive: reading is work, too."""
    if hub.config.bus.kind != "embedded":
        yield
        return
    stop, leases = Event(), hub.store.leases

    def stand_in(stop: Event) -> None:
        # Looked at again and again: who holds the lease may end before the block does, or was killed a moment ago.
        while leases.holder(WORKER_LEASE) is not None:
            if stop.wait(LOOK_S):
                return
        quiet = {"LICENCE_HUB__LOG__LEVEL": "warning"}  # the command's own words are what a person reads
        run_processes([Child("own-worker", ["-c", str(config), "serve", "--role", "worker"], quiet)], stop)

    thread = Thread(target=kept_running, args=("own-worker", stand_in, stop), name="own-worker")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def ingest_files(
    hub: Hub, config: Path, interface: str, files: Sequence[Path], progress: Progress
) -> list[Taken]:
    """Takes the files in and returns when every record of them has an outcome; ``config`` is the file of the hub's settings.

    Raises ``NotFound``; ``Refused`` when the interface takes no records; ``Unavailable`` when bus or store are away.
    """
    live = live_interface(hub, interface)
    if live.state != "enabled":
        raise Refused(
            "interface-not-enabled",
            f"interface {interface} is {live.state}: enable it first (licence-hub interface enable {interface})",
            summary_zh=f"接口 {interface} 当前为 {live.state}，请先启用",
        )
    collect_seldom()
    store = hub.store
    intake = FileIntake(
        store.submissions, hub.intake(), store.keyring.receipt_key, told=lambda read: progress(0, read)
    )
    ingest = FileIngest(live, hub.config.data, store=store, intake=intake)
    with worker_at_hand(hub, config):
        taken = [ingest.take(file) for file in files]
        hub.manifest.write()
        expected = {one.submission.id: one.submission.records for one in taken if one.verdict == "read"}
        wait_for_submissions(hub, expected, progress)
        ingest.write_receipts()
    return taken


def wait_for_submissions(hub: Hub, expected: dict[UUID, int], progress: Progress) -> None:
    """Returns when the ledger has every record of the submissions."""
    total = sum(expected.values())
    while True:
        asked = time.monotonic()
        done = sum(sum(hub.store.ledger.totals(submission=submission).values()) for submission in expected)
        progress(done, total)
        if done >= total:
            return
        time.sleep(max(POLL_S, POLL_SHARE * (time.monotonic() - asked)))


def wait_for_receipts(hub: Hub, receipts: Sequence[UUID], progress: Progress) -> dict[str, int]:
    """Outcomes of the receipts, once all have one."""
    while True:
        rows = hub.store.ledger.outcomes(receipts)
        progress(len(rows), len(receipts))
        if len(rows) >= len(set(receipts)):
            counts: dict[str, int] = {}
            for row in rows.values():
                counts[row.outcome.value] = counts.get(row.outcome.value, 0) + 1
            return counts
        time.sleep(POLL_S)
