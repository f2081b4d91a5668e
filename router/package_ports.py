"""What the package worker needs of others."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from contracts.record import LicenceRecord
from core.packaging.style import Style
from core.ports.signer import Signer
from core.sealing.seal import Seal
from core.verification.originals import NotKept, Original


class Versions(Protocol):
    """Where the records of claimed versions are read."""

    def record(self, licence_id: UUID, version_no: int) -> LicenceRecord: ...


class Blobs(Protocol):
    """Where package bytes are put, and files that came with records are kept."""

    def put_all(self, contents: Sequence[tuple[bytes, str]]) -> list[bytes]: ...

    def get(self, digest: bytes) -> bytes:
        """Raises ``NotFound``, and ``InternalError`` for bytes that are not what was stored."""
        ...


class Originals(Protocol):
    """Who judges other libraries' sealed originals."""

    def judge(self, data: bytes, record: LicenceRecord, identifier: str) -> Original | NotKept:
        """Whether ``data`` is genuine and says what the record says; raises ``TransientError`` when it cannot be asked now."""
        ...


class Dressing(Protocol):
    """Which style and seal a licence is packaged with."""

    def style(self, licence_type: str) -> Style:
        """Raises ``NotFound`` when the type names a style that is not there."""
        ...

    def seal(self, licence_type: str, issuer: str) -> Seal:
        """Raises ``NotFound`` when no seal may sign for them, ``Unavailable`` when those that may cannot be used now."""
        ...

    def item_names(self, licence_type: str) -> dict[str, str]:
        """What the type's extended items are called, by code."""
        ...

    def code_tables(self, licence_type: str) -> dict[str, dict[str, str]]:
        """The code tables (code -> meaning) of the type's extended items, by item."""
        ...

    def document_signer(self) -> Signer | None:
        """The key that signs the PDF form now; None: no PDF is made. Raises ``Unavailable`` when it cannot be used."""
        ...
