"""Every exchange and queue of the hub, and the one function that declares them.

Per channel: a work queue, a delay queue per step of waiting, and a dead letter queue. All are quorum queues. Messages that
expire in a delay queue, and those the broker gives up on, are moved at-least-once, which needs ``reject-publish`` on overflow.
Arguments must never change for an existing name: the broker refuses, and the hub says what differs.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from contracts.fault import Fault, Rule
from core.errors import ConfigError
from core.ports.bus import Channel

DELIVERY_LIMIT = 20
"""A fuse for messages that kill their consumers; a lost connection counts for all it held, so it must stay generous."""
UNLIMITED = 1_000_000_000
"""Parked messages are handed out for listing as often as a person looks. Brokers from 4.0 on delete a message after 20 times
unless the queue says otherwise; a number that is never reached means the same to every version."""
WORK_LENGTH = 1_000_000
"""Messages in a work queue before publishes are refused: a brake for the broker's memory and disk."""
DELAYS = (("1s", 1), ("10s", 10), ("1m", 60), ("10m", 600), ("1h", 3600))
_PRECONDITION_FAILED = 406

_DECLARED_OTHERWISE = Rule(
    code="bus.declared-otherwise",
    en="{name} exists with other arguments: {difference}",
    zh="{name} 已以不同参数存在：{difference}",
    remedy_en="drain and delete it, or choose another prefix",
    remedy_zh="请先消费完并删除它，或更换名称前缀",
)


class Queue(NamedTuple):
    """A queue and where it is bound."""

    name: str
    exchange: str
    key: str
    arguments: dict[str, str | int]


class Topology:
    """Names under one prefix."""

    def __init__(self, prefix: str) -> None:
        self.work = f"{prefix}.work"
        self.delay = f"{prefix}.delay"
        self.dead = f"{prefix}.dead"

    def work_queue(self, channel: Channel) -> str:
        return f"{self.work}.{channel.value}"

    def delay_queue(self, channel: Channel, step: str) -> str:
        return f"{self.delay}.{delay_key(channel, step)}"

    def dead_queue(self, channel: Channel) -> str:
        return f"{self.dead}.{channel.value}"

    @property
    def exchanges(self) -> tuple[str, str, str]:
        """All are direct and durable."""
        return (self.work, self.delay, self.dead)

    def queues(self) -> Iterator[Queue]:
        for channel in Channel:
            yield Queue(self.work_queue(channel), self.work, channel.value, self._work_arguments(channel))
            yield Queue(
                self.dead_queue(channel),
                self.dead,
                channel.value,
                _arguments({"x-delivery-limit": UNLIMITED}),
            )
            for step, seconds in DELAYS:
                name, key = self.delay_queue(channel, step), delay_key(channel, step)
                yield Queue(name, self.delay, key, self._delay_arguments(channel, seconds))

    def _work_arguments(self, channel: Channel) -> dict[str, str | int]:
        limits: dict[str, str | int] = {"x-delivery-limit": DELIVERY_LIMIT, "x-max-length": WORK_LENGTH}
        return _arguments(limits | _moved_to(self.dead, channel))

    def _delay_arguments(self, channel: Channel, seconds: int) -> dict[str, str | int]:
        wait: dict[str, str | int] = {"x-message-ttl": seconds * 1000}
        return _arguments(wait | _moved_to(self.work, channel))


def delay_key(channel: Channel, step: str) -> str:
    """Routing key of a delay queue."""
    return f"{channel.value}.{step}"


def delay_step(delay_s: float) -> str:
    """The shortest step that is not shorter than ``delay_s``, or the longest there is."""
    return next((step for step, seconds in DELAYS if seconds >= delay_s), DELAYS[-1][0])


def declare(connection: pika.BlockingConnection, topology: Topology) -> None:
    """Creates what is missing. Raises ``ConfigError`` naming everything that exists with other arguments."""
    faults: list[Fault] = []
    for exchange in topology.exchanges:
        faults += _attempt(connection, exchange, partial(_declare_exchange, name=exchange))
    for queue in topology.queues():
        faults += _attempt(connection, queue.name, partial(_declare_queue, queue=queue))
    if faults:
        raise ConfigError("bus", faults)


def _attempt(
    connection: pika.BlockingConnection, name: str, declaration: Callable[[BlockingChannel], None]
) -> list[Fault]:
    channel = connection.channel()  # a refusal closes it
    try:
        declaration(channel)
        channel.close()
    except ChannelClosedByBroker as closed:
        if closed.reply_code != _PRECONDITION_FAILED:
            raise
        difference = closed.reply_text.partition(" - ")[2]
        return [_DECLARED_OTHERWISE.at(f"/bus/{name}", name=name, difference=difference)]
    return []


def _declare_exchange(channel: BlockingChannel, name: str) -> None:
    channel.exchange_declare(name, "direct", durable=True)


def _declare_queue(channel: BlockingChannel, queue: Queue) -> None:
    channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
    channel.queue_bind(queue.name, queue.exchange, queue.key)


def _arguments(own: dict[str, str | int]) -> dict[str, str | int]:
    return {"x-queue-type": "quorum", "x-overflow": "reject-publish"} | own


def _moved_to(exchange: str, channel: Channel) -> dict[str, str | int]:
    return {
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-routing-key": channel.value,
        "x-dead-letter-strategy": "at-least-once",
    }
