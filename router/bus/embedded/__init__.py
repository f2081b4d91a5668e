"""The bus in one SQLite file: for one host, shared by its processes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from core.ports.bus import Channel, Depth, Message, Parked
from router.bus.embedded import deadletters
from router.bus.embedded.consumer import LEASE_S, EmbeddedConsumer, now_ms
from router.bus.embedded.publisher import EmbeddedPublisher
from router.bus.embedded.queuefile import RESERVE_BYTES, QueueFile, Session, probe, publish

_DEPTH = """
SELECT
    (SELECT count(*) FROM entry WHERE channel = :channel AND due_ms IS NULL),
    (SELECT count(*) FROM entry WHERE due_ms <= :now AND channel = :channel),
    (SELECT count(*) FROM entry WHERE due_ms > :now AND channel = :channel AND holder IS NOT NULL),
    (SELECT count(*) FROM entry WHERE due_ms > :now AND channel = :channel AND holder IS NULL),
    (SELECT count(*) FROM parked WHERE channel = :channel)
"""


class EmbeddedBus:
    """``core.ports.bus.Bus`` on one file. ``clock`` gives Unix milliseconds; ``reserve_bytes`` stay free on the disk."""

    def __init__(
        self,
        path: Path,
        *,
        lease_s: float = LEASE_S,
        reserve_bytes: int = RESERVE_BYTES,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._file = QueueFile(path, reserve_bytes)
        self._lease_s = lease_s
        self._clock = clock
        self._session: Session = self._file.session(durable=True)

    def declare(self) -> None:
        self._file.create()

    async def publisher(self) -> EmbeddedPublisher:
        return EmbeddedPublisher(self._file)

    def publish_many(self, channel: Channel, messages: Sequence[Message]) -> None:
        """As the port says; here all or nothing."""
        if not messages:
            return
        publish(self._file, self._session, [channel] * len(messages), messages)

    def consumer(self, channel: Channel, prefetch: int) -> EmbeddedConsumer:
        return EmbeddedConsumer(self._file, channel, prefetch, lease_s=self._lease_s, clock=self._clock)

    def parked(self, limit: int = 100, after: str = "") -> list[Parked]:
        return deadletters.parked(self._session, limit, after)

    def redrive(self, ids: Sequence[str] | None = None, *, limit: int = 1000, discard: bool = False) -> int:
        seqs = deadletters.chosen(self._session, ids, limit)
        moved, channels = deadletters.redrive(self._session, seqs, discard=discard)
        self._file.shared.doorbell.ring(channels)
        return moved

    def depth(self, channel: Channel) -> Depth:
        with self._session.read() as connection:
            row = connection.execute(_DEPTH, {"channel": channel.value, "now": self._clock()}).fetchone()
        ready, overdue, in_hand, delayed, parked = row
        return Depth(ready=ready + overdue, in_hand=in_hand, delayed=delayed, parked=parked)

    def probe(self) -> None:
        probe(self._file, self._session)

    def close(self) -> None:
        self._session.close()
