"""The verdict on one record."""

import msgspec

from contracts.fault import Disposition, Fault, worst
from contracts.record import LicenceRecord, Status


class Verdict(msgspec.Struct, frozen=True):
    """What cleaning found; the record goes on unless ``disposition`` is reject or quarantine."""

    record: LicenceRecord
    """The record in its normal form."""
    faults: tuple[Fault, ...] = ()
    ended: Status | None = None
    """How the licence has ended, if it has: it is genuine and can only be stored as history."""

    @property
    def disposition(self) -> Disposition | None:
        """The worst disposition found; None without faults."""
        return worst(self.faults)

    @property
    def passes(self) -> bool:
        """Whether nothing keeps the record from being stored."""
        return self.disposition in (None, Disposition.WARN)
