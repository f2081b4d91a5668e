"""Publishing with pipelined confirms on an event loop.

Every message in flight is known by its delivery tag. A tag is answered by an ack (durable), a nack (refused), or a return
followed by an ack (no queue takes it). No answer in time, with the connection not blocked by an alarm, means that nobody knows:
the connection is dropped and everything in flight is reported as ``Unavailable``.
"""

import asyncio
import logging
import random
from typing import NamedTuple

from pika import BasicProperties
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.channel import Channel as AmqpChannel
from pika.connection import Connection
from pika.exceptions import AMQPError, ChannelClosedByBroker
from pika.frame import Method
from pika.spec import Basic

from core.errors import Unavailable, Unroutable
from core.ports.bus import Channel, Message
from router.bus.rabbitmq.envelope import Outgoing, to_work
from router.bus.rabbitmq.link import NOT_FOUND, describe, parameters
from router.bus.rabbitmq.topology import Topology
from router.bus.window import Window

LOGGER = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S = 4.8
"""From the call to the answer, waiting for room in the window and for a link included."""
_QUEUEING_S = 1.0
_LINK_WAIT_S = 2.0
_WATCH_S = 0.2
_WINDOW_MESSAGES = 1000
_WINDOW_BYTES = 32 * 1024 * 1024
_RECONNECT_S = (0.1, 2.0)


class _InFlight(NamedTuple):
    confirmed: asyncio.Future[None]
    deadline: float


class RabbitPublisher:
    """Belongs to one event loop; connects, and connects again, by itself."""

    def __init__(self, url: str, topology: Topology, purpose: str = "publisher") -> None:
        self._parameters = parameters(url, purpose)
        self._topology = topology
        self._loop = asyncio.get_running_loop()
        self._window = Window(_WINDOW_MESSAGES, _WINDOW_BYTES)
        self._connection: AsyncioConnection | None = None
        self._channel: AmqpChannel | None = None
        self._usable = asyncio.Event()
        self._in_flight: dict[int, _InFlight] = {}
        self._next_tag = 1
        self._returned: set[int] = set()
        self._alarmed = False
        self._missing = ""
        self._lost_because = "not connected yet"
        self._failures = 0
        self._closing = False
        self._connect()
        self._watch = self._loop.call_later(_WATCH_S, self._look_at_the_clock)

    async def publish(self, channel: Channel, message: Message) -> None:
        await self.send(to_work(self._topology, channel, message))

    @property
    def blocked(self) -> bool:
        return not self._usable.is_set()

    @property
    def alarmed(self) -> bool:
        """The broker has blocked this connection for want of memory or disk."""
        return self._alarmed

    async def send(self, outgoing: Outgoing, *, mandatory: bool = True) -> None:
        """Returns when the broker has confirmed; raises as ``core.ports.bus.Publisher.publish``."""
        deadline = self._loop.time() + PUBLISH_TIMEOUT_S
        await self._window.enter(outgoing.size_bytes, _QUEUEING_S)
        try:
            if not self._usable.is_set():
                await self._wait_for_the_link()
            await self._write(outgoing, deadline, mandatory=mandatory)
        finally:
            self._window.leave(outgoing.size_bytes)

    async def aclose(self) -> None:
        """Waits for what is in flight, within its deadlines."""
        self._closing = True
        waiting = [flight.confirmed for flight in self._in_flight.values()]
        if waiting:
            await asyncio.wait(waiting)
        self._watch.cancel()
        self._fail_all("the publisher is closed")
        if self._connection is not None:
            await self._disconnect(self._connection)

    # -- the way out

    async def _wait_for_the_link(self) -> None:
        try:
            async with asyncio.timeout(_LINK_WAIT_S):
                await self._usable.wait()
        except TimeoutError:
            if self._missing:
                raise Unroutable(f"the broker lacks {self._missing}", "消息代理缺少队列或交换机") from None
            raise self._unavailable(
                "the broker blocks publishers" if self._alarmed else self._lost_because
            ) from None

    def _write(self, outgoing: Outgoing, deadline: float, *, mandatory: bool) -> asyncio.Future[None]:
        channel = self._channel
        if channel is None:
            raise self._unavailable("the connection broke")
        tag = self._next_tag
        try:
            channel.basic_publish(
                outgoing.exchange,
                outgoing.key,
                outgoing.message.body,
                outgoing.properties(str(tag)),
                mandatory=mandatory,
            )
        except AMQPError as error:
            raise self._unavailable(describe(error)) from error
        self._next_tag += 1
        confirmed = self._loop.create_future()
        self._in_flight[tag] = _InFlight(confirmed, deadline)
        return confirmed

    # -- answers

    def _on_answer(self, frame: Method[Basic.Ack | Basic.Nack]) -> None:
        answer = frame.method
        tags = self._tags_up_to(answer.delivery_tag) if answer.multiple else [answer.delivery_tag]
        for tag in tags:
            self._resolve(tag, refused=isinstance(answer, Basic.Nack))

    def _tags_up_to(self, last: int) -> list[int]:
        found = []
        for tag in self._in_flight:  # in the order of publishing
            if tag > last:
                break
            found.append(tag)
        return found

    def _resolve(self, tag: int, *, refused: bool) -> None:
        flight = self._in_flight.pop(tag, None)
        returned = tag in self._returned
        self._returned.discard(tag)
        if flight is None or flight.confirmed.done():
            return
        if returned:
            flight.confirmed.set_exception(Unroutable("no queue takes the message", "没有队列接收该消息"))
        elif refused:
            flight.confirmed.set_exception(self._unavailable("the queue is full or has no leader"))
        else:
            flight.confirmed.set_result(None)

    def _on_return(
        self, _channel: AmqpChannel, _method: Basic.Return, properties: BasicProperties, _body: bytes
    ) -> None:
        if properties.correlation_id:
            self._returned.add(int(properties.correlation_id))

    def _look_at_the_clock(self) -> None:
        """Fails what is overdue; an overdue confirm without an alarm ends the connection."""
        self._watch = self._loop.call_later(_WATCH_S, self._look_at_the_clock)
        now = self._loop.time()
        overdue = [tag for tag, flight in self._in_flight.items() if flight.deadline <= now]
        if overdue and not self._alarmed:
            self._lose("no confirm in time")
            return
        for tag in overdue:  # its answer, after the alarm, finds nobody waiting
            flight = self._in_flight.pop(tag)
            if not flight.confirmed.done():
                flight.confirmed.set_exception(self._unavailable("the broker blocks publishers"))

    # -- the link

    def _connect(self) -> None:
        if self._closing:
            return
        self._connection = AsyncioConnection(
            self._parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_closed,
            on_close_callback=self._on_closed,
            custom_ioloop=self._loop,
        )

    def _on_open(self, connection: Connection) -> None:
        connection.add_on_connection_blocked_callback(self._on_blocked)
        connection.add_on_connection_unblocked_callback(self._on_unblocked)
        connection.channel(on_open_callback=self._on_channel_open)

    def _on_channel_open(self, channel: AmqpChannel) -> None:
        if self._connection is not channel.connection:
            return
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_return)
        for exchange in self._topology.exchanges[:-1]:
            channel.exchange_declare(exchange, passive=True, callback=lambda _frame: None)
        last = self._topology.exchanges[-1]
        channel.exchange_declare(last, passive=True, callback=lambda _frame: self._on_checked(channel))

    def _on_checked(self, channel: AmqpChannel) -> None:
        channel.confirm_delivery(self._on_answer, callback=lambda _frame: self._on_usable(channel))

    def _on_usable(self, channel: AmqpChannel) -> None:
        self._channel = channel
        self._next_tag = 1
        if self._failures > 1:
            LOGGER.warning("publishing again after %d attempts", self._failures)
        self._failures = 0
        self._missing = ""
        self._usable.set()

    def _on_blocked(self, _connection: Connection, _frame: object) -> None:
        LOGGER.warning("the broker blocks publishers")
        self._alarmed = True
        self._usable.clear()

    def _on_unblocked(self, _connection: Connection, _frame: object) -> None:
        LOGGER.warning("the broker takes messages again")
        self._alarmed = False
        if self._channel is not None:
            self._usable.set()

    def _on_channel_closed(self, channel: AmqpChannel, error: Exception) -> None:
        if self._connection is not channel.connection:
            return
        if isinstance(error, ChannelClosedByBroker) and error.reply_code == NOT_FOUND:
            self._missing = error.reply_text
        self._lose(describe(error))

    def _on_closed(self, connection: Connection, error: BaseException) -> None:
        if self._connection is connection:
            self._lose(describe(error))

    def _lose(self, why: str) -> None:
        """Gives the connection up, whatever state it is in, and plans the next one."""
        lost, self._connection, self._channel = self._connection, None, None
        self._lost_because = why
        self._usable.clear()
        self._alarmed = False
        self._returned.clear()
        self._fail_all(why)
        if lost is not None and not lost.is_closed:
            drop(lost)
        if not self._closing:
            LOGGER.log(logging.DEBUG if self._failures else logging.WARNING, "publishing link lost: %s", why)
            shortest, longest = _RECONNECT_S
            pause = min(longest, shortest * 2**self._failures) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            self._failures = min(self._failures + 1, 8)
            self._loop.call_later(pause, self._connect)

    def _fail_all(self, why: str) -> None:
        failed, self._in_flight = self._in_flight, {}
        for flight in failed.values():
            if not flight.confirmed.done():
                flight.confirmed.set_exception(self._unavailable(why))

    async def _disconnect(self, connection: AsyncioConnection) -> None:
        self._connection, self._channel = None, None
        if connection.is_open:
            closed = asyncio.Event()
            connection.add_on_close_callback(lambda _connection, _error: closed.set())
            connection.close()
            try:
                async with asyncio.timeout(1):
                    await closed.wait()
            except TimeoutError:
                LOGGER.info("the broker did not answer the close")
        if not connection.is_closed:
            drop(connection)
            await asyncio.sleep(0.05)  # the driver ends the stream in the loop's next rounds

    @staticmethod
    def _unavailable(why: str) -> Unavailable:
        return Unavailable("the broker takes nothing", summary_zh="消息代理暂不可用", detail=why)


def drop(connection: AsyncioConnection) -> None:
    """Ends the stream at once: a polite close would wait for a peer that may be gone."""
    connection._terminate_stream(  # type: ignore[attr-defined]  # noqa: SLF001 - pika has no public way to do it
        AMQPError("dropped by the hub")
    )
