"""Checks of the holders: the kind of their codes, the codes themselves, the placeholder of sole traders."""

from datetime import date

import msgspec

from contracts.checks import citizen_id, registration_number, uscc
from contracts.codes import publicity
from contracts.codes.holder import CITIZEN_ID, CODE_TYPES, USCC
from contracts.fault import Fault, masked, pointer
from contracts.licence_type import LicenceType
from contracts.record import Holder, LicenceRecord
from core.cleaning.catalogue import (
    CODE_TYPE_MISSING,
    CODE_TYPE_NOT_ALLOWED,
    CODE_TYPE_UNKNOWN,
    REGISTRATION_NUMBER_MISSING,
)
from core.cleaning.findings import Check

REGISTRATION_NUMBER_ITEM = "KZ_GSZC"
"""Item that holds the business registration number (工商注册号) of a holder with the placeholder."""
CATEGORY_ITEM = "KZ_XDRLB"
"""Item that may hold the holder's category (行政相对人类别); only a sole trader may then have the placeholder."""

_CODE = {USCC: uscc, CITIZEN_ID: citizen_id}


def holder_check(licence_type: LicenceType) -> Check:
    """Code type known and allowed, code right for its type."""
    allowed = frozenset(licence_type.holder_code_types or CODE_TYPES)
    shown = ", ".join(sorted(allowed))

    def check(record: LicenceRecord, _today: date, found: list[Fault]) -> None:
        for index, holder in enumerate(record.holders):
            if holder.code_type not in allowed:
                _judge_type(holder, index, shown, found)
            elif holder.code and holder.code_type in _CODE:
                _judge_code(record, holder, index, found)

    return check


def _judge_type(holder: Holder, index: int, allowed: str, found: list[Fault]) -> None:
    at = pointer("holders", index, "code_type")
    if not holder.code_type:
        if holder.code:
            found.append(CODE_TYPE_MISSING.at(at))
    elif holder.code_type not in CODE_TYPES:
        found.append(CODE_TYPE_UNKNOWN.at(at, holder.code_type))
    else:
        found.append(CODE_TYPE_NOT_ALLOWED.at(at, holder.code_type, allowed=allowed))


def _judge_code(record: LicenceRecord, holder: Holder, index: int, found: list[Fault]) -> None:
    scheme = _CODE[holder.code_type]
    if scheme.is_valid(holder.code):
        return
    if holder.code_type == USCC and uscc.is_placeholder(holder.code) and _may_be_sole_trader(record):
        _judge_registration_number(record, found)
    elif fault := scheme.fault(holder.code, pointer("holders", index, "code")):
        found.append(_masked(fault) if citizen_id.is_likely(holder.code) else fault)


def _masked(fault: Fault) -> Fault:
    """The fault without the citizen identity number that was declared to be another code."""
    return msgspec.structs.replace(fault, value=masked(fault.value or ""))


def _may_be_sole_trader(record: LicenceRecord) -> bool:
    category = record.items.get(CATEGORY_ITEM)
    return not category or publicity.RELATIVE_TYPES.resolve(str(category)) == publicity.SOLE_TRADER


def _judge_registration_number(record: LicenceRecord, found: list[Fault]) -> None:
    at = pointer("items", REGISTRATION_NUMBER_ITEM)
    number = record.items.get(REGISTRATION_NUMBER_ITEM)
    if not number:
        found.append(REGISTRATION_NUMBER_MISSING.at(at))
    elif fault := registration_number.fault(str(number), at):
        found.append(fault)
