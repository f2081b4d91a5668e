"""Checks of the issuer and of what it assigned: entitled to issue the type in the region, identifier and number in agreement."""

from datetime import date
from functools import lru_cache

from contracts import identifier
from contracts.checks import uscc
from contracts.codes import division
from contracts.fault import Fault
from contracts.licence_type import LicenceType
from contracts.record import LicenceRecord
from contracts.text import half_width
from core.cleaning.catalogue import (
    IDENTIFIER_ISSUER,
    IDENTIFIER_TYPE,
    ISSUER_NOT_ENTITLED,
    ISSUER_REGION,
    NUMBER_PATTERN,
    TYPE_MISMATCH,
)
from core.cleaning.findings import Check
from core.cleaning.patterns import compile_pattern

_is_valid_issuer = lru_cache(maxsize=8192)(uscc.is_valid)
_is_valid_region = lru_cache(maxsize=8192)(division.is_valid)


def issuer_check(licence_type: LicenceType) -> Check:
    """Issuer code valid, declared for the type, and for the region where the declaration says so."""
    entitled = {issuer.code: tuple(map(division.prefix, issuer.regions)) for issuer in licence_type.issuers}

    def check(record: LicenceRecord, _today: date, found: list[Fault]) -> None:
        code, region = record.issuer_code, record.region
        if code and not _is_valid_issuer(code) and (fault := uscc.fault(code, "/issuer_code")):
            found.append(fault)
        elif code and entitled and code not in entitled:
            found.append(ISSUER_NOT_ENTITLED.at("/issuer_code", code))
        if region and not _is_valid_region(region) and (fault := division.fault(region, "/region")):
            found.append(fault)
        elif region and (regions := entitled.get(code)) and not region.startswith(regions):
            found.append(ISSUER_REGION.at("/region", region, region=region))

    return check


def type_check(licence_type: LicenceType) -> Check:
    """The record states the type it is judged by, and its number is written as numbers of this type are."""
    expected = licence_type.code
    pattern = licence_type.number_pattern
    matches = compile_pattern(pattern) if pattern else None

    def check(record: LicenceRecord, _today: date, found: list[Fault]) -> None:
        if record.licence_type != expected:
            found.append(TYPE_MISMATCH.at("/licence_type", record.licence_type, expected=expected))
        number = record.licence_number
        if matches and number and not (matches(number) or matches(half_width(number))):
            found.append(NUMBER_PATTERN.at("/licence_number", number, pattern=pattern))

    return check


def identifier_check(_licence_type: LicenceType) -> Check:
    """A supplied identifier is well formed and agrees with type and issuer of the record."""

    def check(record: LicenceRecord, _today: date, found: list[Fault]) -> None:
        if not record.identifier:
            return
        parsed = identifier.parse(record.identifier, "/identifier")
        found.extend(parsed.faults)
        if parsed.identifier is None:
            return
        if parsed.identifier.type_code != record.licence_type:
            found.append(IDENTIFIER_TYPE.at("/identifier", record.identifier))
        if record.issuer_code and not _same_issuer(parsed.identifier.issuer_code, record):
            found.append(IDENTIFIER_ISSUER.at("/identifier", record.identifier))

    return check


def _same_issuer(code: str, record: LicenceRecord) -> bool:
    """Old identifiers name the issuer by its division: that must then be the record's, or the one in the issuer's code."""
    return code in (record.issuer_code, record.region[:6], record.issuer_code[2:8])
