"""Raw input read again: what the ledger refers to becomes drafts under the mapping as it is now (message store, EIP)."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from uuid import UUID

from adapters.decoding import Row, decode, draft_of, drafts, parse_record
from adapters.filedrop.folder import ARCHIVE, kept_name
from adapters.filedrop.ingest import ingest_folder
from contracts.fault import Fault
from contracts.mapping import Translator
from core.errors import NotFound
from core.identity import RESUBMISSION
from core.interfaces import LiveInterface
from core.ports.intake import Draft
from core.store import Store
from core.store.ledger import LedgerRow

Reread = tuple[LedgerRow, Draft]


class Rereader:
    """Reads raw records from the store's frames, and those of files from the archived file."""

    def __init__(self, store: Store, data: Path) -> None:
        self._store = store
        self._data = data

    def drafts(self, rows: Sequence[LedgerRow], live: LiveInterface) -> Iterator[Reread]:
        """A draft for each row, in order of submission and position.

        A record that a person corrected is left out: its raw form is not the department's. Raises ``NotFound`` when an archived
        file is gone (its retention has passed).
        """
        own = [row for row in rows if not row.cause.startswith(RESUBMISSION)]
        for framed, several in groupby(own, key=lambda row: row.framed):
            if framed:
                yield from ((row, self._framed(row, live.translator)) for row in several)
            else:
                yield from self._filed(list(several), live)

    def _framed(self, row: LedgerRow, translator: Translator) -> Draft:
        raw = self._store.ledger.raw_of(row.receipt)
        parsed = parse_record(raw)
        if isinstance(parsed, Fault):
            return draft_of(Row(row.position, 1, None, (parsed,), raw), translator)
        return draft_of(Row(row.position, 1, parsed, (), raw), translator)

    def _filed(self, rows: list[LedgerRow], live: LiveInterface) -> Iterator[Reread]:
        ordered = sorted(rows, key=lambda row: (row.submission, row.position))
        for submission, several in groupby(ordered, key=lambda row: row.submission):
            wanted = {row.position: row for row in several}
            with self._archived(submission, live).open("rb") as stream:
                for draft in drafts(decode(stream, live.translator), live.translator):
                    if draft.position in wanted:
                        yield wanted[draft.position], draft

    def _archived(self, submission: UUID, live: LiveInterface) -> Path:
        name = kept_name(submission, self._store.submissions.get(submission).origin)
        declared = live.declaration.drop
        folders = [ingest_folder(live.declaration.name), *([declared.folder] if declared else [])]
        for folder in folders:
            kept = self._data / folder / ARCHIVE / name
            if kept.exists():
                return kept
        raise NotFound(
            f"the file of submission {submission} is no longer in the archive",
            f"提交 {submission} 的文件已不在归档中",
        )
