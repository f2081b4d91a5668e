"""Coalescing: records of one interface that arrive within 2 ms share a bus message (aggregator, EIP; ARCHITECTURE 4.8)."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from core.errors import TransientError, Unroutable
from core.keyring import Keyring
from core.ports.bus import Channel, Publisher
from core.ports.intake import Lot
from router.intake.chunks import ChunkBuilder

log = logging.getLogger(__name__)


class Delivered:
    """What became of the records of one push: a receipt each, or None where the bus did not take it."""

    def __init__(self, count: int, future: "asyncio.Future[None]") -> None:
        self.receipts: list[UUID | None] = [None] * count
        self._open = count
        self._future = future
        if not count:
            future.set_result(None)

    def settle(self, index: int, receipt: UUID | None) -> None:
        """Notes one record; the last one wakes the push."""
        self.receipts[index] = receipt
        self._open -= 1
        if not self._open and not self._future.done():
            self._future.set_result(None)

    async def all(self) -> list[UUID | None]:
        """Waits for every record."""
        await self._future
        return self.receipts


class _Gathering:
    """A chunk that is being filled, and who waits for it."""

    def __init__(self, lot: Lot, trace: str) -> None:
        self.builder = ChunkBuilder(lot, trace)
        self.waiting: list[tuple[Delivered, int]] = []
        self.timer: asyncio.TimerHandle | None = None


class Coalescer:
    """Fills chunks per lot and publishes them; for one event loop."""

    def __init__(
        self,
        publisher: Publisher,
        keyring: Keyring,
        *,
        wait_s: float,
        confirmed: Callable[[Iterable[UUID]], None],
    ) -> None:
        self._publisher = publisher
        self._keyring = keyring
        self._wait_s = wait_s
        self._confirmed = confirmed
        self._gathering: dict[Lot, _Gathering] = {}
        self._publishing: set[asyncio.Task[None]] = set()

    async def publish(
        self, lot: Lot, entries: Sequence[tuple[UUID, bytes]], trace: str = ""
    ) -> list[UUID | None]:
        """The receipts of the encoded entries once their chunks are durable; None where the bus did not take them."""
        delivered = Delivered(len(entries), asyncio.get_running_loop().create_future())
        for index, (receipt, encoded) in enumerate(entries):
            gathering = self._room_for(lot, encoded, trace)
            gathering.builder.add(receipt, encoded)
            gathering.waiting.append((delivered, index))
            if gathering.builder.full:
                self._send(lot)
        return await delivered.all()

    async def aclose(self) -> None:
        """Publishes what is gathered and waits for the confirms."""
        for lot in list(self._gathering):
            self._send(lot)
        while self._publishing:
            settled = tuple(self._publishing)
            await asyncio.gather(*settled)
            # Awaiting what is done already need not let the loop run, and then the callback that forgets it never comes.
            self._publishing.difference_update(settled)

    def _room_for(self, lot: Lot, encoded: bytes, trace: str) -> _Gathering:
        gathering = self._gathering.get(lot)
        if gathering is not None and not gathering.builder.fits(encoded):
            self._send(lot)
            gathering = None
        if gathering is None:
            gathering = self._gathering[lot] = _Gathering(lot, trace)
            gathering.timer = asyncio.get_running_loop().call_later(self._wait_s, self._send, lot)
        return gathering

    def _send(self, lot: Lot) -> None:
        gathering = self._gathering.pop(lot)
        if gathering.timer is not None:
            gathering.timer.cancel()
        task = asyncio.get_running_loop().create_task(self._publish(gathering))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _publish(self, gathering: _Gathering) -> None:
        """Settles every record of the chunk, whatever fails: a push that nobody answers would hold its place for ever."""
        receipts: Sequence[UUID | None] = [None] * len(gathering.waiting)
        try:
            sealed = gathering.builder.seal(self._keyring)
            await self._publisher.publish(Channel.RECORDS, sealed.message)
            self._confirmed(sealed.receipts)
            receipts = sealed.receipts
        except (TransientError, Unroutable):  # nothing is promised, the sender is told to come back
            pass
        except Exception:
            log.exception("a chunk of records was not published")
        for (delivered, index), receipt in zip(gathering.waiting, receipts, strict=True):
            delivered.settle(index, receipt)
