"""Resubmission: a corrected record goes in again under a receipt of its own, with its cause."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from contracts.chunk import Entry
from contracts.declare import DeclarationError, load_declaration
from contracts.fault import Rule, pointer
from contracts.identity import receipt_id, uuid7_ms
from contracts.interface import Interface
from contracts.record import LicenceRecord, digest
from core.errors import Refused
from core.identity import RESUBMISSION
from core.ports.intake import EntrySink, Lot
from core.store import Store
from core.store.quarantine import OPEN_STATES

PROTOCOL = "resubmission"

UNFILLED = Rule(
    code="resubmission.unfilled",
    en="null marks a field that is still to be filled in",
    zh="null 表示该字段尚待填写",
    remedy_en="write the value, or take the field out when the licence has none",
    remedy_zh="请填写该值；证照无此项时请删除该字段",
)


def corrected_record(data: dict[str, Any]) -> LicenceRecord:
    """The record that a corrected file holds; raises ``DeclarationError`` with every fault at once."""
    unfilled = [UNFILLED.at(place) for place in _nulls(data)]
    try:
        record = load_declaration(LicenceRecord, data)
    except DeclarationError as error:
        places = {fault.pointer for fault in unfilled}
        others = [fault for fault in error.faults if fault.pointer not in places]
        raise DeclarationError([*unfilled, *others]) from error
    if unfilled:
        raise DeclarationError(unfilled)
    return record


def _nulls(value: Any, *path: str | int) -> Iterator[str]:
    """Places of the nulls in a record; elements of repeated items may hold some."""
    if value is None:
        yield pointer(*path)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _nulls(part, *path, name)
    elif isinstance(value, list) and path[:1] == ("holders",):
        for index, part in enumerate(value):
            yield from _nulls(part, *path, index)


class Resubmission:
    """Sends what a person has corrected the way every record goes: bus, cleaning, store."""

    def __init__(self, store: Store, sink: EntrySink) -> None:
        self._store = store
        self._sink = sink

    def send(self, receipt: UUID, record: LicenceRecord, actor: str, reason: str) -> UUID:
        """Publishes the corrected record of a held case and closes the case; returns the new receipt, always the same for a case.

        Raises ``NotFound``, ``Refused`` when the case is decided or another's, ``Unavailable`` when the bus is away (the case
        waits for the same correction then).
        """
        detail = self._store.quarantine.get(receipt)
        if detail.case.state not in OPEN_STATES:
            state = detail.case.state
            raise Refused(
                "quarantine-decided",
                f"case {receipt} is {state}",
                status=409,
                summary_zh=f"隔离记录 {receipt} 已处理（{state}）",
            )
        entry = self.registered(detail.case.interface)
        self._store.quarantine.begin_resubmission(receipt, actor, reason)
        key = self._store.keyring.receipt_key
        fresh = receipt_id(key, detail.case.interface, f"{RESUBMISSION}{receipt}", 0, uuid7_ms(receipt))
        corrected = Entry(
            receipt=fresh,
            submission=receipt,
            position=0,
            stamp_us=time.time_ns() // 1000,
            record=record,
            source_order=detail.source_order,
            source_digest=digest(msgspec.to_builtins(record)),
            raw=msgspec.json.encode(record),
            cause=f"{RESUBMISSION}{receipt}",
        )
        self._sink.send(entry, corrected)
        self._sink.flush()
        self._store.quarantine.link_resubmission(receipt, fresh, actor, reason)
        return fresh

    def registered(self, name: str) -> Lot:
        """The interface as it is registered now: the corrected record is judged by today's rules."""
        snapshot = self._store.registry.snapshot()
        entry = snapshot.find("interface", name)
        if entry is None:
            raise Refused(
                "interface-unknown",
                f"interface {name} is no longer registered",
                status=409,
                summary_zh=f"接口 {name} 已不再注册",
            )
        interface = msgspec.convert(entry.declaration, Interface)
        return Lot(name, snapshot.revision, PROTOCOL, interface.collection)
