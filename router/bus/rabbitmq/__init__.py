"""The bus on RabbitMQ 3.10 to 4.3: quorum queues, delays in the broker, confirms in a pipeline."""

from collections.abc import Sequence
from weakref import WeakSet

import pika
from pika.adapters.blocking_connection import BlockingChannel

from core.ports.bus import Channel, Depth, Message, Parked
from router.bus.rabbitmq import deadletters, topology
from router.bus.rabbitmq.consumer import RabbitConsumer, consume
from router.bus.rabbitmq.envelope import Outgoing, to_work
from router.bus.rabbitmq.link import LINK_ERRORS, admin_channel, check, parameters, translated
from router.bus.rabbitmq.outlet import Outlet
from router.bus.rabbitmq.publisher import RabbitPublisher
from router.bus.rabbitmq.topology import DELAYS, Topology

_PROBE = Message(id="probe", body=b"")


class RabbitBus:
    """``core.ports.bus.Bus`` on one virtual host; ``prefix`` begins the name of everything it owns there.

    Raises ``ConfigError`` for a URL that cannot be read.
    """

    def __init__(self, url: str, *, prefix: str) -> None:
        check(url)
        self._url = url
        self._topology = Topology(prefix)
        self._outlet = Outlet(lambda: RabbitPublisher(url, self._topology, "publisher (threads)"))
        self._consumers: WeakSet[RabbitConsumer] = WeakSet()

    def declare(self) -> None:
        try:
            with pika.BlockingConnection(parameters(self._url, "declaration")) as connection:
                topology.declare(connection, self._topology)
        except LINK_ERRORS as error:
            raise translated(error) from error

    async def publisher(self) -> RabbitPublisher:
        return RabbitPublisher(self._url, self._topology)

    def publish_many(self, channel: Channel, messages: Sequence[Message]) -> None:
        self._outlet.send([to_work(self._topology, channel, message) for message in messages])

    def consumer(self, channel: Channel, prefetch: int) -> RabbitConsumer:
        consumer = consume(self._url, self._topology, self._outlet, channel, prefetch)
        self._consumers.add(consumer)
        return consumer

    def parked(self, limit: int = 100, after: str = "") -> list[Parked]:
        """As the port says, of the first ``deadletters.BROWSED`` copies of each channel."""
        with admin_channel(self._url, "listing") as amqp:
            return deadletters.parked(amqp, self._topology, limit, after)

    def redrive(self, ids: Sequence[str] | None = None, *, limit: int = 1000, discard: bool = False) -> int:
        with admin_channel(self._url, "re-drive") as amqp:
            return deadletters.remove(
                amqp, self._topology, ids, limit, _nowhere if discard else self._send_back
            )

    def depth(self, channel: Channel) -> Depth:
        """As the port says; ``in_hand`` counts this bus's own consumers, since AMQP does not tell about others'."""
        names = self._topology
        with admin_channel(self._url, "depth") as amqp:
            ready = _length(amqp, names.work_queue(channel))
            delayed = sum(_length(amqp, names.delay_queue(channel, step)) for step, _ in DELAYS)
            parked = _length(amqp, names.dead_queue(channel))
        in_hand = sum(consumer.in_hand for consumer in list(self._consumers) if consumer.channel is channel)
        return Depth(ready=ready, in_hand=in_hand, delayed=delayed, parked=parked)

    def probe(self) -> None:
        """A message that no queue is bound for goes to the broker, is confirmed and vanishes."""
        (error,) = self._outlet.send_each(
            [Outgoing(self._topology.work, "probe", _PROBE, {})], mandatory=False
        )
        if error is not None:
            raise error

    def close(self) -> None:
        for consumer in list(self._consumers):
            consumer.close()
        self._outlet.close()

    def _send_back(self, copies: Sequence[Parked]) -> None:
        self._outlet.send([to_work(self._topology, copy.channel, copy.message) for copy in copies])


def _nowhere(copies: Sequence[Parked]) -> None:
    """Discarded: no copy is made."""


def _length(amqp: BlockingChannel, queue: str) -> int:
    return int(amqp.queue_declare(queue, passive=True).method.message_count)


def remove_bus(url: str, *, prefix: str) -> None:
    """Deletes all that ``declare`` makes under this prefix, with the messages in it; raises ``Unavailable``."""
    names = Topology(prefix)
    with admin_channel(url, "removal") as amqp:
        for queue in names.queues():
            amqp.queue_delete(queue.name)
        for exchange in names.exchanges:
            amqp.exchange_delete(exchange)
