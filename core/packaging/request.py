"""What packaging is asked for, and the answer that it cannot be made now."""

import hashlib
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from contracts.fault import Fault
from contracts.record import LicenceRecord

_SERIAL_LENGTH = 12
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class PackageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one licence that is to become a file."""

    record: LicenceRecord
    identifier: str
    """证照标识 of the version (GB/T 36904)."""
    file_number: str
    """文件编号; see ``file_number``."""
    version_no: int
    licence_id: UUID
    library_name: str
    """证照库名称: the library that keeps the licence."""
    source: str
    """Where the data came from: the interface's name as people know it."""
    made_at: datetime
    """Zone-aware moment of packaging; it stands in the file, so a repeat with the same moment gives the same bytes."""
    item_names: dict[str, str] = {}
    """What people call the extended items, by code (Chinese labels of the licence type)."""
    code_tables: dict[str, dict[str, str]] = {}
    """Items bound to a code table, by their code: code -> meaning (名称). Faces print the meaning, data keep the code."""
    scans: tuple[bytes, ...] = ()
    """Scanned pages (JPEG, PNG or TIFF) in page order, for source classes A, B and C."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A request that cannot become a file now."""

    licence_id: UUID
    version_no: int
    state: Literal["needs-glyph", "failed"]
    faults: tuple[Fault, ...]
    characters: str = ""
    """For ``needs-glyph``: the characters the font lacks."""


def file_number(library_code: str, made_on: date, licence_id: UUID, version_no: int) -> str:
    """文件编号 of a package: ``LIBRARY-YYYYMMDD-SERIAL``.

    The serial is 12 base-36 digits of a hash of licence and version: no counter, so any number of workers may number files at
    the same time, and the same version always gets the same number on the same day.
    """
    seed = hashlib.sha256(licence_id.bytes + version_no.to_bytes(4, "big")).digest()
    number = int.from_bytes(seed[:8], "big")
    serial = ""
    for _ in range(_SERIAL_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        serial = _DIGITS[digit] + serial
    return f"{library_code}-{made_on:%Y%m%d}-{serial}"
