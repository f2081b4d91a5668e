"""What breaks around the RabbitMQ bus: links, alarms, queues, the broker itself."""

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pika
import pytest

from conformance.bus_stack import (
    RECORDS,
    Stack,
    ack,
    collect,
    drain,
    emptied,
    eventually,
    letter,
    letters,
    names,
)
from conformance.proxy import Proxy
from core.errors import ConfigError, Unavailable, Unroutable
from core.ports.bus import Bus, Channel, Consumer, Message, Park, Publisher, Retry
from router.bus.rabbitmq.topology import Topology
from services.broker import OwnBroker, Vhosts
from services.process import free_port

pytestmark = [pytest.mark.faults, pytest.mark.external]

ANSWER_S = 5.3
"""A publish answers within 5 s; the rest is for a busy machine."""


@pytest.fixture(scope="module")
def _declared(_shared_vhosts: Vhosts) -> Iterator[Stack]:
    stack = Stack("rabbitmq", _shared_vhosts.fresh(), f"f{uuid.uuid4().hex[:6]}")
    yield stack
    _shared_vhosts.give_back(stack.url)


@pytest.fixture
def stack(_declared: Stack) -> Stack:
    with _declared.bus() as bus:
        bus.declare()
    return emptied(_declared)


@pytest.fixture
def bus(stack: Stack) -> Iterator[Bus]:
    with stack.bus() as bus:
        yield bus


@pytest.fixture
def amqp(stack: Stack) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
    """A stranger's channel."""
    with pika.BlockingConnection(pika.URLParameters(stack.url)) as connection:
        yield connection.channel()


@pytest.fixture(scope="module")
def _own(_own_broker: OwnBroker) -> Stack:
    _own_broker.restore()
    stack = Stack("rabbitmq", _own_broker.vhosts.fresh(), "hub")
    with stack.bus() as bus:
        bus.declare()
    return stack


@pytest.fixture
def own(own_broker: OwnBroker, _own: Stack) -> Stack:
    """A bus on a broker that may be hurt."""
    return emptied(_own)


def through(stack: Stack, port: int, heartbeat_s: int) -> Stack:
    parts = urlsplit(stack.url)
    url = f"amqp://{parts.username}:{parts.password}@127.0.0.1:{port}{parts.path}?heartbeat={heartbeat_s}"
    return replace(stack, url=url)


def port_of(stack: Stack) -> int:
    return urlsplit(stack.url).port or 5672


async def refused(publisher: Publisher, error: type[Exception]) -> float:
    """Seconds until the publish was refused with ``error``."""
    started = time.monotonic()
    with pytest.raises(error):
        await publisher.publish(RECORDS, letter("refused"))
    return time.monotonic() - started


async def accepted(publisher: Publisher, name: str, within_s: float = 15) -> None:
    """Publishes until it is taken."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            await publisher.publish(RECORDS, letter(name))
        except (Unavailable, Unroutable):
            assert time.monotonic() < deadline
        else:
            return


# -- nobody takes it


def test_a_publish_that_no_queue_takes_is_unroutable(
    bus: Bus, stack: Stack, amqp: pika.adapters.blocking_connection.BlockingChannel
) -> None:
    names_of = Topology(stack.prefix)
    amqp.queue_unbind(names_of.work_queue(RECORDS), names_of.work, RECORDS.value)
    with pytest.raises(Unroutable):
        bus.publish_many(RECORDS, letters(3))
    bus.publish_many(Channel.PACKAGES, letters(3))
    bus.declare()
    bus.publish_many(RECORDS, letters(2))
    assert bus.depth(RECORDS).ready == 2


def test_a_missing_exchange_is_unroutable_until_it_is_declared(
    bus: Bus, stack: Stack, amqp: pika.adapters.blocking_connection.BlockingChannel
) -> None:
    async def story() -> None:
        publisher = await bus.publisher()
        await publisher.publish(RECORDS, letter("before"))
        amqp.exchange_delete(Topology(stack.prefix).work)
        await refused(publisher, Unavailable)  # in flight when the channel closed: nobody knows
        assert await refused(publisher, Unroutable) < ANSWER_S
        bus.declare()
        await accepted(publisher, "after")
        await publisher.aclose()

    asyncio.run(story())


def test_other_arguments_are_a_configuration_error_that_names_them(
    stack: Stack, amqp: pika.adapters.blocking_connection.BlockingChannel
) -> None:
    other = replace(stack, prefix=f"{stack.prefix}o")
    queues = {queue.name: queue for queue in Topology(other.prefix).queues()}
    for name in (f"{other.prefix}.delay.records.1s", f"{other.prefix}.dead.packages"):
        amqp.queue_declare(name, durable=True, arguments=queues[name].arguments | {"x-max-length": 7})
    with other.bus() as bus, pytest.raises(ConfigError) as refusal:
        bus.declare()
    assert [fault.pointer for fault in refusal.value.faults] == [
        f"/bus/{other.prefix}.delay.records.1s",
        f"/bus/{other.prefix}.dead.packages",
    ]
    assert "x-max-length" in str(refusal.value)
    for name in queues:
        amqp.queue_delete(name)


def test_a_full_queue_refuses_and_takes_again_when_there_is_room(own_broker: OwnBroker, own: Stack) -> None:
    vhost = urlsplit(own.url).path.lstrip("/")
    own_broker.ctl("set_policy", "-p", vhost, "short", "work", '{"max-length": 10}', "--apply-to", "queues")
    try:
        with own.bus() as bus:
            eventually(lambda: _takes_no_more(bus), 20)
            with bus.consumer(RECORDS, prefetch=50) as consumer:
                drain(consumer)
            bus.publish_many(RECORDS, letters(1))
    finally:
        own_broker.ctl("clear_policy", "-p", vhost, "short")


def _takes_no_more(bus: Bus) -> bool:
    try:
        bus.publish_many(RECORDS, letters(20))
    except Unavailable:
        return True
    return False


def test_a_broker_that_is_away_is_said_to_be_in_time() -> None:
    nowhere = Stack("rabbitmq", f"amqp://guest:guest@127.0.0.1:{free_port()}/%2F", "hub")

    async def story(bus: Bus) -> None:
        publisher = await bus.publisher()
        assert publisher.blocked
        assert await refused(publisher, Unavailable) < ANSWER_S
        await publisher.aclose()

    with nowhere.bus() as bus:
        asyncio.run(story(bus))
        for errand in (bus.declare, bus.probe, bus.parked, lambda: bus.depth(RECORDS)):
            started = time.monotonic()
            with pytest.raises(Unavailable):
                errand()
            assert time.monotonic() - started < ANSWER_S
        with bus.consumer(RECORDS, prefetch=1) as consumer:
            assert consumer.receive(1, 0.2) == []


# -- strangers' messages


def test_a_strangers_message_reaches_the_worker_and_can_be_parked(
    bus: Bus, stack: Stack, amqp: pika.adapters.blocking_connection.BlockingChannel
) -> None:
    exchange = Topology(stack.prefix).work
    amqp.basic_publish(exchange, RECORDS.value, b"\xff\x00 no headers")
    odd: dict[str, Any] = {
        "n": 1,
        "deep": {"a": [1]},
        "x-hub-tries": "many",
        "x-death": "?",
        "text": "kept",
    }
    amqp.basic_publish(exchange, RECORDS.value, b"odd", pika.BasicProperties(headers=odd, message_id="odd"))
    with bus.consumer(RECORDS, prefetch=5) as consumer:
        one, other = sorted(collect(consumer, 2), key=lambda delivery: delivery.message.id)
        assert one.message.id.startswith("foreign-")
        assert (one.message.body, one.message.headers, one.tries) == (b"\xff\x00 no headers", {}, 0)
        assert (other.message.id, other.message.headers, other.tries) == ("odd", {"text": "kept"}, 0)
        consumer.settle([(one, Park("not a chunk")), (other, Park("not a chunk"))])
        eventually(lambda: bus.depth(RECORDS).parked == 2)
    assert {parked.message.body for parked in bus.parked()} == {b"\xff\x00 no headers", b"odd"}


# -- links


def test_a_consumer_on_a_half_open_link_is_back_by_itself(stack: Stack, bus: Bus) -> None:
    with (
        Proxy(port_of(stack)) as proxy,
        through(stack, proxy.port, heartbeat_s=1).bus() as far,
        far.consumer(RECORDS, prefetch=5) as consumer,
    ):
        bus.publish_many(RECORDS, letters(3))
        held = collect(consumer, 3)
        proxy.half_open()
        cut = time.monotonic()
        again = collect(consumer, 3, within_s=20)
        # The driver looks every heartbeat + 5 s and needs one whole silent period: with 10 s that is 3 heartbeats at most.
        assert time.monotonic() - cut < 2 * (1 + 5) + 2
        ack(consumer, held)  # of the link that is gone: changes nothing
        assert all(delivery.redelivered for delivery in again)
        ack(consumer, again)
        eventually(lambda: bus.depth(RECORDS).ready == 0)
    with bus.consumer(RECORDS, prefetch=5) as consumer:
        assert drain(consumer) == []


def test_a_publisher_on_a_half_open_link_fails_in_time_and_is_back_by_itself(stack: Stack, bus: Bus) -> None:
    async def story(far: Bus, proxy: Proxy) -> None:
        publisher = await far.publisher()
        await accepted(publisher, "before")
        proxy.half_open()
        assert await refused(publisher, Unavailable) < ANSWER_S
        await accepted(publisher, "after", within_s=5)
        await publisher.aclose()

    with Proxy(port_of(stack)) as proxy, through(stack, proxy.port, heartbeat_s=10).bus() as far:
        asyncio.run(story(far, proxy))
    with bus.consumer(RECORDS, prefetch=5) as consumer:
        assert {"before", "after"} <= set(names(drain(consumer)))


def test_closing_does_not_wait_for_a_peer_that_is_gone(stack: Stack, bus: Bus) -> None:
    bus.publish_many(RECORDS, letters(1))
    with Proxy(port_of(stack)) as proxy:
        far = through(stack, proxy.port, heartbeat_s=10).open()
        consumer = far.consumer(RECORDS, prefetch=1)
        collect(consumer, 1)
        far.probe()
        proxy.half_open()
        started = time.monotonic()
        far.close()
        assert time.monotonic() - started < 6


def test_work_longer_than_three_heartbeats_keeps_its_delivery(stack: Stack, bus: Bus) -> None:
    slow = through(stack, port_of(stack), heartbeat_s=1)
    bus.publish_many(RECORDS, letters(1))
    with slow.bus() as other, other.consumer(RECORDS, prefetch=1) as consumer:
        held = collect(consumer, 1)
        time.sleep(4)
        ack(consumer, held)
        assert consumer.receive(1, 0.5) == []
    assert bus.depth(RECORDS).ready == 0


def test_a_consumer_whose_queue_was_deleted_works_again_when_it_is_back(
    bus: Bus, stack: Stack, amqp: pika.adapters.blocking_connection.BlockingChannel
) -> None:
    with bus.consumer(RECORDS, prefetch=5) as consumer:
        consumer.receive(1, 0.5)
        amqp.queue_delete(Topology(stack.prefix).work_queue(RECORDS))
        assert consumer.receive(1, 0.5) == []
        bus.declare()
        bus.publish_many(RECORDS, letters(2))
        assert len(collect(consumer, 2)) == 2


def test_a_redrive_that_is_cut_leaves_every_copy_where_it_is(
    bus: Bus, stack: Stack, amqp: pika.adapters.blocking_connection.BlockingChannel
) -> None:
    bus.publish_many(RECORDS, letters(4))
    with bus.consumer(RECORDS, prefetch=4) as consumer:
        consumer.settle([(delivery, Park("later")) for delivery in collect(consumer, 4)])
        eventually(lambda: bus.depth(RECORDS).parked == 4)
    before = bus.parked()
    amqp.queue_unbind(Topology(stack.prefix).work_queue(RECORDS), Topology(stack.prefix).work, RECORDS.value)
    with pytest.raises(Unroutable):
        bus.redrive()
    eventually(lambda: bus.depth(RECORDS).parked == 4)
    assert bus.parked() == before
    bus.declare()
    assert bus.redrive() == 4
    assert bus.depth(RECORDS).ready == 4


# -- the broker


def test_an_ended_delivery_time_out_costs_a_redelivery_and_no_more(own_broker: OwnBroker, own: Stack) -> None:
    limits = "application:set_env(rabbit, consumer_timeout, {}), application:set_env(rabbit, channel_tick_interval, {})."
    own_broker.ctl("eval", limits.format(1000, 500))
    try:
        with own.bus() as bus, bus.consumer(RECORDS, prefetch=5) as consumer:
            bus.publish_many(RECORDS, letters(1))
            held = collect(consumer, 1)
            again = collect(consumer, 1)
            assert again[0].redelivered
            ack(consumer, held + again)
            eventually(lambda: bus.depth(RECORDS).in_hand == 0)
    finally:
        own_broker.ctl("eval", limits.format(1800000, 60000))
    with own.bus() as bus, bus.consumer(RECORDS, prefetch=5) as consumer:
        assert drain(consumer) == []


def test_an_alarm_refuses_publishes_while_consumers_drain_and_ends_by_itself(
    own_broker: OwnBroker, own: Stack
) -> None:
    async def story(bus: Bus, consumer: Consumer) -> None:
        publisher = await bus.publisher()
        await accepted(publisher, "before")
        own_broker.set_memory_alarm()
        assert await refused(publisher, Unavailable) < ANSWER_S
        assert publisher.blocked
        started = time.monotonic()
        answers = await asyncio.gather(
            publisher.publish(RECORDS, letter("refused")),
            asyncio.to_thread(bus.publish_many, RECORDS, [letter("refused too")]),
            asyncio.to_thread(bus.probe),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [Unavailable] * 3
        assert time.monotonic() - started < 2 * ANSWER_S  # a batch and a probe may take turns
        await asyncio.to_thread(drains_while_blocked, bus, consumer)
        own_broker.clear_memory_alarm()
        await asyncio.to_thread(eventually, lambda: not publisher.blocked)
        await publisher.publish(RECORDS, letter("after"))
        await publisher.aclose()

    with own.bus() as bus, bus.consumer(RECORDS, prefetch=50) as consumer:
        bus.publish_many(RECORDS, letters(10))
        asyncio.run(story(bus, consumer))
        left = drain(consumer, 3)
    assert {"after", "m-00000"} <= set(names(left))  # "refused" may have been stored, too
    assert [delivery.tries for delivery in left if delivery.message.id == "m-00000"] == [1]


def drains_while_blocked(bus: Bus, consumer: Consumer) -> None:
    """Acks go through; a retry stays in hand until the alarm ends."""
    held = sorted(collect(consumer, 11), key=lambda delivery: delivery.message.id)
    retried = next(delivery for delivery in held if delivery.message.id == "m-00000")
    ack(consumer, [delivery for delivery in held if delivery is not retried])
    started = time.monotonic()
    consumer.settle([(retried, Retry(1))])
    assert time.monotonic() - started < ANSWER_S
    eventually(lambda: bus.depth(RECORDS).in_hand == 1)


@pytest.mark.timeout(180)
def test_a_broker_that_stops_and_is_killed_under_load_costs_nothing_confirmed(
    own_broker: OwnBroker, own: Stack
) -> None:
    confirmed: set[str] = set()
    received: set[str] = set()
    ending = threading.Event()

    async def publish(bus: Bus) -> None:
        publisher = await bus.publisher()
        number = 0
        while not ending.is_set():
            batch = [letter(f"load-{number + i}") for i in range(20)]
            number += 20
            answers = await asyncio.gather(
                *(publisher.publish(RECORDS, m) for m in batch), return_exceptions=True
            )
            assert all(answer is None or isinstance(answer, Unavailable) for answer in answers), answers
            confirmed.update(m.id for m, answer in zip(batch, answers, strict=True) if answer is None)
            await asyncio.sleep(0.02)
        await publisher.aclose()

    def consume(bus: Bus) -> None:
        with bus.consumer(RECORDS, prefetch=50) as consumer:
            while threads[0].is_alive() or confirmed - received:
                deliveries = consumer.receive(50, 0.2)
                received.update(names(deliveries))
                ack(consumer, deliveries)

    with own.bus() as one, own.bus() as other:
        threads = [
            threading.Thread(target=asyncio.run, args=(publish(one),), daemon=True),
            threading.Thread(target=consume, args=(other,), daemon=True),
        ]
        for thread in threads:
            thread.start()
        for hurt in (own_broker.stop, own_broker.kill):
            seen = len(received)
            eventually(lambda seen=seen: len(received) > seen + 200)  # type: ignore[misc]  # bound at once
            retry_all(one, letters(200, hurt.__name__))
            hurt()
            with pytest.raises(Unavailable):
                one.probe()
            own_broker.start()
        seen = len(received)
        eventually(lambda: len(received) > seen + 200, 30)
        ending.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        with one.consumer(Channel.PACKAGES, prefetch=200) as consumer:
            returned = set(names(drain(consumer, 2, expected=400)))
    assert confirmed <= received
    assert len(confirmed) > 600
    assert returned == {message.id for message in letters(200, "stop") + letters(200, "kill")}


def retry_all(bus: Bus, messages: list[Message]) -> None:
    """Leaves them on their way through the delay queue."""
    bus.publish_many(Channel.PACKAGES, messages)
    with bus.consumer(Channel.PACKAGES, prefetch=len(messages)) as consumer:
        consumer.settle([(delivery, Retry(1)) for delivery in collect(consumer, len(messages))])
