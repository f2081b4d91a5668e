"""What a package is made of: the record, its scans, or another library's original, which is judged and kept."""

from uuid import UUID

import msgspec

from contracts.record import Attachment, LicenceRecord
from core.errors import InternalError, NotFound
from core.packaging.stored import kept_original
from core.store.packages import Made
from core.verification.originals import NotKept
from router.package_ports import Blobs, Originals, Versions

_LONGEST_FILE_NUMBER = 100


class Absent(Exception):
    """A file that a record refers to is not there, or not what it was."""


class KeptOriginal(msgspec.Struct, frozen=True):
    """A genuine original, recorded in the form it has."""

    form: str
    made: Made


class PackageMaterial:
    """Fetches records, and files by the digests in them."""

    def __init__(self, versions: Versions, blobs: Blobs, originals: Originals) -> None:
        self._versions = versions
        self._blobs = blobs
        self._originals = originals

    def record(self, licence_id: UUID, version_no: int) -> LicenceRecord:
        """The record of a version; raises ``NotFound``."""
        return self._versions.record(licence_id, version_no)

    def scans(self, record: LicenceRecord) -> tuple[bytes, ...]:
        """The scanned files in page order; raises ``Absent``."""
        return tuple(
            self._fetched(scan, f"scan {number} (第 {number} 个扫描件)")
            for number, scan in enumerate(record.scans, start=1)
        )

    def original(self, record: LicenceRecord, identifier: str, file_number: str) -> KeptOriginal | NotKept:
        """The original as the package of its licence, byte for byte; ``file_number`` stands where it states none.

        Raises ``Absent``, and ``TransientError`` when the store is away.
        """
        if record.original is None:
            return NotKept("the record came without its original (报送数据未附原件)")
        data = self._fetched(record.original, "the original (原件)")
        judgement = self._originals.judge(data, record, identifier)
        if isinstance(judgement, NotKept):
            return judgement
        stored, stated = kept_original(data), judgement.file_number
        made = Made(
            file_number=stated if 0 < len(stated) <= _LONGEST_FILE_NUMBER else file_number,
            template=stored.template_id,
            digest=stored.digest,
            size_bytes=stored.size_bytes,
            algorithm=judgement.algorithm,
            key_id=judgement.key_id,
            blob=stored.digest,
            original=True,
        )
        return KeptOriginal(judgement.form, made)

    def _fetched(self, file: Attachment, what: str) -> bytes:
        try:
            return self._blobs.get(bytes.fromhex(file.digest))
        except (NotFound, InternalError, ValueError) as error:
            raise Absent(f"{what} cannot be read: {error}") from error
