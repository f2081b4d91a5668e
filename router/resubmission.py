"""Resubmission: a corrected record goes in again under a receipt of its own, with its cause."""

import time
from uuid import UUID

import msgspec

from contracts.chunk import Entry
from contracts.identity import receipt_id, uuid7_ms
from contracts.interface import Interface
from contracts.record import LicenceRecord, digest
from core.errors import Refused
from core.identity import RESUBMISSION
from core.ports.intake import EntrySink, Lot
from core.store import Store
from core.store.quarantine import OPEN_STATES

PROTOCOL = "resubmission"


class Resubmission:
    """Sends what a person has corrected the way every record goes: bus, cleaning, store."""

    def __init__(self, store: Store, sink: EntrySink) -> None:
        self._store = store
        self._sink = sink

    def send(self, receipt: UUID, record: LicenceRecord, actor: str, reason: str) -> UUID:
        """Publishes the corrected record of a held case and closes the case; returns the new receipt, always the same for a case.

        Raises ``NotFound``, ``Refused`` when the case is decided or another's, ``Unavailable`` when the bus is away (the case
        stays open then).
        """
        detail = self._store.quarantine.get(receipt)
        if detail.case.state not in OPEN_STATES:
            raise Refused("quarantine-decided", f"case {receipt} is {detail.case.state}", status=409)
        self._store.quarantine.claim(receipt, actor)
        entry = self.registered(detail.case.interface)
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
            raise Refused("interface-unknown", f"interface {name} is no longer registered", status=409)
        interface = msgspec.convert(entry.declaration, Interface)
        return Lot(name, snapshot.revision, PROTOCOL, interface.collection)
