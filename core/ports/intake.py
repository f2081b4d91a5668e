"""How adapters hand records to the bus: asynchronously from a gateway, blocking from a file drop or the command line."""

from typing import BinaryIO, Protocol
from uuid import UUID

import msgspec

from contracts.chunk import Entry
from contracts.fault import Fault
from contracts.record import Attachment, Collection, LicenceRecord


class Lot(msgspec.Struct, frozen=True):
    """What the records of one chunk have in common."""

    interface: str
    revision: int
    """Registry revision of the declaration they were translated with."""
    protocol: str
    """``rest``, ``file``, …"""
    collection: Collection


class ReceivedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came with a record, judged but not stored yet."""

    attachment: Attachment
    content: BinaryIO
    """Its bytes, from position 0; open until the push is answered."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A record on its way in, decoded and translated, without a receipt yet."""

    position: int
    """0-based number within what the sender sent."""
    rows: int = 1
    record: LicenceRecord | None = None
    faults: tuple[Fault, ...] = ()
    filtered_by: str = ""
    source_order: str = ""
    source_digest: bytes = b""
    raw: bytes = b""


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A request that pushes records: who sends, what proves it is no repeat, and the drafts worth a receipt."""

    lot: Lot
    client: str
    nonce: str = ""
    key: str = ""
    """``Idempotency-Key``: the same key with the same body always gets the same receipts."""
    body_digest: bytes = b""
    """SHA-256 of the body, so that a key is never reused for another body."""
    trace: str = ""
    drafts: tuple[Draft, ...] = ()
    files: tuple[ReceivedFile, ...] = ()
    """Files of the one draft of the push, which refers to them."""


class RequestGuard(Protocol):
    """Admits a signed request once."""

    async def admit_nonce(self, client: str, nonce: str) -> None:
        """Returns when the nonce was not seen before; raises ``Refused`` (401) or ``Unavailable``."""
        ...


class Intake(RequestGuard, Protocol):
    """The gateway's way in: guard, receipts, chunks, bus."""

    async def take(self, push: Push) -> list[UUID | None]:
        """A receipt per draft once it is durable on the bus; None for a draft the bus did not take (send it again).

        Files are in the store before their draft is published, and stay once it was. Raises ``Refused`` (401: nonce seen
        before, 409: key with another body) and ``Unavailable`` (guard or store out of reach).
        """
        ...


class EntrySink(Protocol):
    """The blocking way in, for one submission at a time."""

    def send(self, lot: Lot, entry: Entry) -> None:
        """Takes an entry; may publish chunks that are full. Raises ``Unavailable`` or ``Unroutable``."""
        ...

    def flush(self) -> None:
        """Returns when everything sent is durable; after ``Unavailable`` it can be called again and publishes what is left."""
        ...
