"""Looks after the drop folders of all registered interfaces, each at its own pace, in one thread."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from adapters.filedrop.drop import DAY_S, LEASE_S, FileDrop, Sweep
from adapters.filedrop.folder import DropFolder
from adapters.filedrop.ingest import ingest_folder
from adapters.filedrop.reading import FileIntake
from contracts.interface import Drop
from core.interfaces import InterfaceDirectory, LiveInterface
from core.ports.observe import Observer
from core.store import Store

log = logging.getLogger(__name__)

TICK_S = 0.2
_LISTABLE = {"enabled", "paused"}


class DropPoller:
    """The file drop of a whole hub; ``run`` is the body of its thread."""

    def __init__(
        self,
        directory: InterfaceDirectory,
        data: Path,
        *,
        store: Store,
        intake: FileIntake,
        observer: Observer,
        lease_s: float = LEASE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory, self._data = directory, data
        self._store, self._intake, self._observer = store, intake, observer
        self._lease_s, self._clock = lease_s, clock
        self._drops: dict[str, FileDrop] = {}
        self._due: dict[str, float] = {}
        self._shared: set[str] = set()
        self._purge_at = clock()

    def run(self, stop: threading.Event) -> None:
        """Looks until ``stop`` is set. A fault of one folder leaves the others alone."""
        while not stop.wait(TICK_S):
            self.tick()

    def tick(self) -> None:
        """Looks after every folder that is due. While the registry is out of reach nothing is claimed."""
        if not self._directory.fresh:
            return
        owners: dict[str, str] = {}
        for live in self._directory.all():
            drop = live.declaration.drop
            if drop is None or live.declaration.protocol != "file" or live.state not in _LISTABLE:
                continue
            # Not Path.resolve: it raises for links in a circle, and such a folder must not hold up the others.
            place = os.path.realpath(self._data / drop.folder)
            if owners.setdefault(place, live.declaration.name) != live.declaration.name:
                self._refuse_shared(live.declaration.name, drop.folder)
                continue
            if self._clock() >= self._due.get(live.declaration.name, 0.0):
                self._look(live)
                self._due[live.declaration.name] = self._clock() + drop.poll_s
        if self._clock() >= self._purge_at:
            self._purge_at = self._clock() + DAY_S / 24
            self._purge()

    def _refuse_shared(self, name: str, folder: str) -> None:
        """A folder belongs to one interface: the first by name."""
        if name not in self._shared:
            log.error(
                "drop folder %s of %s belongs to another interface: it is not looked after", folder, name
            )
            self._shared.add(name)
        self._observer.gauge("source_layer_status", 1, adapter=name, layer="folder", status="shared")

    def _look(self, live: LiveInterface) -> None:
        name = live.declaration.name
        try:
            sweep = self._drop_of(live).sweep()
        except Exception:  # the folders of the other interfaces go on
            log.exception("drop folder of %s", name)
            self._observer.count("errors_total", adapter=name, stage="receive", error_type="internal")
            return
        self._observe(name, sweep)

    def _drop_of(self, live: LiveInterface) -> FileDrop:
        name, declared = live.declaration.name, live.declaration.drop
        known = self._drops.get(name)
        if declared is None:
            raise ValueError(f"{name} declares no drop folder")
        if known is None or not known.renew(live, declared):
            known = self._drops[name] = FileDrop(
                live,
                declared,
                self._data,
                intake=self._intake,
                submissions=self._store.submissions,
                ledger=self._store.ledger,
                keyring=self._store.keyring,
                lease_s=self._lease_s,
                clock=self._clock,
            )
        return known

    def _observe(self, name: str, sweep: Sweep) -> None:
        """``source_layer_status`` tells a folder with nothing in it from one that could not be listed."""
        for state in ("listed", "not-listed", "no-space"):
            self._observer.gauge(
                "source_layer_status", sweep.state == state, adapter=name, layer="folder", status=state
            )
        if sweep.listed is not None:
            self._observer.gauge("drop_files", sweep.listed, adapter=name, state="listed")
            self._observer.gauge("drop_files", sweep.waiting, adapter=name, state="waiting")
            self._observer.gauge("drop_files", len(sweep.odd), adapter=name, state="odd")
        for taken in sweep.taken:
            submission = taken.submission
            self._observer.count("received_bytes_total", submission.size_bytes, adapter=name, protocol="file")
            self._observer.count("received_records_total", submission.records, adapter=name, protocol="file")
            self._observer.count("drop_submissions_total", adapter=name, outcome=taken.verdict)

    def _purge(self) -> None:
        for name, purge in (*((name, drop.purge) for name, drop in self._drops.items()), *self._ingested()):
            try:
                removed = purge()
            except OSError as error:
                log.warning("retention of %s: %s", name, error.strerror)
                continue
            if removed:
                log.info("retention of %s: %d files removed", name, removed)

    def _ingested(self) -> Iterator[tuple[str, Callable[[], int]]]:
        """The retention of files that were handed over by name, kept as long as dropped ones; nobody else looks there."""
        for live in self._directory.all():
            name, drop = live.declaration.name, live.declaration.drop or Drop(folder="")
            folder = DropFolder(self._data / ingest_folder(name), self._store.keyring)
            if folder.path.is_dir():
                yield name, partial(folder.purge, drop.retention_days * DAY_S)
