"""Request bodies: read whole, with limits of size and speed, before anything in them is believed.

A body waits in memory up to a limit and then on disk, without a name there; its digest is known when it is complete.
"""

import asyncio
import contextlib
import hashlib
import tempfile
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import IO, Any

import msgspec

from adapters.http.request import Head
from contracts.fault import Rule
from core.errors import Refused, Unavailable

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]

DISCARD_S = 1.0
"""How long an oversized body is read and thrown away, so that its sender reads the answer instead of a reset."""

PIECE_BYTES = 64 * 1024

TOO_LARGE = Rule(
    code="http.body-too-large",
    en="the body is larger than {limit} bytes",
    zh="正文超过 {limit} 字节",
    remedy_en="Send it in several requests, or as a dropped file.",
    remedy_zh="请分多次发送，或改用文件投递。",
)
TOO_SLOW = Rule(
    code="http.body-too-slow",
    en="the body arrived too slowly: {size} bytes in {seconds} s",
    zh="正文传输过慢：{seconds} 秒仅收到 {size} 字节",
    remedy_en="Send at least {rate} bytes a second, or smaller bodies.",
    remedy_zh="请保证每秒至少 {rate} 字节，或减小正文。",
)


class Limits(msgspec.Struct, frozen=True):
    """How large and how slow a body may be."""

    size_bytes: int
    memory_bytes: int
    grace_s: float
    bytes_per_s: int


class Disconnected(Exception):
    """The sender went away before its body was complete: there is nobody to answer."""


class Body:
    """A complete body; ``close`` removes what it left on disk."""

    def __init__(self, content: bytes, file: IO[bytes] | None, size: int, sha256: bytes) -> None:
        self._content = content
        self._file = file
        self.size = size
        self.sha256 = sha256

    @property
    def spooled(self) -> bool:
        """Whether it was too large for memory."""
        return self._file is not None

    def read(self) -> bytes:
        """The whole body."""
        if self._file is None:
            return self._content
        self._file.seek(0)
        return self._file.read()

    def pieces(self) -> Iterator[bytes]:
        """The whole body, a piece at a time."""
        if self._file is None:
            yield self._content
            return
        self._file.seek(0)
        while piece := self._file.read(PIECE_BYTES):
            yield piece

    def close(self) -> None:
        """Frees the disk."""
        if self._file is not None:
            self._file.close()


class _Spool:
    """Takes the pieces of a body as they come."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._digest = hashlib.sha256()
        self.size = 0

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._digest.update(piece)
        if self._file is None and self.size > self._limits.memory_bytes:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 closed with its body
            self._file.writelines(self._pieces)
            self._pieces.clear()
        if self._file is None:
            self._pieces.append(piece)
        else:
            self._file.write(piece)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def body(self) -> Body:
        content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        return Body(content, self._file, self.size, self._digest.digest())


async def read_body(receive: Receive, head: Head, limits: Limits) -> Body:
    """The body with its digest.

    Raises ``Refused`` (413 too large, 408 too slow), ``Disconnected``, and ``Unavailable`` when the disk takes no more.
    """
    if (head.content_length or 0) > limits.size_bytes:
        if not head.waits:
            await _discard(receive)
        raise _too_large(limits)
    spool = _Spool(limits)
    try:
        await _fill(spool, receive, limits)
        return spool.body()
    except _Oversized as found:
        spool.close()
        if found.more:
            await _discard(receive)
        raise _too_large(limits) from None
    except OSError as error:
        spool.close()
        raise Unavailable(
            "no room to keep the body", retry_after_s=30, summary_zh="暂无空间保存正文"
        ) from error
    except BaseException:
        spool.close()
        raise


class _Oversized(Exception):
    """The body has grown over its limit."""

    def __init__(self, *, more: bool) -> None:
        super().__init__()
        self.more = more


async def _fill(spool: _Spool, receive: Receive, limits: Limits) -> None:
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    try:
        async with asyncio.timeout(limits.grace_s) as patience:
            while await _take(spool, receive, limits):
                patience.reschedule(start_s + limits.grace_s + spool.size / limits.bytes_per_s)
    except TimeoutError:
        seconds = round(loop.time() - start_s)
        fault = TOO_SLOW.at("", size=spool.size, seconds=seconds, rate=limits.bytes_per_s)
        raise Refused.by(fault, status=408) from None


async def _take(spool: _Spool, receive: Receive, limits: Limits) -> bool:
    """Takes one piece; whether more is to come."""
    event = await receive()
    if event["type"] == "http.disconnect":
        raise Disconnected
    piece, more = event.get("body", b""), bool(event.get("more_body", False))
    if spool.size + len(piece) > limits.size_bytes:
        raise _Oversized(more=more)
    spool.add(piece)
    return more


async def _discard(receive: Receive) -> None:
    """Throws away what still comes, for a moment: a sender that is still sending would not read its answer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_S):
            while (event := await receive())["type"] == "http.request" and event.get("more_body", False):
                pass


def _too_large(limits: Limits) -> Refused:
    return Refused.by(TOO_LARGE.at("", limit=limits.size_bytes), status=413)
