"""The bus message: 1 to 100 records of one interface (envelope wrapper + splitter, EIP).

Everything a worker needs to finish a record under the terms it was accepted on travels with it: interface revision,
order, intake stamp. The body on the wire is MessagePack, encrypted by the publisher.
"""

from uuid import UUID

import msgspec

from contracts.fault import Fault
from contracts.record import Collection, LicenceRecord

MAX_RECORDS = 100
MAX_BYTES = 256 * 1024
"""Limits of one chunk: records, and bytes of its encoded body (a single larger record travels alone)."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One receipt's worth of a chunk: a record, or what is known to be wrong with it."""

    receipt: UUID
    submission: UUID
    position: int
    """0-based index within the submission: record number of a push, data-row number of a file."""
    rows: int = 1
    """Source rows gathered into this record (``group_by``)."""
    stamp_us: int
    """Intake stamp in microseconds of Unix time, made before publishing; the tie-break of arrival order."""
    record: LicenceRecord | None = None
    faults: tuple[Fault, ...] = ()
    """Findings made before the bus (decoding, mapping). One that rejects or quarantines decides the outcome."""
    filtered_by: str = ""
    """Name of the declared filter that dropped the record."""
    source_order: str = ""
    """Order the source declares, as text that sorts; empty when arrival decides."""
    source_digest: bytes = b""
    """SHA-256 over the decoded fields the mapping reads."""
    raw: bytes = b""
    """The record as received; empty for a dropped file, which is kept once as a whole."""
    cause: str = ""
    """Empty for a first submission; ``resubmission:<receipt>`` or ``replay:<receipt>`` otherwise."""


class Chunk(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A message of the ``records`` channel."""

    id: UUID
    interface: str
    interface_revision: int
    """Registry revision of the declaration the records were accepted under."""
    protocol: str
    """``rest``, ``file``, …"""
    collection: Collection
    entries: tuple[Entry, ...]
    trace: str = ""
    """W3C ``traceparent`` of the request, when there was one."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Chunk)


def encode_chunk(chunk: Chunk) -> bytes:
    """MessagePack of the chunk."""
    return _ENCODER.encode(chunk)


def decode_chunk(body: bytes) -> Chunk:
    """The chunk of ``encode_chunk``; raises ``msgspec.DecodeError`` for anything else."""
    return _DECODER.decode(body)


class PackageRequestMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the ``packages`` channel: ids only."""

    versions: tuple[tuple[UUID, int], ...]
    """(licence id, version number) pairs to package."""
