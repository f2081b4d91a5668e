"""Checks that what the type requires is there."""

from datetime import date
from operator import attrgetter

from contracts.fault import Fault
from contracts.licence_type import LicenceType
from contracts.record import LicenceRecord
from core.cleaning.catalogue import MISSING
from core.cleaning.fields import Field, find_field, holder_field
from core.cleaning.findings import Check, fault_at

_OF_HOLDER = "holder."


def required_check(licence_type: LicenceType) -> Check:
    """All fields the type requires, of the record, of each holder and among the items."""
    fields = _required_fields(licence_type)
    of_record = [field for field in fields if not field.path.startswith(_OF_HOLDER)]
    of_holder = [field for field in fields if field.path.startswith(_OF_HOLDER)]
    has_all = _presence(of_record)
    names = [field.path.removeprefix(_OF_HOLDER) for field in of_holder]

    def check(record: LicenceRecord, _today: date, found: list[Fault]) -> None:
        if not has_all(record):
            found.extend(fault_at(MISSING, field) for field in of_record if _is_missing(record, field))
        for index, holder in enumerate(record.holders):
            for name, field in zip(names, of_holder, strict=True):
                if not getattr(holder, name):
                    found.append(fault_at(MISSING, holder_field(field, index, personal=True)))
        if of_holder and not record.holders:
            found.extend(fault_at(MISSING, field) for field in of_holder)

    return check


def _required_fields(licence_type: LicenceType) -> list[Field]:
    items = (f"items.{code}" for code, spec in licence_type.items.items() if spec.required)
    paths = dict.fromkeys((*licence_type.required, *items))
    return [field for path in paths if (field := find_field(path, licence_type)) is not None]


def _presence(fields: list[Field]) -> "_Presence":
    scalars = [field.path for field in fields if "." not in field.path and field.path != "valid_until"]
    items = frozenset(
        field.path.removeprefix("items.") for field in fields if field.path.startswith("items.")
    )
    return _Presence(scalars, items, until=any(field.path == "valid_until" for field in fields))


class _Presence:
    """Answers in one step for the record that has everything."""

    def __init__(self, scalars: list[str], items: frozenset[str], *, until: bool) -> None:
        # The type is always there; named twice, because attrgetter gives a tuple only for two names and more.
        self._read = attrgetter("licence_type", "licence_type", *scalars)
        self._items = items
        self._until = until

    def __call__(self, record: LicenceRecord) -> bool:
        until = not self._until or record.long_term or record.valid_until is not None
        return until and self._items <= record.items.keys() and all(self._read(record))


def _is_missing(record: LicenceRecord, field: Field) -> bool:
    if field.path == "valid_until" and record.long_term:
        return False
    value = field.read(record)
    return value is None or value == ""
