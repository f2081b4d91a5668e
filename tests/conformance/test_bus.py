"""One suite over both buses: what ``core.ports.bus`` promises."""

import asyncio
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from conformance.bus_stack import (
    RECORDS,
    Stack,
    ack,
    collect,
    drain,
    eventually,
    kill,
    letter,
    letters,
    lines,
    names,
)
from core.ports.bus import Ack, Bus, Channel, Consumer, Park, Retry


@pytest.fixture
def bus(stack: Stack) -> Iterator[Bus]:
    with stack.bus() as bus:
        yield bus


@pytest.fixture
def consumer(bus: Bus) -> Iterator[Consumer]:
    with bus.consumer(RECORDS, prefetch=200) as consumer:
        yield consumer


def test_what_is_published_arrives_as_it_was(bus: Bus, consumer: Consumer) -> None:
    sent = letter("first", 300_000, traceparent="00-ab-cd-01", interface="许可")
    bus.publish_many(RECORDS, [sent])
    (delivery,) = collect(consumer, 1)
    assert delivery.message == sent
    assert (delivery.channel, delivery.tries, delivery.redelivered) == (RECORDS, 0, False)
    ack(consumer, [delivery])
    assert consumer.receive(1, 0.3) == []


def test_an_empty_channel_answers_in_the_time_asked_for(consumer: Consumer) -> None:
    started = time.monotonic()
    assert consumer.receive(10, 0.4) == []
    assert 0.35 < time.monotonic() - started < 1.5


def test_a_waiting_consumer_gets_a_publish_at_once(bus: Bus, consumer: Consumer) -> None:
    consumer.receive(1, 0.5)
    timer = threading.Timer(0.3, bus.publish_many, (RECORDS, letters(1)))
    timer.start()
    started = time.monotonic()
    assert len(consumer.receive(1, 10)) == 1
    assert time.monotonic() - started < 1
    timer.join()


def test_channels_are_apart(bus: Bus, consumer: Consumer) -> None:
    bus.publish_many(Channel.PACKAGES, letters(1))
    assert consumer.receive(1, 0.5) == []
    with bus.consumer(Channel.PACKAGES, prefetch=1) as packages:
        assert collect(packages, 1)[0].channel is Channel.PACKAGES


def test_many_publishes_in_flight_are_each_stored_once(bus: Bus, consumer: Consumer) -> None:
    async def publish_all() -> None:
        publisher = await bus.publisher()
        await asyncio.gather(*(publisher.publish(RECORDS, message) for message in letters(500)))
        assert not publisher.blocked
        await publisher.aclose()

    asyncio.run(publish_all())
    assert names(drain(consumer, expected=500)) == [message.id for message in letters(500)]


def test_many_threads_publish_batches_and_none_is_lost(bus: Bus, consumer: Consumer) -> None:
    threads = [
        threading.Thread(target=bus.publish_many, args=(RECORDS, letters(100, f"t{number}")))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(drain(consumer, expected=400)) == [
        m.id for number in range(4) for m in letters(100, f"t{number}")
    ]


def test_messages_outlive_the_bus_that_took_them(stack: Stack, bus: Bus) -> None:
    bus.publish_many(RECORDS, letters(30))
    bus.close()
    with stack.bus() as later, later.consumer(RECORDS, prefetch=50) as consumer:
        assert names(drain(consumer, expected=30)) == [message.id for message in letters(30)]


def test_declaring_twice_changes_nothing(stack: Stack, bus: Bus, consumer: Consumer) -> None:
    bus.publish_many(RECORDS, letters(3))
    bus.declare()
    with stack.bus() as other:
        other.declare()
    assert len(drain(consumer, expected=3)) == 3


def test_what_is_acknowledged_does_not_come_back(stack: Stack, bus: Bus) -> None:
    bus.publish_many(RECORDS, letters(20))
    with bus.consumer(RECORDS, prefetch=20) as consumer:
        first = collect(consumer, 20)
        ack(consumer, first[:15])
        eventually(lambda: bus.depth(RECORDS).in_hand == 5)
    with stack.bus() as other, other.consumer(RECORDS, prefetch=20) as consumer:
        again = drain(consumer, expected=5)
    assert names(again) == names(first[15:])
    assert all(delivery.redelivered for delivery in again)


def test_any_order_of_acknowledging_is_exact(stack: Stack, bus: Bus) -> None:
    bus.publish_many(RECORDS, letters(60))
    with bus.consumer(RECORDS, prefetch=60) as consumer:
        held = collect(consumer, 60)
        random.Random(7).shuffle(held)
        kept, done = held[:20], held[20:]
        for start in range(0, 40, 3):
            ack(consumer, done[start : start + 3])
    with stack.bus() as other, other.consumer(RECORDS, prefetch=60) as consumer:
        assert names(drain(consumer, expected=20)) == names(kept)


def test_only_the_first_settlement_counts(bus: Bus) -> None:
    bus.publish_many(RECORDS, letters(3))
    with bus.consumer(RECORDS, prefetch=3) as consumer:
        one, two, three = collect(consumer, 3)
        consumer.settle([(one, Ack()), (two, Retry(0.5)), (three, Park("first"))])
        consumer.settle([(one, Retry(0.5)), (two, Park("second")), (three, Ack())])
        ack(consumer, [one, two, three])
        assert names(collect(consumer, 1)) == names([two])
        assert consumer.receive(1, 1.2) == []
    assert [parked.reason for parked in bus.parked()] == ["first"]


def test_a_consumer_holds_no_more_than_its_prefetch(bus: Bus) -> None:
    bus.publish_many(RECORDS, letters(10))
    with bus.consumer(RECORDS, prefetch=3) as consumer:
        held = collect(consumer, 3)
        assert consumer.receive(10, 0.5) == []
        ack(consumer, held[:2])
        assert len(collect(consumer, 2)) == 2


def test_competing_consumers_share_and_nobody_gets_anothers(bus: Bus) -> None:
    bus.publish_many(RECORDS, letters(200))
    with bus.consumer(RECORDS, prefetch=10) as one, bus.consumer(RECORDS, prefetch=10) as other:
        shares: list[list[str]] = [[], []]
        while sum(map(len, shares)) < 200:
            for number, consumer in enumerate((one, other)):
                deliveries = consumer.receive(5, 1)
                ack(consumer, deliveries)
                shares[number] += names(deliveries)
    assert min(map(len, shares)) > 40
    assert sorted(shares[0] + shares[1]) == [message.id for message in letters(200)]


def test_a_retry_comes_back_after_its_delay_with_one_try_more(bus: Bus, consumer: Consumer) -> None:
    bus.publish_many(RECORDS, [letter("again", interface="a")])
    (delivery,) = collect(consumer, 1)
    for tries in (1, 2):
        settled = time.monotonic()
        consumer.settle([(delivery, Retry(1))])
        eventually(lambda: bus.depth(RECORDS).delayed == 1)
        (delivery,) = collect(consumer, 1)
        assert 0.9 < time.monotonic() - settled < 3
        assert (delivery.tries, delivery.redelivered) == (tries, False)
        assert delivery.message == letter("again", interface="a")
    ack(consumer, [delivery])
    assert drain(consumer) == []


def test_a_long_delay_does_not_hold_up_a_short_one(bus: Bus, consumer: Consumer) -> None:
    bus.publish_many(RECORDS, letters(2))
    long, short = collect(consumer, 2)
    consumer.settle([(long, Retry(60)), (short, Retry(0.5))])
    assert names(collect(consumer, 1, within_s=4)) == names([short])
    assert bus.depth(RECORDS).delayed == 1


def test_a_parked_message_is_listed_with_its_reason_and_stays(bus: Bus, consumer: Consumer) -> None:
    bus.publish_many(RECORDS, [letter("bad", interface="a"), *letters(2)])
    before = time.time_ns() // 1_000_000
    bad = next(d for d in collect(consumer, 3) if d.message.id == "bad")
    consumer.settle([(bad, Park("no such interface: 无此接口"))])
    eventually(lambda: bus.depth(RECORDS).parked == 1)
    for _ in range(3):
        (parked,) = bus.parked()
        assert parked.message == letter("bad", interface="a")
        assert (parked.channel, parked.reason, parked.tries) == (RECORDS, "no such interface: 无此接口", 0)
        assert before - 1000 <= parked.parked_at_ms <= time.time_ns() // 1_000_000 + 1000


def _park(bus: Bus, channel: Channel, count: int, stem: str = "p") -> None:
    bus.publish_many(channel, letters(count, stem))
    with bus.consumer(channel, prefetch=count) as consumer:
        for delivery in collect(consumer, count):
            consumer.settle([(delivery, Park("test"))])
    eventually(lambda: bus.depth(channel).parked >= count)


def test_parked_messages_are_paged_oldest_first_and_keep_their_order(bus: Bus) -> None:
    _park(bus, RECORDS, 12)
    _park(bus, Channel.PACKAGES, 3, "q")
    everything = bus.parked()
    assert [parked.parked_at_ms for parked in everything] == sorted(p.parked_at_ms for p in everything)
    assert len({parked.id for parked in everything}) == 15
    pages: list[str] = []
    after = ""
    while page := bus.parked(limit=4, after=after):
        assert len(page) <= 4
        pages += [parked.message.id for parked in page]
        after = page[-1].id
    assert pages == [parked.message.id for parked in everything]


def test_a_redrive_sends_the_chosen_ones_back_and_leaves_the_rest(bus: Bus) -> None:
    _park(bus, Channel.PACKAGES, 5)
    chosen = bus.parked()[1:3]
    assert bus.redrive([parked.id for parked in chosen] + ["999999999"]) == 2
    with bus.consumer(Channel.PACKAGES, prefetch=5) as packages:
        back = drain(packages, expected=2)
    assert names(back) == sorted(parked.message.id for parked in chosen)
    assert {delivery.tries for delivery in back} == {0}
    assert len(bus.parked()) == 3
    assert bus.redrive([chosen[0].id]) == 0


def test_a_redrive_of_all_honours_its_limit(bus: Bus) -> None:
    _park(bus, Channel.PACKAGES_BULK, 6)
    assert bus.redrive(limit=4) == 4
    assert bus.redrive() == 2
    with bus.consumer(Channel.PACKAGES_BULK, prefetch=10) as packages:
        assert len(drain(packages, expected=6)) == 6
    assert bus.parked() == []


def test_discarded_messages_are_gone(bus: Bus) -> None:
    _park(bus, Channel.PACKAGES, 3)
    (first, *_) = bus.parked()
    assert bus.redrive([first.id], discard=True) == 1
    assert first.id not in {parked.id for parked in bus.parked()}
    assert bus.redrive(discard=True) == 2
    assert bus.parked() == []
    assert bus.depth(Channel.PACKAGES).ready == 0


def test_two_copies_of_one_message_are_parked_apart(bus: Bus, consumer: Consumer) -> None:
    bus.publish_many(RECORDS, [letter("twin"), letter("twin")])
    consumer.settle([(delivery, Park("twin")) for delivery in collect(consumer, 2)])
    eventually(lambda: bus.depth(RECORDS).parked == 2)
    one, other = bus.parked()
    assert one.id != other.id
    assert bus.redrive([one.id]) == 1
    assert [parked.id for parked in bus.parked()] == [other.id]


def test_depth_tells_where_messages_are(bus: Bus) -> None:
    bus.publish_many(RECORDS, letters(10))
    with bus.consumer(RECORDS, prefetch=4) as consumer:
        held = collect(consumer, 4)
        consumer.settle([(held[0], Ack()), (held[1], Retry(60)), (held[2], Park("x"))])
        more = collect(consumer, 3)
        eventually(lambda: bus.depth(RECORDS).parked == 1)
        depth = bus.depth(RECORDS)
        assert (depth.ready, depth.in_hand, depth.delayed, depth.parked) == (3, 1 + len(more), 1, 1)
        assert bus.depth(Channel.PACKAGES).ready == 0


def test_a_probe_of_a_healthy_bus_returns(bus: Bus) -> None:
    started = time.monotonic()
    bus.probe()
    assert time.monotonic() - started < 5


def test_a_dead_consumers_messages_come_back_marked(stack: Stack, bus: Bus) -> None:
    bus.publish_many(RECORDS, letters(10))
    process = stack.process("hold", "10")
    held = lines(process, 10)
    kill(process)
    with bus.consumer(RECORDS, prefetch=10) as heir:
        deliveries = collect(heir, 10, within_s=10)
        ack(heir, deliveries)
    assert names(deliveries) == sorted(held)
    assert all(delivery.redelivered for delivery in deliveries)


def test_a_message_that_kills_its_consumers_is_parked_in_the_end(bus: Bus) -> None:
    bus.publish_many(RECORDS, letters(1))
    for _ in range(30):
        with bus.consumer(RECORDS, prefetch=1) as consumer:
            if not consumer.receive(1, 1) and bus.depth(RECORDS).parked:
                break
    (parked,) = bus.parked()
    assert parked.message == letters(1)[0]
    assert "delivery" in parked.reason
    assert bus.redrive() == 1
    with bus.consumer(RECORDS, prefetch=1) as consumer:
        assert not collect(consumer, 1)[0].redelivered


def test_a_killed_publisher_lost_nothing_it_was_told_is_stored(
    stack: Stack, bus: Bus, consumer: Consumer
) -> None:
    confirmed: list[str] = []
    for _ in range(3):
        process = stack.process("publish")
        confirmed += lines(process, 200)
        kill(process)
    received = set(names(drain(consumer, expected=len(confirmed))))
    assert set(confirmed) <= received


def test_killed_publishers_and_consumers_together_lose_nothing(stack: Stack, bus: Bus) -> None:
    confirmed: list[str] = []
    seen: list[str] = []
    for _ in range(3):
        with ExitStack() as ended:
            publisher, worker = (_running(stack, command, ended) for command in ("publish", "consume"))
            confirmed += lines(publisher, 100)
            seen += lines(worker, 50)
            publisher.kill()
            worker.kill()
            confirmed += _rest(publisher)
            seen += _rest(worker)
    with bus.consumer(RECORDS, prefetch=200) as heir:
        seen += names(drain(heir, 2))
    assert set(confirmed) <= set(seen)
    assert bus.depth(RECORDS).ready == 0


def _running(stack: Stack, command: str, ended: ExitStack) -> subprocess.Popen[str]:
    process = stack.process(command)
    ended.callback(kill, process)
    return process


def _rest(process: subprocess.Popen[str]) -> list[str]:
    """What it had still said when it was killed; the last line may be cut."""
    assert process.stdout is not None
    return [line.strip().strip('"') for line in process.stdout if line.endswith("\n")]
