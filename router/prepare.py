"""From an entry of a chunk to a candidate for the library: validate, clean, key. Pure but for the clock."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

from contracts.chunk import Chunk, Entry
from contracts.fault import Disposition, Fault, Rule, worst
from contracts.identity import licence_key
from contracts.interface import Interface
from contracts.outcome import Outcome
from contracts.record import LicenceRecord, content_digest
from contracts.text import normalise_licence_number
from core.errors import InternalError
from core.identity import Candidate
from router.terms import Rules, Terms

CHINA = timezone(timedelta(hours=8))
"""Validity ends with the day in China, whatever zone the hub's host is in."""

UNKNOWN_TYPE = Rule(
    code="licence-type.unknown",
    en="licence type {code} is not registered",
    zh="证照类型 {code} 未登记",
    remedy_en="register the type (licence-hub interface apply -f FILE) and resubmit, or correct the type code",
    remedy_zh="请登记该证照类型（licence-hub interface apply -f 文件）后重新提交，或更正类型代码",
    disposition=Disposition.QUARANTINE,
)

NO_NUMBER = Rule(
    code="identity.no-number",
    en="the record has no licence number to be known by",
    zh="该记录没有可供识别的证照编号",
    remedy_en="give the licence number, or map the field that holds it",
    remedy_zh="请提供证照编号，或映射保存编号的字段",
    disposition=Disposition.QUARANTINE,
)

_OUTCOMES = {Disposition.REJECT: Outcome.REJECTED, Disposition.QUARANTINE: Outcome.QUARANTINED}


class Preparation:
    """Turns the entries of a chunk into candidates under the terms the chunk was accepted on."""

    def __init__(self, terms: Terms, *, clock: Callable[[], float] = time.time) -> None:
        self._terms = terms
        self._clock = clock

    def candidate(self, chunk: Chunk, entry: Entry, raw_index: int | None) -> Candidate:
        """The candidate of one entry; ``raw_index`` is where its raw bytes stand beside the batch.

        Raises ``NotFound`` when the interface is not known at the envelope's revision, ``InternalError`` for an entry that
        carries neither a record nor a reason.
        """
        interface = self._terms.interface(chunk.interface, chunk.interface_revision)
        cleaned, faults, ended, rules = entry.record, entry.faults, None, None
        if entry.record is not None:
            rules = self._terms.rules(entry.record.licence_type, chunk.interface_revision)
            if rules is None:
                faults = (*faults, UNKNOWN_TYPE.at("/licence_type", code=entry.record.licence_type))
            else:
                columns = self._terms.columns(chunk.interface, chunk.interface_revision)
                verdict = rules.cleaner.clean(entry.record, today=self._today(interface), source=columns)
                cleaned, ended = verdict.record, verdict.ended
                faults = _joined(faults, verdict.faults)
        number_key, key = _keys(cleaned, rules)
        if cleaned is not None and key is None and worst(faults) not in _OUTCOMES:
            faults = (*faults, NO_NUMBER.at("/licence_number"))
        fixed = _fixed(entry, faults)
        return Candidate(
            receipt=entry.receipt,
            submission=entry.submission,
            position=entry.position,
            rows=entry.rows,
            interface=chunk.interface,
            interface_revision=chunk.interface_revision,
            rule_revision=rules.revision if rules else 0,
            collection=chunk.collection,
            department=interface.department,
            rank=interface.rank,
            ties=interface.order.ties,
            stamp_us=entry.stamp_us,
            source_order=entry.source_order,
            source_digest=entry.source_digest,
            cause=entry.cause,
            record=cleaned,
            number_key=number_key,
            licence_key=key,
            content_digest=content_digest(cleaned) if cleaned is not None and fixed is None else None,
            faults=faults,
            filtered_by=entry.filtered_by,
            fixed=fixed,
            ended=ended,
            raw_index=raw_index,
        )

    def _today(self, interface: Interface) -> date:
        if interface.clock:
            return date.fromisoformat(interface.clock)
        return datetime.fromtimestamp(self._clock(), CHINA).date()


def _fixed(entry: Entry, faults: tuple[Fault, ...]) -> Outcome | None:
    """The outcome that is decided before identity, if any."""
    if entry.filtered_by:
        return Outcome.FILTERED
    decided = worst(faults)
    if decided in _OUTCOMES:
        return _OUTCOMES[decided]
    if entry.record is None:
        raise InternalError(f"entry {entry.receipt} has neither a record nor a reason")
    return None


def _joined(translated: tuple[Fault, ...], cleaned: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Both findings; of a column the translator could not read only its own: that the field is empty follows from it."""
    unread = {fault.pointer for fault in translated}
    return (*translated, *(fault for fault in cleaned if fault.pointer not in unread))


def _keys(record: LicenceRecord | None, rules: Rules | None) -> tuple[str, bytes | None]:
    if record is None:
        return "", None
    number = normalise_licence_number(record.licence_number)
    if not number:
        return "", None
    holder = record.holders[0].code or record.holders[0].name if record.holders else ""
    in_key = rules is not None and rules.licence_type.holder_in_key
    issuer = record.issuer_code or record.issuer_name
    return number, licence_key(record.licence_type, issuer, number, holder if in_key else "")
