"""Back-pressure: how much may be on its way into the bus at once."""

import asyncio
from collections import deque

from core.errors import Unavailable


class Window:
    """Room for so many messages and bytes, given out in the order of asking; belongs to one event loop."""

    def __init__(self, messages: int, size_bytes: int) -> None:
        self._messages = messages
        self._size_bytes = size_bytes
        self._inside = 0
        self._inside_bytes = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def enter(self, size_bytes: int, timeout_s: float) -> None:
        """Returns when there is room. Raises ``Unavailable`` when there was none within ``timeout_s``."""
        if not self._waiting and self._fits(size_bytes):
            self._take(size_bytes)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size_bytes, turn))
        try:
            async with asyncio.timeout(timeout_s):
                await turn
        except TimeoutError:
            raise Unavailable(
                "the bus is full of unconfirmed messages", summary_zh="总线上待确认的消息已满"
            ) from None
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(size_bytes)
            raise

    def leave(self, size_bytes: int) -> None:
        """Gives the room back and lets the next ones in."""
        self._inside -= 1
        self._inside_bytes -= size_bytes
        while self._waiting and (self._waiting[0][1].done() or self._fits(self._waiting[0][0])):
            size, turn = self._waiting.popleft()
            if not turn.done():
                self._take(size)
                turn.set_result(None)

    def _fits(self, size_bytes: int) -> bool:
        # One message larger than the whole window goes when it is alone.
        return self._inside == 0 or (
            self._inside < self._messages and self._inside_bytes + size_bytes <= self._size_bytes
        )

    def _take(self, size_bytes: int) -> None:
        self._inside += 1
        self._inside_bytes += size_bytes
