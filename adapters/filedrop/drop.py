"""One look after a drop folder: take up what was left, claim what is whole, read it, file it away, write due receipts."""

import logging
import os
import time
from collections.abc import Callable
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec

from adapters.filedrop.completion import Completion, ManifestEntry, parse_manifest
from adapters.filedrop.folder import ARCHIVE, REFUSED, Claim, ClaimNote, DropFolder, Listing, note_of
from adapters.filedrop.reading import FileIntake, Taken
from adapters.filedrop.receipts import ReceiptFiles, is_complete, receipt_document
from adapters.filedrop.rules import MANIFEST_BROKEN, MANIFEST_MISMATCH, TOO_LARGE
from contracts.fault import Fault
from contracts.interface import Drop
from core.errors import NotFound, TransientError
from core.interfaces import LiveInterface
from core.keyring import Keyring
from core.store.ledger import LedgerStore
from core.store.submissions import SubmissionStore

log = logging.getLogger(__name__)

LEASE_S = 30.0
"""Age of a claim that nobody works on before another process takes it up."""
MAX_MANIFEST_BYTES = 16 * 1024**2
DAY_S = 86_400.0

SweepState = Literal["listed", "not-listed", "no-space"]


class Sweep(msgspec.Struct):
    """What one look found and did."""

    state: SweepState = "listed"
    listed: int | None = None
    """Regular files in the folder; None when it could not be listed."""
    odd: tuple[str, ...] = ()
    """Links and other things that are no files."""
    waiting: int = 0
    """Files that are not whole yet."""
    taken: list[Taken] = []
    postponed: int = 0
    """Files whose reading was cut by bus, store or disk; taken up again."""


class FileDrop:
    """The drop folder of one interface; one thread at a time."""

    def __init__(
        self,
        live: LiveInterface,
        drop: Drop,
        root: Path,
        *,
        intake: FileIntake,
        submissions: SubmissionStore,
        ledger: LedgerStore,
        keyring: Keyring,
        lease_s: float = LEASE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._live, self._drop = live, drop
        self._intake, self._submissions, self._ledger = intake, submissions, ledger
        self._lease_s = lease_s
        self.folder = DropFolder(root / drop.folder, keyring)
        self._receipts = ReceiptFiles(self.folder.path)
        self._completion = Completion(drop, clock)
        self._given_up: set[str] = set()

    def renew(self, live: LiveInterface, drop: Drop) -> bool:
        """Goes on under a newer registry revision; False when the drop itself was declared otherwise."""
        if drop == self._drop:
            self._live = live
        return drop == self._drop

    def sweep(self) -> Sweep:
        """One look; raises nothing that concerns a single file. Paused interfaces only get their receipts."""
        sweep = Sweep()
        try:
            self.folder.prepare()
            listing = self.folder.look()
        except OSError as error:
            log.warning("drop folder of %s cannot be listed: %s", self._live.declaration.name, error.strerror)
            sweep.state = "not-listed"
            return sweep
        sweep.listed, sweep.odd = len(listing.files), listing.odd
        if self._live.state == "enabled":
            if self.has_room():
                self._take_all(listing, sweep)
            else:
                sweep.state = "no-space"
        self._write_receipts()
        return sweep

    def has_room(self) -> bool:
        """Whether the disk has the space that a reading needs."""
        return self.folder.free_bytes() >= self._drop.min_free_bytes

    def take_copy(self, file: Path) -> Taken | None:
        """Reads a copy of a file from anywhere; None when bus, store or disk are away: the copy is kept and taken up later.

        Raises ``OSError`` when the file cannot be copied.
        """
        claim = None
        while claim is None:  # another may clear away what is not begun within its lease
            claim = self.folder.claim_copy(file)
        sweep = Sweep()
        self._guarded(claim, sweep)
        return sweep.taken[0] if sweep.taken else None

    def purge(self) -> int:
        """Removes what is past its retention; counts the files."""
        return self.folder.purge(self._drop.retention_days * DAY_S)

    def _take_all(self, listing: Listing, sweep: Sweep) -> None:
        for claim_id in self.folder.orphans(self._lease_s, self._given_up):
            self._work_on(partial(self.folder.take_up, claim_id), sweep)
        for name in filter(partial(self._is_ready, listing), self._completion.manifests(listing)):
            self._claim(name, note_of(name), sweep)
        for name, note in self._completion.whole(listing):
            self._claim(name, note, sweep)
        candidates = [found.name for found in listing.files if self._completion.is_candidate(found.name)]
        sweep.waiting = sum(os.path.lexists(self.folder.path / name) for name in candidates)

    def _claim(self, name: str, note: ClaimNote, sweep: Sweep) -> bool:
        return self._work_on(partial(self.folder.claim, name, note), sweep)

    def _work_on(self, claiming: Callable[[], Claim | None], sweep: Sweep) -> bool:
        """Whether there is a claim; what becomes of its file is in ``sweep``."""
        try:
            claim = claiming()
        except OSError as error:
            log.warning("a file of %s cannot be claimed: %s", self._live.declaration.name, error.strerror)
            sweep.postponed += 1
            return False
        if claim is not None:
            self._guarded(claim, sweep)
        return claim is not None

    def _guarded(self, claim: Claim, sweep: Sweep) -> None:
        """Works on a claim; when bus, store or disk fail it stays claimed and is taken up at the next look."""
        self._given_up.discard(claim.id)
        try:
            if self._is_manifest(claim):
                self._take_manifest(claim, sweep)
            else:
                sweep.taken.append(self._take(claim))
        except (TransientError, OSError) as error:
            log.warning("reading for %s is postponed: %s", self._live.declaration.name, type(error).__name__)
            self._given_up.add(claim.id)
            sweep.postponed += 1
        except (
            Exception
        ):  # a file that meets a defect of ours must not hold up the others; tried again after the lease
            log.exception("reading for %s", self._live.declaration.name)
            sweep.postponed += 1
        finally:
            claim.release()

    def _take(self, claim: Claim) -> Taken:
        origin = claim.note.origin
        fault = self._unfit(claim)
        if fault is not None:
            taken = self._intake.refuse(claim.stream, origin, self._live, fault, claim=claim.id)
        else:
            taken = self._intake.take(claim.stream, origin, self._live, claim=claim.id)
        submission = taken.submission.id
        self._receipts.owe(submission)
        claim.file_away(REFUSED if taken.verdict == "refused" else ARCHIVE, submission)
        return taken

    def _unfit(self, claim: Claim) -> Fault | None:
        """What refuses the file before it is read."""
        size, note = claim.size_bytes, claim.note
        if size > self._drop.max_bytes:
            return TOO_LARGE.at("", size=size, limit=self._drop.max_bytes)
        if note.sha256 and not _matches_manifest(claim):
            return MANIFEST_MISMATCH.at("")
        return None

    def _is_ready(self, listing: Listing, manifest: str) -> bool:
        """Whether all files of a manifest are there; a broken one is ready to be refused."""
        try:
            content = self.folder.read(manifest, MAX_MANIFEST_BYTES)
        except OSError as error:
            log.warning("a manifest of %s cannot be read: %s", self._live.declaration.name, error.strerror)
            return False
        if content is None:
            return False
        try:
            entries = parse_manifest(content)
        except (ValueError, msgspec.DecodeError):
            return True
        return {entry.name for entry in entries} <= {found.name for found in listing.files}

    def _is_manifest(self, claim: Claim) -> bool:
        return self._drop.completion == "manifest" and claim.note.origin.endswith(self._drop.manifest_suffix)

    def _take_manifest(self, claim: Claim, sweep: Sweep) -> None:
        """Claims the files of a manifest; taken up again, those that are left.

        The manifest shrinks to them: a file of the next delivery, under the name of one that is done, is not judged by it.
        """
        claim.stream.seek(0)
        try:
            entries = parse_manifest(claim.stream.read(MAX_MANIFEST_BYTES))
        except (ValueError, msgspec.DecodeError) as error:
            fault = MANIFEST_BROKEN.at("", reason=type(error).__name__)
            taken = self._intake.refuse(claim.stream, claim.note.origin, self._live, fault, claim=claim.id)
            self._receipts.owe(taken.submission.id)
            claim.file_away(REFUSED, taken.submission.id)
            sweep.taken.append(taken)
            return
        left = [
            entry
            for entry in entries
            if not self._claim(entry.name, _note(entry), sweep)
            and os.path.lexists(self.folder.path / entry.name)
        ]
        if not left:
            claim.discard()
            return
        self._given_up.add(claim.id)
        sweep.postponed += 1
        if len(left) < len(entries):
            claim.replace(msgspec.json.encode(left))

    def _write_receipts(self) -> None:
        """Writes the receipt files whose records all have an outcome."""
        for owed in self._receipts.owed():
            try:
                with self._receipts.turn(owed) as ours:
                    if ours:
                        self._write_receipt(owed)
            except (TransientError, NotFound, OSError) as error:
                log.warning(
                    "a receipt file of %s waits: %s", self._live.declaration.name, type(error).__name__
                )

    def _write_receipt(self, owed: UUID) -> None:
        submission = self._submissions.get(owed)
        if is_complete(submission, self._ledger):
            self._receipts.write(submission.origin, owed, receipt_document(submission, self._ledger))
            self._receipts.written(owed)


def _note(entry: ManifestEntry) -> ClaimNote:
    return note_of(entry.name, size_bytes=entry.size_bytes, sha256=entry.sha256.lower())


def _matches_manifest(claim: Claim) -> bool:
    claim.stream.seek(0)
    return (
        claim.size_bytes == claim.note.size_bytes
        and file_digest(claim.stream, "sha256").hexdigest() == claim.note.sha256
    )
