"""Cleaning compiled: a licence type becomes a tuple of closures once, and a clean record passes through in microseconds."""

from collections.abc import Mapping
from datetime import date

import msgspec

from contracts.fault import Disposition, Fault
from contracts.licence_type import LicenceType
from contracts.record import LicenceRecord
from core.cleaning.cross_checks import cross_check
from core.cleaning.date_checks import date_check, ended
from core.cleaning.declaration import declaration_faults
from core.cleaning.fields import path_of
from core.cleaning.file_checks import file_check
from core.cleaning.holder_checks import holder_check
from core.cleaning.issuer_checks import identifier_check, issuer_check, type_check
from core.cleaning.item_checks import item_check
from core.cleaning.normal_form import compile_normal_form
from core.cleaning.required_checks import required_check
from core.cleaning.text_checks import text_check, unstorable
from core.cleaning.verdict import Verdict
from core.errors import ConfigError

_BUILT_IN = (
    type_check,
    required_check,
    text_check,
    holder_check,
    issuer_check,
    identifier_check,
    date_check,
    item_check,
    file_check,
)


def compile_rules(licence_type: LicenceType) -> "Cleaner":
    """The cleaner of a licence type; raises ConfigError with every fault of its declared rules."""
    faults = declaration_faults(licence_type)
    if faults:
        raise ConfigError(f"licence type {licence_type.code}", faults)
    return Cleaner(licence_type)


class Cleaner:
    """Judges records of one licence type. A pure function of record and day: safe to call from any thread or process."""

    def __init__(self, licence_type: LicenceType) -> None:
        self._type = licence_type
        self._normalise = compile_normal_form(licence_type)
        self._checks = (
            *(compile_check(licence_type) for compile_check in _BUILT_IN),
            *(cross_check(rule, licence_type) for rule in licence_type.cross_rules),
        )
        self._off = {code for code, rule in licence_type.rules.items() if rule.disposition == "off"}
        self._dispositions = {
            code: Disposition(rule.disposition)
            for code, rule in licence_type.rules.items()
            if rule.disposition != "off"
        }

    def clean(
        self, record: LicenceRecord, *, today: date, source: Mapping[str, str] | None = None
    ) -> Verdict:
        """The verdict on ``record`` as of ``today``.

        ``source`` gives, by canonical field path (``holder.code``), the RFC 6901 pointer of the column it came from; faults then
        name that column and keep the canonical place in ``Fault.field``.
        """
        found = unstorable(record, self._type)
        if found:
            return Verdict(record, self._settled(found, source))
        record = self._normalise(record)
        for check in self._checks:
            check(record, today, found)
        return Verdict(record, self._settled(found, source) if found else (), ended(record, today))

    def _settled(self, found: list[Fault], source: Mapping[str, str] | None) -> tuple[Fault, ...]:
        """The faults as this type weighs them, at the places their sender knows."""
        kept = (fault for fault in found if fault.rule not in self._off)
        return tuple(_placed(self._weighed(fault), source or {}) for fault in kept)

    def _weighed(self, fault: Fault) -> Fault:
        disposition = self._dispositions.get(fault.rule, fault.disposition)
        return (
            fault
            if disposition is fault.disposition
            else msgspec.structs.replace(fault, disposition=disposition)
        )


def _placed(fault: Fault, source: Mapping[str, str]) -> Fault:
    column = source.get(path_of(fault.pointer))
    return fault if column is None else msgspec.structs.replace(fault, pointer=column, field=fault.pointer)
