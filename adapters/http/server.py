"""The uvicorn server of a gateway: bounded request heads, readiness withdrawn before the socket closes (PROMISES H1, H2)."""

import asyncio
import signal
import socket
import ssl
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

import httptools
import uvicorn
from cryptography import x509
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.http.gate import App
from contracts.fault import Rule
from core.config import Gateway
from core.errors import ConfigError, Unavailable

_REFUSAL = b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LARGE = b"431 Request Header Fields Too Large"
_TOO_SLOW = b"408 Request Timeout"


TLS_UNUSABLE = Rule(
    code="gateway.tls",
    en="certificate or key cannot be used: {why}",
    zh="证书或私钥无法使用：{why}",
    remedy_en="Give PEM files the hub's user can read: the certificate with its chain, and its key without a password.",
    remedy_zh="请提供枢纽运行用户可读的 PEM 文件：含证书链的证书，以及未加密的私钥。",
)


class Draining:
    """Whether the process has been told to stop: it still serves, but is not ready for more."""

    def __init__(self) -> None:
        self.begun = False


class HeadTooLarge(Exception):
    """Ends the parsing of a request whose head exceeds the limit."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP with a limit on the size of a request's head and on the time it may take to arrive; uvicorn has neither.

    A wish for another protocol is ignored (RFC 9110 section 7.8): Java's client and ``curl --http2`` send one with every request.
    uvicorn would answer such a request without its body, and take the body for the next request.
    """

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
        self._unset_keepalive_if_required()
        try:
            self._parse(memoryview(data))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # the latter now from CONNECT alone
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
            return
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
        if not self.parser.should_upgrade():  # else it comes again, without the wish
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn when parsing ended, also when it was this class that ended it."""
        if self._too_large:
            self._refuse(_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _parse(self, data: memoryview) -> None:
        """Parses all of ``data``; where the parser stops at a head that asks for an upgrade, it is given that head without it."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stopped:
                data = data[stopped.args[0] :]  # behind the head
                head = self._plain_head()
                # a new one: the old one takes nothing more after a head that closes the connection
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
                self.parser.feed_data(head)
            else:
                return

    def _plain_head(self) -> bytes:
        """The head just parsed, without ``Upgrade``; names and values hold no line break, the parser sees to it."""
        request = b"%b %b HTTP/%b" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        kept = (b"%b: %b" % header for header in self.headers if header[0] != b"upgrade")
        return b"\r\n".join((request, *kept, b"", b""))

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


def load_certificate(certificate: Path, key: Path) -> x509.Certificate:
    """The certificate a gateway serves, once it and its key are found usable; raises ``ConfigError``."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_refuse_password)
        return x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise ConfigError(str(certificate), [TLS_UNUSABLE.at("/gateway/tls_certificate", why=why)]) from error


def _refuse_password() -> str:
    """Called for an encrypted key, where OpenSSL would ask the terminal."""
    raise ValueError("the key is encrypted")


class GatewayServer(uvicorn.Server):
    """Serves an application; the first SIGTERM withdraws readiness at once and closes the socket ``drain_s`` later."""

    def __init__(
        self, app: App, gateway: Gateway, draining: Draining, tls_files: tuple[Path, Path] | None = None
    ) -> None:
        """``tls_files``: certificate and key, checked by ``load_certificate``, to serve HTTPS."""
        certificate, key = tls_files or (None, None)
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
                ssl_certfile=certificate,
                ssl_keyfile=key,
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
