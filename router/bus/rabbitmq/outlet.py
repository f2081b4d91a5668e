"""The same publisher for threads: it runs on an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from core.errors import HubError, InternalError, Unavailable, Unroutable
from router.bus.rabbitmq.envelope import Outgoing
from router.bus.rabbitmq.publisher import RabbitPublisher

_Answer = TypeVar("_Answer")
_SLICE = 500
_SLICE_BYTES = 8 * 1024 * 1024


class Outlet:
    """Blocking publishes from any thread over one connection, made at the first use."""

    def __init__(self, connect: Callable[[], RabbitPublisher]) -> None:
        self._connect = connect
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._publisher: RabbitPublisher | None = None

    @property
    def alarmed(self) -> bool:
        """The broker is known to block publishers: no use trying."""
        return self._publisher is not None and self._publisher.alarmed

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Returns when all are durable; raises ``Unroutable`` before ``Unavailable``."""
        for part in slices(outgoing):
            failed = [error for error in self.send_each(part) if error is not None]
            if failed:
                raise next((error for error in failed if isinstance(error, Unroutable)), failed[0])

    def send_each(self, outgoing: Sequence[Outgoing], *, mandatory: bool = True) -> list[HubError | None]:
        """What became of each."""
        return self._run(lambda publisher: _send_each(publisher, outgoing, mandatory=mandatory))

    def close(self) -> None:
        with self._starting:
            loop, thread, publisher = self._loop, self._thread, self._publisher
            self._loop = self._thread = self._publisher = None
        if loop is not None and thread is not None and publisher is not None:
            asyncio.run_coroutine_threadsafe(publisher.aclose(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _run(self, work: Callable[[RabbitPublisher], Coroutine[Any, Any, _Answer]]) -> _Answer:
        with self._starting:
            if self._loop is None:
                self._start()
            loop, publisher = self._loop, self._publisher
        if loop is None or publisher is None:
            raise InternalError("the outlet did not start")
        return asyncio.run_coroutine_threadsafe(work(publisher), loop).result()

    def _start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bus-outlet", daemon=True)
        self._thread.start()

        async def connect() -> RabbitPublisher:
            return self._connect()

        self._publisher = asyncio.run_coroutine_threadsafe(connect(), self._loop).result()


def slices(outgoing: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    """Parts small enough to be confirmed within one publish's time."""
    part: list[Outgoing] = []
    size_bytes = 0
    for one in outgoing:
        if part and (len(part) == _SLICE or size_bytes + one.size_bytes > _SLICE_BYTES):
            yield part
            part, size_bytes = [], 0
        part.append(one)
        size_bytes += one.size_bytes
    if part:
        yield part


async def _send_each(
    publisher: RabbitPublisher, outgoing: Sequence[Outgoing], *, mandatory: bool
) -> list[HubError | None]:
    answers = await asyncio.gather(
        *(publisher.send(one, mandatory=mandatory) for one in outgoing), return_exceptions=True
    )
    return [_as_error(answer) for answer in answers]


def _as_error(answer: BaseException | None) -> HubError | None:
    if answer is None or isinstance(answer, HubError):
        return answer
    return Unavailable(f"publishing ended early: {answer!r}", summary_zh="发布中断")
