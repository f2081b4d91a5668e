"""National identifiers of licences: assigned under a unique index, or verified when the source supplied one (GB/T 36904).

A licence keeps its identifier. The version inside it counts re-issues: it grows when a later version states a later date of issue
and the hub assigned the identifier. A supplied identifier whose serial belongs to another licence is refused to a person.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from random import Random
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from contracts.fault import Disposition, Fault, Rule
from contracts.identifier import LicenceIdentifier, build, parse, serial_from
from contracts.record import LicenceRecord
from core.store.bulk import as_uuid, rows_within

CLASH = Rule(
    code="identifier.clash",
    en="the identifier belongs to another licence",
    zh="该电子证照标识已属于另一证照",
    remedy_en="compare both licences with the issuing authority and correct the wrong one",
    remedy_zh="请与颁发机构核对两份证照，更正有误的一份",
    disposition=Disposition.QUARANTINE,
)
_QUERY = "SELECT serial_key, version, licence_id, assigned FROM identifier WHERE serial_key {within}"


class Assigned(msgspec.Struct, frozen=True):
    """One row to write: the identifier and what it is made of."""

    text: str
    serial_key: str
    version: int
    assigned: bool
    """By the hub, not by the source."""


class _Serial(msgspec.Struct):
    licence_id: UUID
    assigned: bool
    versions: set[int]


class Identifiers:
    """Identifiers of one batch: what is taken, and what is given out."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._serials: dict[str, _Serial] = {}
        self._made: dict[str, str] = {}  # licence number -> serial made from it

    def load(self, connection: Connection, records: Iterable[tuple[LicenceRecord, str]]) -> None:
        """Reads who owns the serials that ``records`` (each with its licence's present identifier, if any) may touch."""
        wanted = {key for record, present in records for key in self._serial_keys(record, present)}
        for key, version, licence_id, assigned in rows_within(connection, _QUERY, "text", sorted(wanted)):
            owner = as_uuid(licence_id)
            if owner is not None:
                self._note(key, owner, version, assigned=bool(assigned))

    def choose(
        self, licence_id: UUID, record: LicenceRecord, present: str, issued_on: date | None
    ) -> Assigned | Fault | str:
        """The identifier of a version of ``licence_id``: a new row, a text it has already, or the fault that holds the record.

        ``present`` and ``issued_on`` are those of the licence's current version; empty and None for a new licence.
        """
        supplied = parse(record.identifier).identifier if record.identifier else None
        if supplied is not None:
            return self._verified(licence_id, supplied)
        if present:
            return self._reissued(licence_id, record, present, issued_on)
        return self._fresh(licence_id, record)

    def _verified(self, licence_id: UUID, supplied: LicenceIdentifier) -> Assigned | Fault | str:
        key = _key(supplied.type_code, supplied.issuer_code, supplied.serial)
        serial = self._serials.get(key)
        if serial is not None and serial.licence_id != licence_id:
            return CLASH.at("/identifier", str(supplied))
        if serial is not None and supplied.version in serial.versions:
            return str(supplied)
        return self._give(licence_id, supplied, assigned=False)

    def _reissued(
        self, licence_id: UUID, record: LicenceRecord, present: str, issued_on: date | None
    ) -> Assigned | Fault | str:
        parts = parse(present).identifier
        serial = self._serials.get(_key(parts.type_code, parts.issuer_code, parts.serial)) if parts else None
        later = issued_on is not None and record.issued_on is not None and record.issued_on > issued_on
        if not later or parts is None or serial is None or not serial.assigned:
            return present
        version = max(serial.versions) + 1
        if version > 999:
            return present
        return self._give(
            licence_id, build(parts.type_code, parts.issuer_code, parts.serial, version), assigned=True
        )

    def _serial_keys(self, record: LicenceRecord, present: str) -> Iterator[str]:
        if record.identifier or present:
            parts = parse(record.identifier or present).identifier
            if parts is not None:
                yield _key(parts.type_code, parts.issuer_code, parts.serial)
            return
        key = _key(record.licence_type, record.issuer_code, self._serial_of(record.licence_number))
        if key.replace(".", "").isalnum() and key.isascii():
            yield key

    def _serial_of(self, number: str) -> str:
        serial = self._made.get(number)
        if serial is None:
            serial = self._made[number] = serial_from(number, self._random)
        return serial

    def _fresh(self, licence_id: UUID, record: LicenceRecord) -> Assigned | str:
        serial = self._serial_of(record.licence_number)
        if _key(record.licence_type, record.issuer_code, serial) in self._serials:
            serial = serial_from("", self._random)
        try:
            made = build(record.licence_type, record.issuer_code, serial)
        except ValueError:  # type or issuer have no national code: nothing to build one from
            return ""
        return self._give(licence_id, made, assigned=True)

    def _give(self, licence_id: UUID, made: LicenceIdentifier, *, assigned: bool) -> Assigned:
        key = _key(made.type_code, made.issuer_code, made.serial)
        self._note(key, licence_id, made.version, assigned=assigned)
        return Assigned(str(made), key, made.version, assigned)

    def _note(self, key: str, licence_id: UUID, version: int, *, assigned: bool) -> None:
        serial = self._serials.setdefault(key, _Serial(licence_id, assigned, set()))
        serial.versions.add(version)


def _key(type_code: str, issuer_code: str, serial: str) -> str:
    return f"{type_code}.{issuer_code}.{serial}"
