"""Committing batches of records: retries, twins in flight, and the search for a record the database refuses."""

import secrets
import time
from collections.abc import Callable, Sequence
from random import Random, SystemRandom

from core.errors import DataError, TransientError
from core.identity import Candidate
from core.keyring import Keyring
from core.store.commit import BatchCommit, Result
from core.store.documents import Documents
from core.store.engine import Database
from core.store.failures import DuplicateKey
from core.store.writing import Frame, rising_ids

__all__ = ["RecordStore", "Result"]

ATTEMPTS = 5
FIRST_PAUSE_S = 0.02


class _PreviewOnly(Exception):
    """Rolls a preview back."""


class RecordStore:
    """The one way into the licence library for records."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        *,
        random: Random | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._documents = Documents(keyring)
        self._random = random or SystemRandom()
        self._sleep = sleep

    def commit(self, batch: Sequence[Candidate], raws: Sequence[bytes]) -> list[Result]:
        """Outcomes of ``batch``, in its order, durable when it returns; ``raws`` are what ``Candidate.raw_index`` points into.

        Receipts the ledger has are answered from it (``known``). Raises ``TransientError`` after a few attempts (nothing is
        stored, or all of it: call again with the same batch), or ``DataError`` with the receipt of a record the database refuses;
        the other records of the batch may be stored by then and are known when it is called again without the culprit.
        """
        if not batch:
            return []
        self._keyring.roll()
        try:
            return self._attempts(batch, raws)
        except DataError as error:
            if len(batch) == 1:
                raise DataError(error.summary, receipt=str(batch[0].receipt)) from None
        return self._bisect(batch, raws)

    def preview(self, batch: Sequence[Candidate]) -> list[Result]:
        """What ``commit`` would answer now; the same work in a transaction that is rolled back."""
        self._keyring.roll()
        results: list[Result] = []
        try:
            with self._database.begin() as connection:
                now_ms = time.time_ns() // 1_000_000
                results = BatchCommit(connection, self._documents, self._random, now_ms).run(batch, None)
                raise _PreviewOnly  # noqa: TRY301 -- the way out of the transaction
        except _PreviewOnly:
            return results

    def _attempts(self, batch: Sequence[Candidate], raws: Sequence[bytes]) -> list[Result]:
        """The whole batch again after an error that passes; a taken key passes when its twin has committed."""
        for attempt in range(1, ATTEMPTS):
            try:
                return self._once(batch, raws)
            except (TransientError, DuplicateKey):
                self._sleep(FIRST_PAUSE_S * 2**attempt * (0.5 + secrets.randbelow(1000) / 1000))
        return self._once(batch, raws)

    def _once(self, batch: Sequence[Candidate], raws: Sequence[bytes]) -> list[Result]:
        now_ms = time.time_ns() // 1_000_000
        frame = self._frame(batch, raws, now_ms)
        with self._database.begin() as connection:
            return BatchCommit(connection, self._documents, self._random, now_ms).run(batch, frame)

    def _frame(self, batch: Sequence[Candidate], raws: Sequence[bytes], now_ms: int) -> Frame | None:
        """Packed before the transaction, so that no lock waits for it; positions of raws of other batches stay empty."""
        used = {candidate.raw_index for candidate in batch if candidate.raw_index is not None}
        if not used:
            return None
        kept = [raw if index in used else b"" for index, raw in enumerate(raws)]
        (frame_id,) = rising_ids(now_ms, 1)
        return Frame(frame_id, len(kept), self._documents.seal_frame(kept, frame_id))

    def _bisect(self, batch: Sequence[Candidate], raws: Sequence[bytes]) -> list[Result]:
        """Halves in transactions of their own: the sound half is stored, the other narrows down to the culprit."""
        middle = len(batch) // 2
        results: list[Result] = []
        refusal: DataError | None = None
        for half in (batch[:middle], batch[middle:]):
            try:
                results += self.commit(half, raws)
            except DataError as error:
                refusal = refusal or error
        if refusal is not None:
            raise refusal
        return results
