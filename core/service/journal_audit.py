"""Checking the journal as an outsider would: numbers, leaves, roots, checkpoints, signatures (RFC 6962 section 2.1)."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core import merkle
from core.store.journal import JournalStore, SignedHead

CheckSignature = Callable[[SignedHead, bytes], bool]
"""Whether a checkpoint's signature over that content is good."""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What the check found; ``fault`` is empty when everything holds."""

    size: int
    root: str
    checkpoints: int
    """Checkpoints whose root and signature hold."""
    fault: str = ""
    first_bad: int | None = None
    """The first journal number that does not hold, or that no good checkpoint vouches for."""


class JournalAudit:
    """Recomputes the whole journal in constant memory."""

    def __init__(self, journal: JournalStore, check_signature: CheckSignature) -> None:
        self._journal = journal
        self._check_signature = check_signature

    def run(self) -> Audit:
        """Every entry and every checkpoint, in order; stops at the first that does not hold."""
        hub, head = self._journal.hub_id(), self._journal.head()
        open_ = {signed.size: signed for signed in self._journal.checkpoints()}
        frontier, size, good, proven = b"", 0, 0, 0
        batches = self._journal.rows()
        while True:
            try:
                batch = next(batches, None)
            except (TypeError, ValueError):  # a value of another kind than the column holds
                return self._bad(frontier, size, good, size, f"an entry at or after {size} cannot be read")
            if batch is None:
                break
            for row in batch:
                if row.number != size:
                    return self._bad(
                        frontier, size, good, size, f"entry {size} is missing, {row.number} follows"
                    )
                if _leaf(row) != row.leaf:
                    return self._bad(frontier, size, good, size, f"entry {size} was changed")
                frontier, size = merkle.append(frontier, size, [row.leaf])
                if size in open_:
                    fault = self._checkpoint_fault(open_.pop(size), frontier, hub)
                    if fault:
                        return self._bad(
                            frontier, size, good, proven, f"{fault}: between entries {proven} and {size - 1}"
                        )
                    good, proven = good + 1, size
        return self._end(frontier, size, good, head.size, open_)

    def _end(
        self, frontier: bytes, size: int, good: int, stated: int, left: Mapping[int, SignedHead]
    ) -> Audit:
        later = [signed.size for signed in left.values() if signed.size > size]
        if size < stated or later:
            most = max([stated, *later])
            return self._bad(frontier, size, good, size, f"entries {size} to {most - 1} were cut off")
        return Audit(size=size, root=merkle.root(frontier).hex(), checkpoints=good)

    def _checkpoint_fault(self, signed: SignedHead, frontier: bytes, hub: str) -> str:
        if merkle.root(frontier) != signed.root:
            return f"the checkpoint at {signed.size} was signed over another history"
        content = merkle.checkpoint_content(hub, signed.size, signed.root, signed.at_ms)
        if not self._check_signature(signed, content):
            return f"the signature of the checkpoint at {signed.size} does not verify"
        return ""

    @staticmethod
    def _bad(frontier: bytes, size: int, good: int, first: int, fault: str) -> Audit:
        return Audit(
            size=size, root=merkle.root(frontier).hex(), checkpoints=good, fault=fault, first_bad=first
        )


def _leaf(row: Any) -> bytes | None:
    """The hash of a row's content; None for a row whose values are not of the kinds they were written in (SQLite keeps any)."""
    try:
        return merkle.leaf_hash(
            merkle.entry_content(row.number, row.id, row.kind, row.subject, row.at_ms, row.data)
        )
    except TypeError:
        return None
