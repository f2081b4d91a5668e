"""Raw input read again: what the ledger refers to becomes drafts under the mapping as it is now (message store, EIP)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import msgspec

from adapters.decoding import Row, decode, draft_of, drafts, parse_record
from adapters.filedrop.folder import open_kept
from adapters.filedrop.kept import kept_file, no_longer_kept
from contracts.fault import Fault, pointer
from contracts.interface import Interface
from contracts.mapping import NO_FILES, Files, Part, Translator, compile_interface, detach, join
from core.errors import NotFound
from core.identity import RESUBMISSION
from core.interfaces import LiveInterface
from core.ports.intake import Draft
from core.store import Store
from core.store.ledger import LedgerRow
from core.store.submissions import Submission

Reread = tuple[LedgerRow, Draft]


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A file whose records cannot be read again: it is no longer kept."""

    submission: UUID
    file: str
    """Name it was dropped or ingested under."""
    records: int
    """Records of it that were asked for."""


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What came in for one receipt, for the person who decides about it. Contains personal data."""

    rows: tuple[Mapping[str, object], ...]
    """Values as the sender calls them: the pushed record, or every row of a file that was gathered into it."""
    skeleton: dict[str, Any]
    """A record with what could be read of them; null where a value has to be filled in."""


class Rereader:
    """Reads raw records from the store's frames, and those of files from the archived file."""

    def __init__(self, store: Store, data: Path) -> None:
        self._store = store
        self._data = data

    def drafts(self, rows: Sequence[LedgerRow], live: LiveInterface, gone: list[Gone]) -> Iterator[Reread]:
        """A draft for each row, in order of submission and position; files that are no longer kept are added to ``gone``.

        A record that a person corrected is left out: its raw form is not the department's.
        """
        own = [row for row in rows if not row.cause.startswith(RESUBMISSION)]
        for framed, several in groupby(own, key=lambda row: row.framed):
            if framed:
                yield from ((row, draft_of(self._framed(row), live.translator)) for row in several)
            else:
                yield from self._filed(list(several), live, gone)

    def received(self, row: LedgerRow) -> Received:
        """What came in for a row of the ledger, under the declaration it was taken in with.

        Raises ``NotFound`` when the file is no longer kept, ``ContractError`` when it cannot be read.
        """
        entry = self._store.registry.at("interface", row.interface, row.interface_revision)
        interface = msgspec.convert(entry.declaration, Interface)
        translator = compile_interface(interface)
        rows = [self._framed(row)] if row.framed else self._rows_of_file(row, interface, translator)
        return Received(
            rows=tuple(_shown(one) for one in rows),
            skeleton=_skeleton(rows, translator),
        )

    def _framed(self, row: LedgerRow) -> Row:
        raw = self._store.ledger.raw_of(row.receipt)
        parsed = parse_record(raw)
        if isinstance(parsed, Fault):
            return Row(row.position, 1, None, (parsed,), raw)
        fields, files = self._detached(row, parsed)
        return Row(row.position, 1, fields, (), raw, files)

    def _rows_of_file(self, row: LedgerRow, interface: Interface, translator: Translator) -> list[Row]:
        """The row of a file and, where it stands for a licence, the rows behind it that were gathered into the record."""
        with self._opened(self._store.submissions.get(row.submission), interface) as stream:
            rest = decode(stream, translator)
            first = next((one for one in rest if one.position == row.position), None)
            if first is None:
                raise NotFound(
                    f"the file of submission {row.submission} has no row {row.position + 1}",
                    f"提交 {row.submission} 的文件中没有第 {row.position + 1} 行",
                )
            key = _group_of(first, translator)
            others = (one for one in rest if _group_of(one, translator) == key)
            return [first, *islice(others, row.rows - 1)]

    def _opened(self, submission: Submission, interface: Interface) -> BinaryIO:
        """The kept file; raises ``NotFound`` when it is gone, be it a moment ago."""
        kept = kept_file(self._data, interface, submission)
        try:
            return open_kept(kept, submission.id, self._store.keyring)
        except FileNotFoundError:  # purged since it was found
            raise no_longer_kept(submission) from None

    def _detached(self, row: LedgerRow, parsed: dict[str, Any]) -> tuple[dict[str, Any], Files]:
        """Fields and files apart; references the hub did not write stay among the fields, and the translator refuses them."""
        try:
            fields, files = detach(parsed)
        except msgspec.ValidationError:
            return parsed, NO_FILES
        if files is NO_FILES or set(files.digests) <= self._store.attachments.of(self._origin(row)):
            return fields, files
        return parsed, NO_FILES

    def _origin(self, row: LedgerRow) -> UUID:
        """The receipt under which the record first came in: a replay refers to the one it repeats."""
        receipt, cause = row.receipt, row.cause
        while cause:
            receipt = UUID(cause.partition(":")[2])
            cause = self._store.ledger.entry(receipt).cause
        return receipt

    def _filed(self, rows: list[LedgerRow], live: LiveInterface, gone: list[Gone]) -> Iterator[Reread]:
        ordered = sorted(rows, key=lambda row: (row.submission, row.position))
        for submission, several in groupby(ordered, key=lambda row: row.submission):
            wanted = {row.position: row for row in several}
            known = self._store.submissions.get(submission)
            try:
                stream = self._opened(known, live.declaration)
            except NotFound:
                gone.append(Gone(submission=submission, file=known.origin, records=len(wanted)))
                continue
            with stream:
                for draft in drafts(decode(stream, live.translator), live.translator):
                    if draft.position in wanted:
                        yield wanted[draft.position], draft


def _shown(row: Row) -> Mapping[str, object]:
    if row.fields is not None:
        return row.fields
    return row.seen or {"": row.raw.decode("utf-8", "backslashreplace")}


def _group_of(row: Row, translator: Translator) -> str:
    return translator.translate(row.fields, row.files).group_key if row.fields is not None else ""


def _skeleton(rows: Sequence[Row], translator: Translator) -> dict[str, Any]:
    """A record with what can be read of the rows, and null at every field that has a finding."""
    parts: list[Part] = []
    doubtful: set[str] = set()
    for row in rows:
        fields = row.fields
        if fields is None:
            bad = {fault.value for fault in row.faults}
            fields = {name: value for name, value in row.seen.items() if str(value) not in bad}
            doubtful |= set(translator.sources.values()) - {pointer(name) for name in fields}
        faults: list[Fault] = []
        record = translator.readable(fields, row.files, faults)
        doubtful |= {fault.pointer for fault in faults}
        parts.append(Part(position=row.position, record=record, element=translator.element_of(fields)))
    group = translator.interface.group
    whole = join(parts, group.item, translator.sources).record if group else parts[0].record
    skeleton: dict[str, Any] = msgspec.to_builtins(whole)
    for target, source in translator.sources.items():
        if source in doubtful:
            _blank(skeleton, target)
    return skeleton


def _blank(skeleton: dict[str, Any], target: str) -> None:
    """Writes null at a canonical field path."""
    where, _, name = target.rpartition(".")
    if where == "holder":
        for holder in skeleton.setdefault("holders", [{}]):
            holder[name] = None
    elif where:
        skeleton.setdefault(where, {})[name] = None
    else:
        skeleton[name] = None
