"""The gateway's intake: guard, receipts, chunks, bus (ARCHITECTURE 4.8 and 4.9)."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from uuid import UUID, uuid4

from contracts.chunk import Entry
from contracts.identity import receipt_id
from core.errors import TransientError, Unavailable
from core.keyring import Keyring
from core.ports.bus import Bus, Publisher
from core.ports.intake import Draft, Push
from core.store.guard import GuardRequest
from router.intake.chunks import encode_entry
from router.intake.coalesce import Coalescer
from router.intake.files import FileKeeper, FileShelf
from router.intake.guard import GuardGate, GuardStore
from router.intake.manifest import ManifestLog, ManifestShelf

SLICE = 200
"""Entries encoded before other requests get their turn."""


class LedgerLookup(Protocol):
    """Which receipts the ledger knows."""

    def outcomes(self, receipts: Sequence[UUID]) -> Mapping[UUID, object]: ...


class IntakeStore(Protocol):
    """The parts of the store that the intake uses."""

    @property
    def attachments(self) -> FileShelf: ...
    @property
    def guard(self) -> GuardStore: ...
    @property
    def ledger(self) -> LedgerLookup: ...
    @property
    def manifests(self) -> ManifestShelf: ...


class GatewayIntake:
    """Fulfils ``core.ports.intake.Intake`` for one event loop."""

    def __init__(
        self,
        gateway: str,
        *,
        store: IntakeStore,
        bus: Bus,
        keyring: Keyring,
        coalesce_s: float = 0.002,
        give_up_s: float = 5.0,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._gate = GuardGate(store.guard, gather_s=coalesce_s, give_up_s=give_up_s)
        self._files = FileKeeper(store.attachments, give_up_s=give_up_s)
        self._ledger = store.ledger
        self._keyring = keyring
        self._clock_ms = clock_ms
        self._give_up_s = give_up_s
        self._manifest = ManifestLog(gateway, store.manifests)
        self._bus = bus
        self._coalesce_s = coalesce_s
        self._publisher: Publisher | None = None
        self._coalescer: Coalescer | None = None

    async def open(self) -> None:
        """Opens the publisher on the running loop; raises ``Unavailable`` when the bus is out of reach: call it again."""
        if self._coalescer is None:
            self._publisher = await self._bus.publisher()
            confirmed = self._manifest.published
            self._coalescer = Coalescer(
                self._publisher, self._keyring, wait_s=self._coalesce_s, confirmed=confirmed
            )

    async def admit_nonce(self, client: str, nonce: str) -> None:
        await self._gate.admit_nonce(client, nonce)

    async def take(self, push: Push) -> list[UUID | None]:
        first_seen_ms, repeated = await self._admit(push)
        if not push.drafts:
            return []
        receipts = self._receipts(push, first_seen_ms)
        known = await self._known(receipts) if repeated else frozenset[UUID]()
        entries = await self._encode(push, receipts, first_seen_ms, known)
        published = await self._published(push, entries)
        if not known:
            return published
        taken = {*known, *published}
        return [receipt if receipt in taken else None for receipt in receipts[1:]]

    async def _published(self, push: Push, entries: list[tuple[UUID, bytes]]) -> list[UUID | None]:
        """The receipts of what is on the bus for good; files are in the store before, and stay from then on."""
        bus = self._gathered()
        if not push.files or not entries:
            return await bus.publish(push.lot, entries, push.trace)
        [(receipt, _encoded)] = entries
        await self._files.put(receipt, push.files)
        published = await bus.publish(push.lot, entries, push.trace)
        if published != [None]:
            await self._files.published(receipt)
        return published

    async def write_manifest(self) -> None:
        """Writes down what was published since the last call; what cannot be written is kept for the next."""
        with contextlib.suppress(TransientError):
            await asyncio.to_thread(self._manifest.write)

    async def aclose(self) -> None:
        """Publishes what is gathered, writes the last manifest, lets publisher and guard end."""
        if self._coalescer is not None:
            await self._coalescer.aclose()
        if self._publisher is not None:
            await self._publisher.aclose()
        await self.write_manifest()
        self._gate.close()
        self._files.close()

    def _gathered(self) -> Coalescer:
        if self._coalescer is None:
            raise Unavailable("the bus is out of reach", retry_after_s=2, summary_zh="消息总线暂不可用")
        return self._coalescer

    async def _admit(self, push: Push) -> tuple[int, bool]:
        """When the push was first seen, and whether it is a repeat; a bearer's push without a key has nothing to guard."""
        now_ms = self._clock_ms()
        if not push.nonce and not push.key:
            return now_ms, False
        answer = await self._gate.admit(
            GuardRequest(
                client=push.client,
                nonce=push.nonce,
                interface=push.lot.interface,
                key=push.key or None,
                body_digest=push.body_digest,
                now_ms=now_ms,
            )
        )
        return answer.first_seen_ms, answer.repeated

    def _receipts(self, push: Push, first_seen_ms: int) -> list[UUID]:
        """The id of the submission, then a receipt per draft; the same again for the same key or nonce."""
        name = f"{push.client}\0{push.key and 'key'}\0{push.key or push.nonce or uuid4().hex}"
        key, interface = self._keyring.receipt_key, push.lot.interface
        submission = receipt_id(key, interface, f"{name}\0submission", 0, first_seen_ms)
        return [
            submission,
            *(receipt_id(key, interface, name, d.position, first_seen_ms) for d in push.drafts),
        ]

    async def _known(self, receipts: list[UUID]) -> frozenset[UUID]:
        """The receipts of a repeat that need no second publication, as their outcome is in the ledger."""
        look_up = asyncio.to_thread(self._ledger.outcomes, receipts[1:])
        try:
            return frozenset(await asyncio.wait_for(look_up, self._give_up_s))
        except TimeoutError as error:
            raise Unavailable(
                "the ledger is out of reach", retry_after_s=2, summary_zh="台账暂不可用"
            ) from error

    async def _encode(
        self, push: Push, receipts: list[UUID], first_seen_ms: int, known: frozenset[UUID]
    ) -> list[tuple[UUID, bytes]]:
        submission, entries = receipts[0], []
        for number, (draft, receipt) in enumerate(zip(push.drafts, receipts[1:], strict=True)):
            if receipt not in known:
                stamp_us = first_seen_ms * 1000 + draft.position
                entries.append((receipt, encode_entry(_entry(draft, receipt, submission, stamp_us))))
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        return entries


def _entry(draft: Draft, receipt: UUID, submission: UUID, stamp_us: int) -> Entry:
    return Entry(
        receipt=receipt,
        submission=submission,
        position=draft.position,
        rows=draft.rows,
        stamp_us=stamp_us,
        record=draft.record,
        faults=draft.faults,
        filtered_by=draft.filtered_by,
        source_order=draft.source_order,
        source_digest=draft.source_digest,
        raw=draft.raw,
    )
