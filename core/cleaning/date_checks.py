"""Checks of the dates, and whether the licence has come to its end."""

from datetime import date, timedelta

from contracts.fault import Fault
from contracts.licence_type import LicenceType
from contracts.record import LicenceRecord, Status
from core.cleaning.catalogue import (
    ISSUED_IN_FUTURE,
    VALIDITY_CONTRADICTION,
    VALIDITY_MISSING,
    VALIDITY_ORDER,
    VALIDITY_UNEXPECTED,
)
from core.cleaning.findings import Check

CLOCK_TOLERANCE = timedelta(days=1)
"""How far a date of issue may lie after today: clocks and time zones of departments differ."""


def date_check(licence_type: LicenceType) -> Check:
    """Issued by now, validity in order, present where the type states one."""
    validity = licence_type.validity

    def check(record: LicenceRecord, today: date, found: list[Fault]) -> None:
        issued_on, valid_from, valid_until = record.issued_on, record.valid_from, record.valid_until
        if issued_on and issued_on > today and issued_on - today > CLOCK_TOLERANCE:
            found.append(ISSUED_IN_FUTURE.at("/issued_on", issued_on, today=today))
        if valid_from and valid_until and valid_until < valid_from:
            found.append(VALIDITY_ORDER.at("/valid_until", valid_until, valid_from=valid_from))
        if valid_until and record.long_term:
            found.append(VALIDITY_CONTRADICTION.at("/valid_until", valid_until))
        if validity == "required" and not (valid_until or record.long_term):
            found.append(VALIDITY_MISSING.at("/valid_until"))
        elif validity == "none" and valid_until:
            found.append(VALIDITY_UNEXPECTED.at("/valid_until", valid_until))

    return check


def ended(record: LicenceRecord, today: date) -> Status | None:
    """How the licence has ended by ``today``: by its status, or because its last day of validity has passed; else None."""
    if record.status is not Status.VALID and record.status.ended:
        return record.status
    if record.valid_until is not None and record.valid_until < today:
        return Status.EXPIRED
    return None
