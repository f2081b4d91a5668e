"""Blocking reads of the store beside the event loop: few threads, a time-out, and no endless queue before them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from core.errors import Throttled, Unavailable

T = TypeVar("T")

WAITING_PER_THREAD = 16
"""Queries that may wait for a thread before further ones are told to come back."""


class Reader:
    """Runs blocking calls for one event loop."""

    def __init__(self, threads: int, timeout_s: float) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="query")
        self._timeout_s = timeout_s
        self._most = threads * WAITING_PER_THREAD
        self._running = 0

    async def run(self, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """The result of the call; raises ``Throttled`` or, when it takes too long, ``Unavailable``."""
        if self._running >= self._most:
            raise Throttled("too many queries at once", retry_after_s=2, summary_zh="并发查询过多")
        self._running += 1
        work = asyncio.get_running_loop().run_in_executor(self._pool, lambda: call(*arguments, **named))
        work.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(work), self._timeout_s)
        except TimeoutError as error:
            raise Unavailable("the query took too long", retry_after_s=5, summary_zh="查询超时") from error

    def close(self) -> None:
        """Lets running calls end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, work: "asyncio.Future[Any]") -> None:
        self._running -= 1
        if not work.cancelled():
            work.exception()  # a call that nobody waits for any more must not complain at the loop's end
