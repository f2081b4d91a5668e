"""Checks of what a record came with: scans for a person to compare, the verifier's name, another library's original.

Which of them must be there follows from how the data came about (``LicenceRecord.source_class``).
"""

from datetime import date

from contracts.fault import Fault
from contracts.licence_type import LicenceType
from contracts.record import LicenceRecord, SourceClass
from core.cleaning.catalogue import (
    ORIGINAL_MISSING,
    ORIGINAL_UNEXPECTED,
    SCAN_MISSING,
    SCAN_UNEXPECTED,
    VERIFIER_MISSING,
)
from core.cleaning.findings import Check

_WITH_SCANS = frozenset({SourceClass.TYPED, SourceClass.MATERIAL, SourceClass.APPROVAL})


def file_check(_licence_type: LicenceType) -> Check:
    """Scans for classes A, B and C and for no other, a verifier for B, an original for E and for no other."""
    return _check


def _check(record: LicenceRecord, _today: date, found: list[Fault]) -> None:
    kind = record.source_class
    if kind is SourceClass.DATA and not record.scans and record.original is None:
        return
    name = kind.value
    if kind in _WITH_SCANS and not record.scans:
        found.append(SCAN_MISSING.at("/scans", source_class=name))
    if kind not in _WITH_SCANS and record.scans:
        found.append(SCAN_UNEXPECTED.at("/scans", len(record.scans), source_class=name))
    if kind is SourceClass.MATERIAL and not record.verified_by:
        found.append(VERIFIER_MISSING.at("/verified_by"))
    if kind is SourceClass.LIBRARY and record.original is None:
        found.append(ORIGINAL_MISSING.at("/original"))
    if kind is not SourceClass.LIBRARY and record.original is not None:
        found.append(ORIGINAL_UNEXPECTED.at("/original", record.original.name, source_class=name))
