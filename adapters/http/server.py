"""The uvicorn server of a gateway: bounded request heads, readiness withdrawn before the socket closes (PROMISES H1, H2)."""

import asyncio
import signal
import socket
from types import FrameType
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.http.gate import App
from core.config import Gateway
from core.errors import Unavailable

_REFUSAL = b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LARGE = b"431 Request Header Fields Too Large"
_TOO_SLOW = b"408 Request Timeout"


class Draining:
    """Whether the process has been told to stop: it still serves, but is not ready for more."""

    def __init__(self) -> None:
        self.begun = False


class HeadTooLarge(Exception):
    """Ends the parsing of a request whose head exceeds the limit."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP with a limit on the size of a request's head and on the time it may take to arrive; uvicorn has neither."""

    limit_bytes: ClassVar[int]
    limit_s: ClassVar[float]
    _head_timer: asyncio.TimerHandle | None = None
    _received = 0
    _too_large = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        if self._head_timer is not None and self._received > self.limit_bytes:
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_arrived()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.limit_bytes:
            self._too_large = True
            raise HeadTooLarge
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn when parsing ended, also when it was this class that ended it."""
        if self._too_large:
            self._refuse(_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _await_head(self) -> None:
        self._head_arrived()
        self._received = 0
        self._head_timer = self.loop.call_later(self.limit_s, self._refuse, _TOO_SLOW)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: bytes) -> None:
        self._head_arrived()
        if not self.transport.is_closing():
            self.transport.write(_REFUSAL % status)
            self.transport.close()


def bounded_protocol(gateway: Gateway) -> type[BoundedProtocol]:
    """The protocol with the gateway's limits."""
    limits = {"limit_bytes": gateway.head_limit_bytes, "limit_s": gateway.head_timeout_s}
    return type("GatewayProtocol", (BoundedProtocol,), limits)


class GatewayServer(uvicorn.Server):
    """Serves an application; the first SIGTERM withdraws readiness at once and closes the socket ``drain_s`` later."""

    def __init__(self, app: App, gateway: Gateway, draining: Draining) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=gateway.host,
                port=gateway.port,
                http=bounded_protocol(gateway),
                loop="uvloop",
                ws="none",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=gateway.keep_alive_s,
                timeout_graceful_shutdown=int(gateway.shutdown_s),
            )
        )
        self._drain_s = gateway.drain_s
        self._draining = draining
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await super().startup(sockets)
        except (
            SystemExit
        ) as error:  # uvicorn's answer to a port that is taken; in a thread it would pass in silence
            place = f"{self.config.host}:{self.config.port}"
            raise Unavailable(f"cannot listen on {place}", summary_zh=f"无法监听 {place}") from error

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self._captured_signals.clear()  # served to the end: the exit status is the caller's, not the signal's

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        waits = (
            sig == signal.SIGTERM
            and not self._draining.begun
            and self._drain_s > 0
            and self._loop is not None
        )
        self._draining.begun = True
        if waits and self._loop is not None:
            self._loop.call_soon_threadsafe(
                self._loop.call_later, self._drain_s, super().handle_exit, sig, frame
            )
        else:
            super().handle_exit(sig, frame)

    @property
    def port(self) -> int:
        """The port listened on, once started."""
        return int(self.servers[0].sockets[0].getsockname()[1])
