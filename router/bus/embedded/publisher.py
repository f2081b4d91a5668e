"""Publishing into the bus file from an event loop: concurrent publishes share one commit (group commit)."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from typing import NamedTuple

from core.errors import HubError, InternalError, TransientError, Unavailable
from core.ports.bus import Channel, Message
from router.bus.embedded.queuefile import QueueFile, probe, publish
from router.bus.window import Window

log = logging.getLogger(__name__)

GATHER_S = 0.002
"""How long the first publish waits for company; while a commit runs, the next group gathers by itself."""
_GROUP = 500
_WINDOW_MESSAGES = 2000
_WINDOW_BYTES = 64 * 1024 * 1024
_PUBLISH_TIMEOUT_S = 5.0
_RECOVERY_S = 0.5


class _Pending(NamedTuple):
    channel: Channel
    message: Message
    stored: asyncio.Future[None]


class EmbeddedPublisher:
    """Belongs to one event loop; commits in a thread of its own."""

    def __init__(self, file: QueueFile) -> None:
        self._file = file
        self._session = file.session(durable=True)
        self._window = Window(_WINDOW_MESSAGES, _WINDOW_BYTES)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bus-commit")
        self._pending: list[_Pending] = []
        self._committing: asyncio.Task[None] | None = None
        self._recovering: asyncio.Task[None] | None = None
        self._closed = False

    async def publish(self, channel: Channel, message: Message) -> None:
        if self._closed:
            raise Unavailable("the publisher is closed", summary_zh="发布端已关闭")
        size = len(message.body)
        await self._window.enter(size, _PUBLISH_TIMEOUT_S / 2)
        try:
            async with asyncio.timeout(_PUBLISH_TIMEOUT_S / 2):
                await self._enqueue(channel, message)
        except TimeoutError:
            raise Unavailable(
                "the bus file did not commit in time", summary_zh="总线文件未能及时提交"
            ) from None
        finally:
            self._window.leave(size)

    def _enqueue(self, channel: Channel, message: Message) -> asyncio.Future[None]:
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append(_Pending(channel, message, stored))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_groups())
        return stored

    @property
    def blocked(self) -> bool:
        return self._recovering is not None

    async def aclose(self) -> None:
        """Commits what is on its way."""
        self._closed = True
        if self._committing is not None:
            await self._committing
        if self._recovering is not None:
            self._recovering.cancel()
            await asyncio.wait([self._recovering])
        self._thread.shutdown()
        self._session.close()

    async def _commit_groups(self) -> None:
        try:
            await asyncio.sleep(GATHER_S)
            while self._pending:
                group, self._pending = self._pending[:_GROUP], self._pending[_GROUP:]
                error = await self._in_thread(group)
                for pending in group:
                    if not pending.stored.done():
                        pending.stored.set_result(None) if error is None else pending.stored.set_exception(
                            copy(error)
                        )
                if isinstance(error, TransientError) and self._recovering is None:
                    self._recovering = asyncio.create_task(self._watch_for_recovery())
        finally:
            self._committing = None  # however it ended: the next publish begins anew

    async def _in_thread(self, group: Sequence[_Pending]) -> HubError | None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, group)
        except HubError as error:
            return error
        except Exception as error:
            log.exception("the bus file was not written")
            return InternalError(f"the bus file was not written: {error!r}", "总线文件写入失败")
        return None

    def _commit(self, group: Sequence[_Pending]) -> None:
        publish(self._file, self._session, [p.channel for p in group], [p.message for p in group])

    async def _watch_for_recovery(self) -> None:
        """Blocked ends by itself: who asks ``blocked`` before publishing must not wait for a publish to clear it."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_RECOVERY_S)
            with suppress(Exception):  # whatever a probe raises means that the file takes nothing yet
                await loop.run_in_executor(self._thread, probe, self._file, self._session)
                self._recovering = None
                return
