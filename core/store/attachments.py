"""Files that came with records: put before the record is published, kept once it was (claim check, EIP).

Each file is noted with the receipt of its record. Where that receipt was given, or the ledger has it, the file stays as long as
the ledger does: versions, quarantine cases and raw records refer to it. A file whose record never got that far is garbage, and
goes after a retention.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, delete, exists, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from contracts.fault import Disposition, Fault, Rule, pointer
from contracts.record import Attachment, LicenceRecord
from core.keyring import Keyring
from core.store.blobs import sealed_blob
from core.store.engine import Database
from core.store.tables import attachment, blob, ledger

PURGED_TOGETHER = 200
"""Files removed in one transaction; senders wait for it."""

GONE = Rule(
    code="attachment.gone",
    en="the store does not hold the file {name}",
    zh="库中没有文件{name}",
    remedy_en="have the department send the record with its files again",
    remedy_zh="请通知部门将记录连同文件重新报送",
    disposition=Disposition.QUARANTINE,
)


class AttachmentStore:
    """Files by digest and receipt."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def put(self, receipt: UUID, content: bytes, media: str) -> bytes:
        """Stores a file of the record that will be published under ``receipt``; returns its digest. May be repeated."""
        self._keyring.roll()
        sealed = sealed_blob(self._keyring, content, media, lasting=False)
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        note = insert(attachment).values(
            digest=sealed["digest"], receipt=receipt, put_ms=sealed["created_ms"], published=False
        )
        again = note.on_conflict_do_update(
            index_elements=["digest", "receipt"], set_={"put_ms": note.excluded.put_ms}
        )
        with self._database.begin() as connection:
            connection.execute(
                again
            )  # first: it waits for a purge, so that the blob is not taken for garbage
            connection.execute(insert(blob).on_conflict_do_nothing(), [sealed])
        return bytes(sealed["digest"])

    def published(self, receipt: UUID) -> None:
        """Notes that the record is on the bus for good: from now on its files stay."""
        change = update(attachment).where(attachment.c.receipt == receipt).values(published=True)
        with self._database.begin() as connection:
            connection.execute(change)

    def of(self, receipt: UUID) -> set[str]:
        """Digests (hex) of the files that came with the record of this receipt."""
        query = select(attachment.c.digest).where(attachment.c.receipt == receipt)
        with self._database.read() as connection:
            return {bytes(digest).hex() for digest in connection.execute(query).scalars()}

    def purge(self, before_ms: int) -> int:
        """Removes files put before that moment whose record never was published; returns how many.

        A file that another record, a package, a style or a later attempt refers to stays.
        """
        purged = 0
        while (some := self._purge_some(before_ms)) is not None:
            purged += some
        return purged

    def _purge_some(self, before_ms: int) -> int | None:
        """How many files went in one short transaction; None when there was nothing to look at.

        What to look at is found before anybody is kept waiting.
        """
        table = attachment.c
        old = (table.put_ms < before_ms, ~table.published)
        with self._database.read() as connection:
            query = select(table.digest, table.receipt).where(*old).order_by(table.receipt)
            rows = connection.execute(query.limit(PURGED_TOGETHER)).all()
        if not rows:
            return None
        digests = {bytes(row.digest) for row in rows}
        chosen = (*old, table.receipt.in_({row.receipt for row in rows}), table.digest.in_(digests))
        in_ledger = exists().where(ledger.c.receipt == table.receipt)
        unused = ~exists().where(table.digest == blob.c.digest)
        with self._database.begin() as connection:
            _exclude_others(connection)
            connection.execute(update(attachment).where(*chosen, in_ledger).values(published=True))
            gone = connection.execute(delete(attachment).where(*chosen)).rowcount
            connection.execute(delete(blob).where(blob.c.digest.in_(digests), ~blob.c.lasting, unused))
        return int(gone)


def _exclude_others(connection: Connection) -> None:
    """Keeps senders and committing workers out until the end of the transaction; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE attachment IN EXCLUSIVE MODE"))


def files_of(record: LicenceRecord) -> tuple[Attachment, ...]:
    """Every file the record refers to."""
    return (*record.scans, record.original) if record.original else record.scans


def hold_files(connection: Connection, records: Iterable[tuple[UUID, LicenceRecord]]) -> set[str]:
    """Digests (hex) that the records refer to and the store does not hold. Those it holds stay, with the transaction.

    The ledger row of a record's own receipt keeps the files that came under it; a record may also refer to files that came under
    another receipt (a person corrected it), and those are noted as kept.
    """
    wanted: set[bytes] = set()
    own: set[UUID] = set()
    for receipt, record in records:
        if files := files_of(record):
            wanted.update(bytes.fromhex(file.digest) for file in files)
            own.add(receipt)
    if not wanted:
        return set()
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE attachment IN ROW SHARE MODE"))
    table = attachment.c
    of_others = (table.digest.in_(wanted), ~table.published, table.receipt.not_in(own))
    connection.execute(update(attachment).where(*of_others).values(published=True))
    held = connection.execute(select(blob.c.digest).where(blob.c.digest.in_(wanted))).scalars()
    return {digest.hex() for digest in wanted - {bytes(digest) for digest in held}}


def absence_faults(record: LicenceRecord, absent: set[str]) -> list[Fault]:
    """A fault for each file of the record among the absent ones."""
    places = [(pointer("scans", index), scan) for index, scan in enumerate(record.scans)]
    if record.original is not None:
        places.append(("/original", record.original))
    return [GONE.at(place, file.digest, name=file.name) for place, file in places if file.digest in absent]
