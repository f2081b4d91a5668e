"""Asking the licence library: find by what is known of a licence, show any version, tell its history.

Two scopes: *management* sees every licence in every state; *sharing* sees only what is current, valid and sealed
(历史、挂失、过期、作废 are never quoted or reused).
"""

import base64
import binascii
from collections.abc import Iterator
from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec
import orjson
from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from contracts.codes.holder import ORGANISATION_CODES
from contracts.fault import masked
from contracts.outcome import Outcome
from contracts.record import Attachment, Holder, LicenceRecord, SourceClass, Status
from contracts.text import fold, forbidden_character, normalise_licence_number
from core.errors import NotFound, Refused
from core.keyring import Keyring
from core.ports.library import LibraryStatus
from core.store.documents import Documents
from core.store.engine import Database
from core.store.tables import (
    blind_index,
    identifier,
    licence,
    licence_version,
    registry_version,
    status_event,
)

Scope = Literal["management", "sharing"]
DIVISION_DIGITS = 6
"""Length of a whole division code (GB/T 2260)."""
MOST_ROWS = 500
"""Rows of one page at most."""


class LicenceQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; empty fields do not restrict."""

    scope: Scope = "sharing"
    holder_name: str = ""
    """Beginning of the first holder's name; with ``*`` in front, any part of the names."""
    holder_code: str = ""
    """Whole code of any holder (exact, by blind index)."""
    number: str = ""
    """Licence number, in whatever spelling its department prints it."""
    identifier: str = ""
    """National identifier of any version."""
    licence_type: str = ""
    issuer_code: str = ""
    department: str = ""
    region: str = ""
    """Division code or its first digits."""
    status: Status | None = None
    issued_from: date | None = None
    issued_to: date | None = None
    """Last day of issue included."""
    text: str = ""
    """Part of holder name, licence name, number or issuer name."""


class LicenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A licence at one version, as lists and answers show it: codes of natural persons are masked."""

    id: UUID
    version_no: int
    identifier: str
    superseded: bool
    """Another version is current; ``current_identifier`` and ``current_version`` name it."""
    current_version: int
    current_identifier: str
    licence_type: str
    licence_name: str
    licence_number: str
    holders: tuple[Holder, ...]
    issuer_name: str
    issuer_code: str
    department: str
    region: str
    issued_on: date | None
    valid_from: date | None
    valid_until: date | None
    long_term: bool
    source_class: SourceClass
    scans: tuple[Attachment, ...]
    """Scanned pages the version came with, in page order."""
    original: Attachment | None
    """The sealed file of another library the version came with."""
    status: Status
    """Status of the licence, whichever version is shown."""
    sealed: bool
    """The version has a sealed package."""
    versions: int
    interface: str
    updated_ms: int


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of licences, latest first, and the cursor of the next one (empty on the last)."""

    licences: tuple[LicenceView, ...]
    next: str


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One version in a licence's history."""

    version_no: int
    identifier: str
    current: bool
    outcome: Outcome
    cause: str
    receipt: UUID
    interface: str
    interface_revision: int
    rule_revision: int
    source_order: str
    content_digest: bytes
    created_ms: int


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """One status event."""

    seq: int
    status: Status
    cause: str
    actor: str
    receipt: UUID | None
    effective_on: date | None
    created_ms: int


class History(msgspec.Struct, frozen=True, kw_only=True):
    """All a licence has been, in order of arrival."""

    id: UUID
    versions: tuple[VersionView, ...]
    events: tuple[StatusView, ...]


class LicenceStore:
    """Reading the licence library; also fulfils ``core.ports.library.LibraryLookup``."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._documents = Documents(keyring)

    def find(self, query: LicenceQuery, after: str = "", limit: int = 50) -> Page:
        """Licences that meet all of ``query``, latest first; ``after`` is the cursor of the page before.

        Raises ``Refused`` (400) for a cursor this library did not give.
        """
        most = max(1, min(limit, MOST_ROWS))
        statement = _current().order_by(licence.c.id.desc()).limit(most + 1)
        tests = list(self._tests(query))
        if after:
            tests.append(licence.c.id < _cursor_id(after))
        with self._database.read() as connection:
            rows = connection.execute(statement.where(*tests)).all()
        views = tuple(self._view(row) for row in rows[:most])
        return Page(licences=views, next=_cursor(views[-1].id) if len(rows) > most else "")

    def get(self, name: UUID | str, scope: Scope = "management") -> LicenceView:
        """The licence by id (its current version) or by the national identifier of any version; raises ``NotFound``.

        In scope ``sharing`` only a sealed, valid, current version is found.
        """
        with self._database.read() as connection:
            licence_id, version_no = _resolve(connection, name)
            statement = _at(licence_id, version_no)
            if scope == "sharing":
                statement = statement.where(
                    *_SHARED, licence_version.c.version_no == licence.c.current_version
                )
            row = connection.execute(statement).first()
        if row is None:
            raise _unknown(name)
        return self._view(row)

    def history(self, name: UUID | str) -> History:
        """Versions and status events; raises ``NotFound``."""
        version, event = licence_version.c, status_event.c
        with self._database.read() as connection:
            licence_id, current = _resolve(connection, name, current=True)
            versions = connection.execute(
                select(licence_version).where(version.licence_id == licence_id).order_by(version.version_no)
            ).all()
            events = connection.execute(
                select(status_event).where(event.licence_id == licence_id).order_by(event.seq)
            ).all()
        return History(
            id=licence_id,
            versions=tuple(_version_view(row, current) for row in versions),
            events=tuple(_status_view(row) for row in events),
        )

    def record(self, name: UUID | str, version_no: int | None = None) -> LicenceRecord:
        """The record of a version, unmasked (None: the version that ``get`` shows); raises ``NotFound``."""
        with self._database.read() as connection:
            licence_id, shown = _resolve(connection, name)
            row = connection.execute(_at(licence_id, version_no or shown)).first()
        if row is None:
            raise _unknown(name)
        return self._documents.open_record(bytes(row.document), licence_id, row.version_no)

    def status_of(self, identifier: str) -> LibraryStatus | None:
        """The state of the licence, and whether the identifier is that of an earlier version; None when it is unknown."""
        try:
            view = self.get(identifier)
        except NotFound:
            return None
        return LibraryStatus(view.status, view.superseded)

    def record_of(self, identifier: str) -> LicenceRecord | None:
        """The record at the identifier's version; None when it is unknown."""
        try:
            return self.record(identifier)
        except NotFound:
            return None

    def meanings_of(self, licence_type: str) -> dict[str, dict[str, set[str]]]:
        """Every text each code of the type's code tables has had, over all its declarations."""
        same = (registry_version.c.kind == "licence-type", registry_version.c.name == licence_type)
        found: dict[str, dict[str, set[str]]] = {}
        with self._database.read() as connection:
            rows = connection.execute(select(registry_version.c.declaration).where(*same)).all()
        for (declaration,) in rows:
            for item, spec in orjson.loads(bytes(declaration)).get("items", {}).items():
                for code, text in spec.get("codes", {}).items():
                    found.setdefault(item, {}).setdefault(code, set()).add(text)
        return found

    def _tests(self, query: LicenceQuery) -> Iterator[ColumnElement[bool]]:
        table = licence.c
        yield from _SHARED if query.scope == "sharing" else (table.current_version > 0,)
        equal = (
            (table.licence_type, query.licence_type),
            (table.issuer_code, query.issuer_code),
            (table.department, query.department),
            (table.number_key, normalise_licence_number(query.number)),
            (table.status, query.status.value if query.status else ""),
        )
        yield from (column == value for column, value in equal if value)
        if query.region:
            yield _in_region(query.region)
        if query.issued_from:
            yield table.issued_on >= query.issued_from
        if query.issued_to:
            yield table.issued_on <= query.issued_to
        if query.identifier:
            yield table.id.in_(
                select(identifier.c.licence_id).where(identifier.c.identifier == fold(query.identifier))
            )
        if query.holder_code:
            yield self._holder_test(query)
        yield from self._text_tests(query)

    def _text_tests(self, query: LicenceQuery) -> Iterator[ColumnElement[bool]]:
        table = licence.c
        if query.holder_name.startswith("*"):
            yield _holds(table.holder_name, query.holder_name.lstrip("*"))
        elif query.holder_name:
            yield self._begins(table.holder_name, query.holder_name)
        if query.text:
            columns = (table.holder_name, table.licence_name, table.licence_number, table.issuer_name)
            yield or_(*(_holds(column, query.text) for column in columns))

    def _begins(self, column: ColumnElement[str], start: str) -> ColumnElement[bool]:
        """In the form each database can use an index for."""
        if self._database.dialect == "postgresql":
            return column.startswith(start, autoescape=True)
        return (column >= start) & (column < start + "\U0010ffff")

    def _holder_test(self, query: LicenceQuery) -> ColumnElement[bool]:
        values = self._keyring.blind_all("holder_code", fold(query.holder_code))
        wanted = (blind_index.c.field == "holder_code", blind_index.c.value.in_(values))
        owners = select(blind_index.c.licence_id).where(*wanted)
        if query.scope == "sharing":  # a former holder no longer leads to the licence
            owners = owners.where(blind_index.c.version_no == licence.c.current_version).correlate(licence)
        return licence.c.id.in_(owners)

    def _view(self, row: Any) -> LicenceView:
        record = self._documents.open_record(bytes(row.document), row.id, row.version_no)
        return LicenceView(
            id=row.id,
            version_no=row.version_no,
            identifier=row.identifier,
            superseded=row.version_no != row.current_version,
            current_version=row.current_version,
            current_identifier=row.current_identifier,
            licence_type=record.licence_type,
            licence_name=record.licence_name,
            licence_number=record.licence_number,
            holders=tuple(_masked(holder) for holder in record.holders),
            issuer_name=record.issuer_name,
            issuer_code=record.issuer_code,
            department=row.department,
            region=record.region,
            issued_on=record.issued_on,
            valid_from=record.valid_from,
            valid_until=record.valid_until,
            long_term=record.long_term,
            source_class=record.source_class,
            scans=record.scans,
            original=record.original,
            status=Status(row.status),
            sealed=row.sealed_version == row.version_no,
            versions=row.versions,
            interface=row.interface,
            updated_ms=row.updated_ms,
        )


_SHARED = (
    licence.c.current_version > 0,
    licence.c.status == Status.VALID.value,
    licence.c.sealed_version == licence.c.current_version,
)
_COLUMNS = (
    licence.c.id,
    licence_version.c.version_no,
    licence_version.c.identifier,
    licence.c.current_version,
    licence.c.identifier.label("current_identifier"),
    licence.c.department,
    licence.c.status,
    licence.c.sealed_version,
    licence.c.versions,
    licence_version.c.interface,
    licence.c.updated_ms,
    licence_version.c.document,
)


def _current() -> Select[Any]:
    same = (licence_version.c.licence_id == licence.c.id) & (
        licence_version.c.version_no == licence.c.current_version
    )
    return select(*_COLUMNS).join_from(licence, licence_version, same)


def _at(licence_id: UUID, version_no: int) -> Select[Any]:
    pair = licence_version.c.licence_id == licence.c.id
    wanted = (licence.c.id == licence_id, licence_version.c.version_no == version_no)
    return select(*_COLUMNS).join_from(licence, licence_version, pair).where(*wanted)


def _resolve(connection: Connection, name: UUID | str, *, current: bool = False) -> tuple[UUID, int]:
    """Licence and version number behind an id or identifier (``current``: always the current version)."""
    licence_id = name if isinstance(name, UUID) else _as_id(name)
    text = ""
    if licence_id is None:
        text = fold(str(name))
        if forbidden_character(text):  # no stored text holds it, and PostgreSQL refuses to be asked
            raise _unknown(name)
        query = select(identifier.c.licence_id).where(identifier.c.identifier == text)
        licence_id = connection.execute(query).scalar_one_or_none()
    head = select(licence.c.current_version, licence.c.identifier).where(licence.c.id == licence_id)
    row = connection.execute(head).first() if licence_id is not None else None
    if row is None or licence_id is None or not row.current_version:
        raise _unknown(name)
    if current or not text or row.identifier == text:
        return licence_id, int(row.current_version)
    version = licence_version.c
    last = select(func.max(version.version_no)).where(
        version.licence_id == licence_id, version.identifier == text
    )
    return licence_id, int(connection.execute(last).scalar_one() or row.current_version)


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _in_region(code: str) -> ColumnElement[bool]:
    """A whole code by index; a prefix matches too much for one, and the latest are found sooner in order of id."""
    if len(code) >= DIVISION_DIGITS:
        return licence.c.region == code
    return licence.c.region.startswith(code, autoescape=True)


def _holds(column: ColumnElement[str], part: str) -> ColumnElement[bool]:
    return func.lower(column).contains(part.lower(), autoescape=True)


def _masked(holder: Holder) -> Holder:
    """A code of unknown type may be a citizen's: only what is known to be an organisation's stays in clear."""
    if holder.code_type in ORGANISATION_CODES:
        return holder
    return msgspec.structs.replace(holder, code=masked(holder.code))


def _version_view(row: Any, current: int) -> VersionView:
    return VersionView(
        version_no=row.version_no,
        identifier=row.identifier,
        current=row.version_no == current,
        outcome=Outcome(row.outcome),
        cause=row.cause,
        receipt=row.receipt,
        interface=row.interface,
        interface_revision=row.interface_revision,
        rule_revision=row.rule_revision,
        source_order=row.source_order,
        content_digest=bytes(row.content_digest),
        created_ms=row.created_ms,
    )


def _status_view(row: Any) -> StatusView:
    return StatusView(
        seq=row.seq,
        status=Status(row.status),
        cause=row.cause,
        actor=row.actor,
        receipt=row.receipt,
        effective_on=row.effective_on,
        created_ms=row.created_ms,
    )


def _cursor(licence_id: UUID) -> str:
    return base64.urlsafe_b64encode(licence_id.bytes).decode().rstrip("=")


def _cursor_id(cursor: str) -> UUID:
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except (ValueError, binascii.Error):
        raise Refused(
            "cursor", "the cursor is not one of this library", status=400, summary_zh="游标无效"
        ) from None


def _unknown(name: object) -> NotFound:
    return NotFound(f"the library has no licence {name}", f"证照库中没有 {name}")
