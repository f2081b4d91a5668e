"""The canonical licence record: what every adapter produces and every later stage reads (canonical data model, EIP).

Field names follow the English metadata names of GB/T 36903; ``ELEMENT_CODES`` gives the pinyin codes that the metadata XML uses.
A record may be incomplete: what must be there is decided by the rules of its licence type, not by this shape.
"""

import hashlib
from datetime import date
from enum import StrEnum
from typing import Any, Literal

import msgspec
import orjson

ItemValue = str | int | float | bool | None | list[Any] | dict[str, Any]
"""A face item: text, number, flag, or (for repeated items) a list of mappings."""


class SourceClass(StrEnum):
    """How the licence data came about (design paper, section on collection)."""

    TYPED = "A"
    """Typed in beside a scan."""
    MATERIAL = "B"
    """Application material and photo, verified by a named person."""
    APPROVAL = "C"
    """Approval result and photo."""
    DATA = "D"
    """Data only; the hub composes the face."""
    LIBRARY = "E"
    """Another licence library: its sealed original is kept, never sealed again."""


class Collection(StrEnum):
    """Which kind of collection brought the record."""

    ONE_OFF = "one-off"
    STOCK = "stock"
    INCREMENTAL = "incremental"


class Status(StrEnum):
    """State of a licence; ``valid`` is the only one that may be shared (FIELD: states seen at peers)."""

    VALID = "valid"
    SUSPENDED = "suspended"
    LOST = "lost"
    EXPIRED = "expired"
    VOID = "void"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"

    @property
    def ended(self) -> bool:
        """Whether the licence has come to its end, so that it can only be stored as history."""
        return self in _ENDED


_ENDED = {Status.EXPIRED, Status.VOID, Status.CANCELLED, Status.REVOKED, Status.WITHDRAWN}


class Holder(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """持证主体: one holder of a licence."""

    name: str = ""
    code: str = ""
    """Code as normalised (upper case, no spaces); personal data when ``code_type`` is a natural person's."""
    code_type: str = ""
    """持证主体代码类型代码, three digits (GB/T 36903 annex A): 001 USCC, 111 citizen ID, …"""


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A file that came with a record and is kept in the blob store (claim check, EIP)."""

    digest: str
    """SHA-256 of its bytes, lower-case hex: its key in the blob store."""
    media_type: str
    size_bytes: int
    name: str = ""
    """Name the sender gave it."""


class LicenceRecord(
    msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, forbid_unknown_fields=True
):
    """One licence at one version, as its source states it."""

    licence_type: str
    """证照类型代码, 21 characters (issuing USCC + 3-digit serial)."""
    licence_name: str = ""
    """证照名称."""
    licence_number: str = ""
    """证照编号 as printed; may hold Chinese characters and punctuation."""
    holders: tuple[Holder, ...] = ()
    issuer_name: str = ""
    issuer_code: str = ""
    """证照颁发机构代码: normally the issuer's 18-character USCC."""
    region: str = ""
    """行政区划, 6 digits (GB/T 2260)."""
    issued_on: date | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    """Last day of validity; None with ``long_term`` for 长期."""
    long_term: bool = False
    status: Status = Status.VALID
    """The state the source reports; a state other than ``valid`` becomes a status event."""
    identifier: str = ""
    """证照标识 the source supplied, or empty: the hub then assigns one."""
    items: dict[str, ItemValue] = {}
    """Extended face items (扩展业务信息) by their code, e.g. ``KZ_XKNR``."""
    source_class: SourceClass = SourceClass.DATA
    verified_by: str = ""
    """Who verified the material (class B)."""
    scans: tuple[Attachment, ...] = ()
    """Scanned pages or photos in page order (classes A, B and C)."""
    original: Attachment | None = None
    """The sealed file of another library (class E)."""


ELEMENT_CODES: dict[str, str] = {
    "licence_name": "ZZMC",
    "licence_type": "ZZLXDM",
    "licence_number": "ZZBH",
    "identifier": "ZZBS",
    "issuer_name": "ZZBFJG",
    "issuer_code": "ZZBFJGDM",
    "issued_on": "ZZBFRQ",
    "holder_name": "CZZT",
    "holder_code": "CZZTDM",
    "holder_code_type_name": "CZZTDMLX",
    "holder_code_type": "CZZTDMLXDM",
    "valid_from": "ZZYXQQSRQ",
    "valid_until": "ZZYXQJZRQ",
}
"""Metadata element -> pinyin code (GB/T 36903 as implementing systems write it; FIELD 1.2)."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(LicenceRecord)


def encode_record(record: LicenceRecord) -> bytes:
    """MessagePack of the record: the form kept in version documents and chunks."""
    return _ENCODER.encode(record)


def decode_record(data: bytes) -> LicenceRecord:
    """The record of ``encode_record``; raises ``msgspec.DecodeError`` on anything else."""
    return _DECODER.decode(data)


def content_digest(record: LicenceRecord) -> bytes:
    """SHA-256 over the canonical JSON of the record (sorted keys, UTF-8): equal content, equal digest.

    Files count by their bytes, not by what their sender calls them.
    """
    if record.scans or record.original:
        record = msgspec.structs.replace(
            record,
            scans=tuple(_unnamed(scan) for scan in record.scans),
            original=_unnamed(record.original) if record.original else None,
        )
    return digest(msgspec.to_builtins(record))


def _unnamed(file: Attachment) -> Attachment:
    return msgspec.structs.replace(file, name="")


def digest(value: object) -> bytes:
    """SHA-256 over sorted-key JSON of builtins, dates in ISO 8601."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)).digest()


Language = Literal["en", "zh-CN"]
