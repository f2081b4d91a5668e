"""Cutting entries into chunks of at most 100 records or 256 KB (splitter, EIP).

An entry is encoded once, when it comes: its size decides where a chunk ends, and the chunk is put together from encoded entries.
"""

from uuid import UUID

import msgspec

from contracts.chunk import MAX_BYTES, MAX_RECORDS, Entry
from contracts.identity import uuid7
from contracts.record import Collection
from core.keyring import Keyring
from core.ports.bus import Channel, Message
from core.ports.intake import Lot
from router.envelope import seal

_ENCODER = msgspec.msgpack.Encoder()


class _ChunkOfEncoded(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """``contracts.chunk.Chunk`` as it travels, around entries that are encoded already."""

    id: UUID
    interface: str
    interface_revision: int
    protocol: str
    collection: Collection
    entries: tuple[msgspec.Raw, ...]
    trace: str = ""


class Sealed(msgspec.Struct, frozen=True):
    """A chunk ready to be published, with the receipts it carries."""

    message: Message
    receipts: tuple[UUID, ...]


class ChunkBuilder:
    """Collects entries of one lot until a chunk is full."""

    def __init__(self, lot: Lot, trace: str = "") -> None:
        self._lot = lot
        self._trace = trace
        self._entries: list[msgspec.Raw] = []
        self._receipts: list[UUID] = []
        self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def full(self) -> bool:
        """No further entry has room by number."""
        return len(self._entries) >= MAX_RECORDS

    def fits(self, encoded: bytes) -> bool:
        """Whether an encoded entry has room; the first one always has: a single larger record travels alone."""
        return not self._entries or (not self.full and self._size + len(encoded) <= MAX_BYTES)

    def add(self, receipt: UUID, encoded: bytes) -> None:
        """Takes an entry that fits."""
        self._entries.append(msgspec.Raw(encoded))
        self._receipts.append(receipt)
        self._size += len(encoded)

    def seal(self, keyring: Keyring) -> Sealed:
        """The chunk under a fresh message id, encrypted."""
        chunk_id = uuid7()
        chunk = _ChunkOfEncoded(
            id=chunk_id,
            interface=self._lot.interface,
            interface_revision=self._lot.revision,
            protocol=self._lot.protocol,
            collection=self._lot.collection,
            entries=tuple(self._entries),
            trace=self._trace,
        )
        message = seal(keyring, Channel.RECORDS, str(chunk_id), _ENCODER.encode(chunk))
        return Sealed(message, tuple(self._receipts))


def encode_entry(entry: Entry) -> bytes:
    """MessagePack of one entry, for ``ChunkBuilder.add``."""
    return _ENCODER.encode(entry)
