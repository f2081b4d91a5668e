"""The consuming connection and its thread: heartbeats flow whatever the worker does, acknowledgements are exact."""

import logging
import random
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import pika
from pika import BasicProperties
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError
from pika.spec import Basic

from core.ports.bus import Channel, Delivery
from router.bus.rabbitmq import envelope
from router.bus.rabbitmq.link import LINK_ERRORS, describe, parameters

LOGGER = logging.getLogger(__name__)

_GENERATION = 1 << 40
"""A tag of ours is generation x this + the broker's delivery tag: tags of an earlier connection are told by it."""
_ROUND_S = 1.0
_RECONNECT_S = (0.1, 2.0)
_FAREWELL_S = 3.0


class IntakeLink:
    """One consumer's connection; all pika calls happen in its thread."""

    def __init__(self, url: str, queue: str, channel: Channel, prefetch: int) -> None:
        self._parameters = parameters(url, f"consumer {channel.value}")
        self._queue = queue
        self._of = channel
        self._prefetch = prefetch
        self._arrived = threading.Condition()
        self._buffer: deque[Delivery] = deque()
        self._generation = 0
        self._outstanding: dict[int, None] = {}
        self._connection: pika.BlockingConnection | None = None
        self._failures = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"bus-{channel.value}", daemon=True)
        self._thread.start()

    # -- called by the worker

    def take(self, limit: int, wait_s: float) -> list[Delivery]:
        """Up to ``limit`` of what has arrived, waiting for the first."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._buffer, wait_s)
            return [self._buffer.popleft() for _ in range(min(limit, len(self._buffer)))]

    def is_current(self, tag: int) -> bool:
        """The connection the delivery came by is still the one in use."""
        return tag // _GENERATION == self._generation

    @property
    def in_hand(self) -> int:
        """Deliveries not settled yet."""
        return len(self._outstanding)

    def acknowledge(self, tags: Sequence[int]) -> None:
        """Soon, in the link's own thread; forgotten when the connection breaks first."""
        connection = self._connection
        if tags and connection is not None:
            with suppress(AMQPError):
                connection.add_callback_threadsafe(partial(self._acknowledge, tags))

    def close(self) -> None:
        """Ends the connection after the acknowledgements already given; never waits for a peer that is gone."""
        connection = self._connection
        try:
            if connection is None:
                self._ending.set()
            else:
                connection.add_callback_threadsafe(self._ending.set)
        except AMQPError:
            self._ending.set()
        self._thread.join(_FAREWELL_S)
        self._ending.set()

    # -- in the link's thread

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._serve()
            except LINK_ERRORS as error:
                level = (
                    logging.DEBUG if self._failures else logging.WARNING
                )  # once, however long it stays away
                LOGGER.log(level, "consuming link to %s lost: %s", self._queue, describe(error))
            except Exception:  # a consumer whose thread has ended would look idle for ever
                LOGGER.exception("consuming link to %s failed", self._queue)
            self._forget()
            shortest, longest = _RECONNECT_S
            pause = min(longest, shortest * 2**self._failures)
            self._failures = min(self._failures + 1, 8)
            self._ending.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    def _serve(self) -> None:
        connection = pika.BlockingConnection(self._parameters)
        try:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=self._prefetch)
            channel.queue_declare(self._queue, passive=True)
            channel.basic_consume(self._queue, self._on_delivery)
            self._channel = channel
            if self._failures > 1:
                LOGGER.warning("consuming from %s again after %d attempts", self._queue, self._failures)
            self._failures = 0
            self._connection = connection
            while not self._ending.is_set():
                connection.process_data_events(time_limit=_ROUND_S)
                if not channel.consumer_tags:
                    raise AMQPError("the broker ended the consumer")
        finally:
            self._connection = None
            with suppress(*LINK_ERRORS):
                connection.close()

    def _forget(self) -> None:
        with self._arrived:
            self._generation += 1
            self._buffer.clear()
            self._outstanding = {}

    def _on_delivery(
        self, _channel: BlockingChannel, method: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        number = int(method.delivery_tag or 0)
        delivery = Delivery(
            message=envelope.message(properties, body),
            channel=self._of,
            tries=envelope.tries(properties),
            redelivered=bool(method.redelivered),
            tag=self._generation * _GENERATION + number,
        )
        with self._arrived:
            self._outstanding[number] = None
            self._buffer.append(delivery)
            self._arrived.notify()

    def _acknowledge(self, tags: Sequence[int]) -> None:
        """One multiple ack for all below the lowest that is still in hand, single acks for the rest."""
        settled = [tag % _GENERATION for tag in tags if self.is_current(tag)]
        settled = [number for number in settled if number in self._outstanding]
        for number in settled:
            self._outstanding.pop(number, None)
        lowest = next(iter(self._outstanding), None)
        below = [number for number in settled if lowest is None or number < lowest]
        if below:
            self._channel.basic_ack(max(below), multiple=True)
        for number in settled:
            if lowest is not None and number > lowest:
                self._channel.basic_ack(number)
