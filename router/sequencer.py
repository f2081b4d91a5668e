"""The sequencer: one leased, fenced process gives every committed change its dense journal number (ARCHITECTURE 4.7)."""

import time
from collections.abc import Callable

from core.ports.observe import Observer
from core.ports.signer import Signer
from core.store.journal import JournalStore

BATCH = 1000
"""Entries moved in one transaction."""


class Sequencer:
    """The work of the ``sequencer`` lease: move pending entries, sign a checkpoint now and then.

    ``signer`` gives the key in use at the moment of a checkpoint.
    """

    def __init__(
        self,
        journal: JournalStore,
        signer: Callable[[], Signer],
        observer: Observer,
        *,
        checkpoint_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._signer = signer
        self._observer = observer
        self._checkpoint_s = checkpoint_s
        self._clock = clock
        self._signed_at = -checkpoint_s

    def __call__(self, fence: int) -> bool:
        """One batch under ``fence``; True when the batch was full."""
        moved = self._journal.sequence(fence, BATCH)
        if moved:
            self._observer.count("journal_entries_total", moved)
        if self._clock() - self._signed_at >= self._checkpoint_s:
            self._journal.sign_head(self._signer())
            self._signed_at = self._clock()
        return moved == BATCH
