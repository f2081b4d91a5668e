"""What the store keeps encrypted, and the place each piece is bound to (additional authenticated data)."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
import zstandard

from contracts.fault import Fault
from contracts.record import LicenceRecord, decode_record, encode_record
from core.identity import Candidate
from core.keyring import Keyring

_ZSTD_LEVEL = 1
_FAULTS = msgspec.msgpack.Decoder(tuple[Fault, ...])
_FRAME = msgspec.msgpack.Decoder(list[bytes])
_ENCODER = msgspec.msgpack.Encoder()


class HeldCase(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decides on: the record as it would have been committed, and the version it is in conflict with."""

    candidate: Candidate
    against: int = 0
    """Version number of the conflict's other side; 0 for a quarantined record."""


_CASE = msgspec.msgpack.Decoder(HeldCase)


class Documents:
    """Sealing and opening of the store's encrypted columns."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal_record(self, record: LicenceRecord, licence_id: UUID, version_no: int) -> bytes:
        """Document of a version."""
        return self._keyring.encrypt(encode_record(record), _version_place(licence_id, version_no))

    def open_record(self, sealed: bytes, licence_id: UUID, version_no: int) -> LicenceRecord:
        """The record of ``seal_record``."""
        return decode_record(self._keyring.decrypt(sealed, _version_place(licence_id, version_no)))

    def seal_faults(self, faults: Sequence[Fault], receipt: UUID) -> bytes | None:
        """Faults of a ledger row; None without any."""
        return self._keyring.encrypt(_ENCODER.encode(faults), b"faults" + receipt.bytes) if faults else None

    def open_faults(self, sealed: bytes | None, receipt: UUID) -> tuple[Fault, ...]:
        """The faults of ``seal_faults``."""
        return _FAULTS.decode(self._keyring.decrypt(sealed, b"faults" + receipt.bytes)) if sealed else ()

    def seal_frame(self, raws: Sequence[bytes], frame_id: UUID) -> bytes:
        """Raw records of a batch as one compressed frame."""
        packed = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(_ENCODER.encode(raws))
        return self._keyring.encrypt(packed, b"raw" + frame_id.bytes)

    def open_frame(self, sealed: bytes, frame_id: UUID) -> list[bytes]:
        """The raw records of ``seal_frame``."""
        packed = self._keyring.decrypt(sealed, b"raw" + frame_id.bytes)
        return _FRAME.decode(zstandard.ZstdDecompressor().decompress(packed))

    def seal_case(self, case: HeldCase) -> bytes:
        """Document of a quarantine case."""
        return self._keyring.encrypt(_ENCODER.encode(case), b"case" + case.candidate.receipt.bytes)

    def open_case(self, sealed: bytes, receipt: UUID) -> HeldCase:
        """The case of ``seal_case``."""
        return _CASE.decode(self._keyring.decrypt(sealed, b"case" + receipt.bytes))

    def blind_codes(self, record: LicenceRecord) -> list[bytes]:
        """Blind index values of the holders' codes."""
        return [self._keyring.blind("holder_code", holder.code) for holder in record.holders if holder.code]

    @property
    def blind_key_id(self) -> str:
        """Key the blind index values are made with."""
        return self._keyring.blind_key_id


def _version_place(licence_id: UUID, version_no: int) -> bytes:
    return b"version" + licence_id.bytes + version_no.to_bytes(4, "big")
