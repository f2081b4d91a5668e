"""The bus: durable point-to-point channels with competing consumers.

Two implementations, one conformance suite: ``embedded`` (one SQLite file) and ``rabbitmq`` (quorum queues). The contract:

* A publish that returns is durable. One that raises ``Unavailable`` *may* have been stored: publish again, consumers de-duplicate
  by receipt. ``Unroutable`` was not stored.
* Delivery is at least once and in no order. A delivery that is not settled (its consumer died, its connection broke) comes back.
* Retry delays live in the broker. Parked messages (dead letter channel) stay until a person re-drives or discards them.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

import msgspec


class Channel(StrEnum):
    """The hub's channels."""

    RECORDS = "records"
    """Chunks of accepted records."""
    PACKAGES = "packages"
    """Ids of versions to package."""
    PACKAGES_BULK = "packages-bulk"
    """The same from bulk imports: served when ``packages`` is empty."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What travels: an opaque body under a stable id."""

    id: str
    """Stable across re-publication: the same content published again has the same id."""
    body: bytes
    headers: Mapping[str, str] = {}


class Ack(msgspec.Struct, frozen=True):
    """Done: the message leaves the bus."""


class Retry(msgspec.Struct, frozen=True):
    """Come back after about ``delay_s`` (rounded up to the next delay the broker offers), with ``tries`` + 1."""

    delay_s: float


class Park(msgspec.Struct, frozen=True):
    """To the dead letter channel, with the reason a person will read."""

    reason: str


Settlement = Ack | Retry | Park


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message in hand."""

    message: Message
    channel: Channel
    tries: int
    """Earlier attempts that ended in ``Retry``."""
    redelivered: bool
    """Handed out before without being settled (a consumer died): work on it alone."""
    tag: int
    """The consumer's own mark; means nothing elsewhere."""


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the dead letter channel."""

    id: str
    """Identifies the parked copy: two copies of one message have two ids."""
    message: Message
    channel: Channel
    """Where it came from and where a re-drive sends it."""
    reason: str
    tries: int
    parked_at_ms: int


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """How full a channel is."""

    ready: int
    in_hand: int
    delayed: int
    parked: int


class Publisher(Protocol):
    """Publishing for an asyncio process; many publishes may be in flight (pipelined confirms)."""

    async def publish(self, channel: Channel, message: Message) -> None:
        """Returns when the message is durable. Raises ``Unavailable`` (within seconds, never hangs) or ``Unroutable``."""
        ...

    @property
    def blocked(self) -> bool:
        """The broker refuses publishes for now (alarm) or is out of reach."""
        ...

    async def aclose(self) -> None: ...


class Consumer(Protocol):
    """One competing consumer; used from one thread. It reconnects by itself."""

    def receive(self, limit: int, wait_s: float) -> list[Delivery]:
        """Up to ``limit`` deliveries, waiting at most ``wait_s`` for the first.

        An empty list when there was none or the bus is away.
        """
        ...

    def settle(self, settled: Sequence[tuple[Delivery, Settlement]]) -> None:
        """Settles deliveries of this consumer. A retry or park is confirmed in its new place before it leaves the old one.

        Deliveries of a connection that has broken since are skipped: they come back by themselves.
        """
        ...

    def extend(self, deliveries: Sequence[Delivery]) -> None:
        """Keeps long work in hand where the bus works with leases; nothing elsewhere."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Bus(Protocol):
    """A configured bus; construction does no I/O."""

    def declare(self) -> None:
        """Creates what is missing of the topology; raises ``ConfigError`` when what exists was declared otherwise."""
        ...

    async def publisher(self) -> Publisher: ...

    def publish_many(self, channel: Channel, messages: Sequence[Message]) -> None:
        """Blocking publish of a batch, from any thread: returns when all are durable. Raises as ``Publisher.publish`` does."""
        ...

    def consumer(self, channel: Channel, prefetch: int) -> Consumer: ...

    def parked(self, limit: int = 100, after: str = "") -> list[Parked]:
        """Parked messages, oldest first, from after the given id; they stay where they are."""
        ...

    def redrive(self, ids: Sequence[str] | None = None, *, limit: int = 1000, discard: bool = False) -> int:
        """Sends parked messages back to their channel with ``tries`` 0 (or discards them); counts them.

        Each copy is confirmed in its channel before it leaves the dead letter channel; a cancelled run loses none.
        """
        ...

    def depth(self, channel: Channel) -> Depth: ...

    def probe(self) -> None:
        """Returns when the bus takes messages; raises ``Unavailable`` within 5 s otherwise."""
        ...

    def close(self) -> None: ...
