import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from operator import methodcaller
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from contracts.chunk import MAX_BYTES, Chunk, Entry, decode_chunk, encode_chunk
from contracts.identity import uuid7
from contracts.record import Collection, LicenceRecord
from core.errors import Refused, Unavailable
from core.ports.bus import Channel, Message
from core.ports.intake import Draft, Lot, Push
from core.store.guard import GuardAnswer, GuardRequest
from gateway_parts import Hub
from router.envelope import open_chunk, seal_chunk, unseal
from router.intake import BlockingIntake, GatewayIntake, GuardGate, ManifestLog
from router.intake.chunks import ChunkBuilder, encode_entry

LOT = Lot("permits", 1, "rest", Collection.INCREMENTAL)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    yield hub
    hub.close()


def draft(position: int = 0, raw: bytes = b"{}") -> Draft:
    return Draft(
        position=position, record=LicenceRecord(licence_type="T", licence_number=f"N-{position}"), raw=raw
    )


def push(count: int = 1, **changes: Any) -> Push:
    plain = Push(lot=LOT, client="a", drafts=tuple(draft(number) for number in range(count)))
    return msgspec.structs.replace(plain, **changes)


def entry(number: int = 0, raw: bytes = b"{}") -> Entry:
    record = LicenceRecord(licence_type="T", licence_number=f"N-{number}")
    return Entry(receipt=uuid7(), submission=uuid7(), position=number, stamp_us=1, record=record, raw=raw)


class ShakyPublisher:
    """A publisher whose broker is away for some of the messages."""

    def __init__(self, real: Any, fails: Callable[[int], bool]) -> None:
        self._real = real
        self._fails = fails
        self._count = 0

    blocked = False

    async def publish(self, channel: Channel, message: Message) -> None:
        self._count += 1
        if self._fails(self._count):
            raise Unavailable("the broker is away")
        await self._real.publish(channel, message)

    async def aclose(self) -> None:
        await self._real.aclose()


def run(
    hub: Hub,
    talk: Callable[[GatewayIntake], Awaitable[Any]],
    *,
    fails: Callable[[int], bool] | None = None,
    store: Any = None,
) -> Any:
    async def body() -> Any:
        bus: Any = hub.bus
        if fails is not None:
            shaky = ShakyPublisher(await hub.bus.publisher(), fails)

            async def publisher() -> ShakyPublisher:
                return shaky

            bus = SimpleNamespace(publisher=publisher)
        intake = GatewayIntake("gate", store=store or hub, bus=bus, keyring=hub.keyring, give_up_s=0.3)
        await intake.open()
        try:
            return await talk(intake)
        finally:
            await intake.aclose()

    return asyncio.run(body())


def test_when_the_bus_takes_nothing_no_receipt_is_given(hub: Hub) -> None:
    assert run(hub, lambda intake: intake.take(push(3)), fails=lambda _n: True) == [None, None, None]
    assert hub.published() == []


def test_records_the_bus_did_not_take_are_told_apart_from_those_it_took(hub: Hub) -> None:
    receipts = run(hub, lambda intake: intake.take(push(250)), fails=lambda number: number == 2)
    taken = {entry.receipt for chunk in hub.published() for entry in chunk.entries}
    assert receipts.count(None) == 100
    assert {receipt for receipt in receipts if receipt} == taken


def test_after_a_failure_the_same_key_gets_the_receipts_it_would_have_had(hub: Hub) -> None:
    keyed = push(2, key="k-1", body_digest=b"d" * 32)
    assert run(hub, lambda intake: intake.take(keyed), fails=lambda _n: True) == [None, None]
    first = run(hub, lambda intake: intake.take(keyed))
    again = run(hub, lambda intake: intake.take(keyed))
    assert first == again
    assert None not in first


def test_keys_of_two_clients_and_two_interfaces_do_not_meet(hub: Hub) -> None:
    other_lot = Lot("other", 1, "rest", Collection.INCREMENTAL)
    pushes = [push(key="k"), push(key="k", client="b"), push(key="k", lot=other_lot), push(nonce="nonce-12")]
    receipts = [run(hub, methodcaller("take", one))[0] for one in pushes]
    assert len(set(receipts)) == 4


def test_a_nonce_that_looks_like_a_key_gives_other_receipts(hub: Hub) -> None:
    assert run(hub, lambda i: i.take(push(key="same-text"))) != run(
        hub, lambda i: i.take(push(nonce="same-text"))
    )


def _away(gateway: str, receipts: Sequence[UUID], closed_ms: int) -> UUID:
    raise Unavailable("away")


def test_what_was_published_stands_in_the_manifest_and_nothing_else(hub: Hub) -> None:
    receipts = run(hub, lambda intake: intake.take(push(150)), fails=lambda number: number == 1)
    [noted] = hub.manifests.unreconciled(2**62)
    assert set(noted.receipts) == {receipt for receipt in receipts if receipt}
    assert noted.gateway == "gate"
    assert hub.manifests.reconcile(noted, 1) == list(noted.receipts)


def test_an_idle_interval_has_no_manifest(hub: Hub) -> None:
    run(hub, lambda intake: intake.write_manifest())
    assert hub.manifests.unreconciled(2**62) == []


def test_a_manifest_that_cannot_be_written_is_kept(hub: Hub) -> None:
    receipts = [uuid7() for _ in range(3)]

    away: Any = SimpleNamespace(add=_away)
    log = ManifestLog("gate", away)
    log.published(receipts)
    with pytest.raises(Unavailable):
        log.write()
    away.add = hub.manifests.add
    log.write()
    [noted] = hub.manifests.unreconciled(2**62)
    assert list(noted.receipts) == receipts


class SlowGuard:
    """A guard whose database hangs until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def admit(self, requests: Sequence[GuardRequest]) -> list[GuardAnswer]:
        self.released.wait(5)
        return [GuardAnswer(verdict="admitted", first_seen_ms=1) for _ in requests]


def test_a_guard_that_hangs_is_unavailable_and_recovers_by_itself(hub: Hub) -> None:
    guard = SlowGuard()
    store = SimpleNamespace(
        guard=guard, ledger=hub.ledger, manifests=hub.manifests, attachments=hub.attachments
    )

    async def talk(intake: GatewayIntake) -> None:
        with pytest.raises(Unavailable):
            await intake.take(push(nonce="nonce-12"))
        guard.released.set()
        assert None not in await intake.take(push(nonce="nonce-13"))

    run(hub, talk, store=store)
    assert len(hub.published()) == 1


def test_a_defect_in_the_guard_reaches_every_request_that_waits() -> None:
    class Broken:
        def admit(self, requests: Sequence[GuardRequest]) -> list[GuardAnswer]:
            raise ZeroDivisionError

    async def body() -> list[Any]:
        gate = GuardGate(Broken())
        waiting = [gate.admit_nonce("a", f"nonce-{number}") for number in range(5)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(error) for error in asyncio.run(body())] == [ZeroDivisionError] * 5


def test_of_many_equal_nonces_at_once_exactly_one_is_admitted(hub: Hub) -> None:
    async def body() -> list[Any]:
        gates = [GuardGate(hub.guard), GuardGate(hub.guard)]
        waiting = [gate.admit_nonce("a", "nonce-12") for gate in gates for _ in range(20)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    answers = asyncio.run(body())
    assert answers.count(None) == 1
    assert sum(isinstance(answer, Refused) for answer in answers) == 39


def test_an_intake_without_its_bus_is_unavailable(hub: Hub) -> None:
    async def body() -> None:
        intake = GatewayIntake("gate", store=hub, bus=hub.bus, keyring=hub.keyring)
        with pytest.raises(Unavailable):
            await intake.take(push())

    asyncio.run(body())


def test_a_chunk_of_encoded_entries_is_the_chunk_of_the_entries(hub: Hub) -> None:
    entries = [entry(number) for number in range(3)]
    builder = ChunkBuilder(LOT, "trace")
    for one in entries:
        builder.add(one.receipt, encode_entry(one))
    sealed = builder.seal(hub.keyring)
    whole = Chunk(
        id=UUID(sealed.message.id), interface="permits", interface_revision=1, protocol="rest",
        collection=Collection.INCREMENTAL, entries=tuple(entries), trace="trace",
    )  # fmt: skip
    body = unseal(hub.keyring, Channel.RECORDS, sealed.message)
    assert body == encode_chunk(whole)
    assert decode_chunk(body) == whole == open_chunk(hub.keyring, seal_chunk(hub.keyring, whole))


def test_no_record_travels_in_clear(hub: Hub) -> None:
    builder = ChunkBuilder(LOT)
    one = entry(raw=b'{"holder": "a person"}')
    builder.add(one.receipt, encode_entry(one))
    message = builder.seal(hub.keyring).message
    assert b"a person" not in message.body
    assert b"N-0" not in message.body


def test_a_chunk_never_exceeds_its_limits_unless_one_record_does() -> None:
    builder = ChunkBuilder(LOT)
    large = encode_entry(entry(raw=b"x" * (MAX_BYTES + 1)))
    assert builder.fits(large)
    builder.add(uuid7(), large)
    assert not builder.fits(encode_entry(entry()))


def test_the_blocking_intake_publishes_everything_in_order_and_cuts_by_lot(hub: Hub) -> None:
    intake = BlockingIntake(hub.bus, hub.keyring, ManifestLog("poller", hub.manifests))
    entries = [entry(number) for number in range(3450)]
    for one in entries:
        intake.send(LOT, one)
    other = Lot("other", 1, "file", Collection.STOCK)
    intake.send(other, entry())
    intake.flush()
    chunks = hub.published()
    assert [one.receipt for chunk in chunks[:-1] for one in chunk.entries] == [one.receipt for one in entries]
    assert (chunks[-1].interface, len(chunks[-1].entries)) == ("other", 1)


def test_the_blocking_intake_repeats_the_same_messages_after_an_outage(hub: Hub) -> None:
    tried: list[list[str]] = []

    def publish_many(channel: Channel, messages: Sequence[Message]) -> None:
        tried.append([message.id for message in messages])
        if len(tried) == 1:
            raise Unavailable("away")
        hub.bus.publish_many(channel, messages)

    bus: Any = SimpleNamespace(publish_many=publish_many)
    log = ManifestLog("poller", hub.manifests)
    intake = BlockingIntake(bus, hub.keyring, log)
    sent = entry()
    intake.send(LOT, sent)
    with pytest.raises(Unavailable):
        intake.flush()
    log.write()
    assert hub.manifests.unreconciled(2**62) == []
    intake.flush()
    intake.flush()
    assert tried[0] == tried[1]
    assert len(tried) == 2
    [chunk] = hub.published()
    assert chunk.entries == (sent,)


def test_a_long_import_writes_its_manifests_on_the_way(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.intake.manifest.RECEIPTS_LIMIT", 1000)
    shelf: Any = SimpleNamespace(add=_away)
    log = ManifestLog("poller", shelf)
    intake = BlockingIntake(hub.bus, hub.keyring, log)
    entries = [entry(number) for number in range(5000)]
    for one in entries[:2500]:  # nothing is lost while the shelf is away
        intake.send(LOT, one)
    shelf.add = hub.manifests.add
    for one in entries[2500:]:
        intake.send(LOT, one)
    noted = [receipt for manifest in hub.manifests.unreconciled(2**62) for receipt in manifest.receipts]
    published = [one.receipt for chunk in hub.published() for one in chunk.entries]
    assert len(noted) >= 3000
    assert noted == published[: len(noted)]
