"""Files of a push into the store: before its record is published, one at a time (claim check, EIP)."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from uuid import UUID

from core.errors import InternalError, Unavailable
from core.ports.intake import ReceivedFile


class FileShelf(Protocol):
    """The store's part for files."""

    def put(self, receipt: UUID, content: bytes, media: str) -> bytes: ...
    def published(self, receipt: UUID) -> None: ...


class FileKeeper:
    """Puts files for one event loop, through one thread: of all pushes together one file at a time is in memory."""

    def __init__(self, shelf: FileShelf, *, give_up_s: float) -> None:
        self._shelf = shelf
        self._give_up_s = give_up_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="files")

    async def put(self, receipt: UUID, files: Sequence[ReceivedFile]) -> None:
        """Returns when every file is in the store; raises ``Unavailable``."""
        for file in files:
            await self._run(self._put, receipt, file)

    async def published(self, receipt: UUID) -> None:
        """Notes that the record is on the bus, so that its files stay; raises ``Unavailable``."""
        await self._run(self._shelf.published, receipt)

    def close(self) -> None:
        """Ends the thread after the file it is at."""
        self._thread.shutdown(wait=False)

    def _put(self, receipt: UUID, file: ReceivedFile) -> None:
        file.content.seek(0)
        digest = self._shelf.put(receipt, file.content.read(), file.attachment.media_type)
        if digest.hex() != file.attachment.digest:
            raise InternalError("a received file is not what was judged")

    async def _run(self, work: Callable[..., object], *arguments: Any) -> None:
        running = asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        running.add_done_callback(_seen)
        try:
            await asyncio.wait_for(asyncio.shield(running), self._give_up_s)
        except TimeoutError as error:
            raise Unavailable(
                "the store takes no files now", retry_after_s=5, summary_zh="库暂不接收文件"
            ) from error


def _seen(work: "asyncio.Future[object]") -> None:
    """A file that nobody waits for any more must not complain at the loop's end."""
    if not work.cancelled():
        work.exception()
