"""From decoded rows to drafts: translated one by one, or gathered by licence, in constant memory."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby

import msgspec

from adapters.decoding.rows import Row
from contracts.mapping import Part, Translated, Translator, join
from core.ports.intake import Draft

_BATCH = 500
_CACHE_KIB = 16 * 1024
_PART = msgspec.msgpack.Encoder()
_PARTS = msgspec.msgpack.Decoder(Part)


def draft_of(row: Row, translator: Translator) -> Draft:
    """One row as a draft of its own."""
    if row.fields is None:
        return Draft(position=row.position, faults=translator.disposed(row.faults), raw=row.raw)
    return _translated(row, translator.translate(row.fields, row.files))


def _translated(row: Row, made: Translated) -> Draft:
    return Draft(
        position=row.position,
        record=made.record,
        faults=made.faults,
        filtered_by=made.filtered_by,
        source_order=made.source_order,
        source_digest=made.source_digest,
        raw=row.raw,
    )


def drafts(rows: Iterable[Row], translator: Translator) -> Iterator[Draft]:
    """A draft a row; where the interface groups, a draft a licence, behind those of rows that belong to none.

    The order depends on the rows and the declaration alone, so that a reading can be taken up after any number of drafts.
    """
    if translator.interface.group is None:
        for row in rows:
            yield draft_of(row, translator)
        return
    with closing(_Spool()) as spool:
        yield from _ungrouped(rows, translator, spool)
        group = translator.interface.group
        for parts in spool.groups():
            whole = join(parts, group.item, translator.sources)
            yield Draft(
                position=whole.position,
                rows=len(parts),
                record=whole.record,
                faults=whole.faults,
                source_order=whole.source_order,
                source_digest=whole.source_digest,
            )


def _ungrouped(rows: Iterable[Row], translator: Translator, spool: "_Spool") -> Iterator[Draft]:
    """Spools the rows that name a licence; gives the others."""
    for row in rows:
        made = translator.translate(row.fields, row.files) if row.fields is not None else None
        if made is None:
            yield draft_of(row, translator)
        elif not made.group_key:
            yield _translated(row, made)
        else:
            spool.add(made.group_key, Part.of(row.position, made))
    spool.write()


class _Spool:
    """Rows by licence, in memory while they fit the cache and in a temporary file, which has no name, beyond that."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE part (key TEXT, position INTEGER, body BLOB)")
        self._waiting: list[tuple[str, int, bytes]] = []

    def add(self, key: str, part: Part) -> None:
        self._waiting.append((key, part.position, _PART.encode(part)))
        if len(self._waiting) >= _BATCH:
            self.write()

    def write(self) -> None:
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO part VALUES (?, ?, ?)", self._waiting)
        self._database.execute("COMMIT")
        self._waiting = []

    def groups(self) -> Iterator[list[Part]]:
        """Parts of each licence, by first row."""
        ordered = self._database.execute(
            "SELECT min(position) OVER (PARTITION BY key) AS first, body FROM part ORDER BY first, position"
        )
        for _first, found in groupby(ordered, key=lambda row: row[0]):
            yield [_PARTS.decode(body) for _position, body in found]

    def close(self) -> None:
        self._database.close()
