"""What every check is: a function of a record and a day that appends its faults."""

from collections.abc import Callable
from datetime import date

from contracts.codes.holder import is_natural_person
from contracts.fault import Fault, Rule, masked
from contracts.record import Holder, LicenceRecord
from core.cleaning.fields import Field

Check = Callable[[LicenceRecord, date, list[Fault]], None]
"""``check(record, today, found)``; pointers of the faults lead into the canonical record."""


def is_personal(holder: Holder) -> bool:
    """Whether name and code of this holder are personal data; so they are while their kind is unknown."""
    return not holder.code_type or is_natural_person(holder.code_type)


def fault_at(rule: Rule, field: Field, value: object = None, **params: object) -> Fault:
    """A fault at ``field`` with its labels filled in and a personal value masked."""
    shown = masked(str(value)) if field.personal and value is not None else value
    return rule.at(field.pointer, shown, label_en=field.label_en, label_zh=field.label_zh, **params)
