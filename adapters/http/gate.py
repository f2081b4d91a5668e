"""The gate every request passes: ids, limits, errors into problems, security headers, one log line."""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from adapters.http.body import Disconnected, Receive
from adapters.http.problems import Headers, Reply, internal, refusal
from adapters.http.request import Head, Scope, read_head
from core.errors import HubError, Throttled
from core.ports.observe import Observer

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("licence_hub.http")

AUTH = "auth."
"""Beginning of the codes of refused credentials (core.access.refusals)."""
PROTOCOL = "rest"

SECURITY_HEADERS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]


class Endpoint(Protocol):
    """A route served without a framework."""

    async def __call__(self, head: Head, path: str, receive: Receive) -> Reply: ...


class Gate:
    """ASGI application around the others; ``hot`` serves the paths that carry the load, ``app`` all the rest."""

    def __init__(
        self,
        app: App,
        hot: Callable[[str, str], Endpoint | None],
        *,
        in_flight_limit: int,
        observer: Observer,
    ) -> None:
        self._app = app
        self._hot = hot
        self._limit = in_flight_limit
        self._observer = observer
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = read_head(scope)
        scope.setdefault("state", {})["head"] = head
        began_s = time.perf_counter()
        self._in_flight += 1
        answered = _Answered(send, head.request_id)
        try:
            await self._serve(head, scope, receive, answered)
        except Disconnected:
            answered.status = answered.status or 499
        finally:
            self._in_flight -= 1
            if head.refused.startswith(AUTH):
                _count_refusal(self._observer, head.refused.removeprefix(AUTH))
            _write_log(head, scope["path"], answered, time.perf_counter() - began_s)

    async def _serve(self, head: Head, scope: Scope, receive: Receive, answered: "_Answered") -> None:
        """One request to its answer; whatever goes wrong before an answer began becomes a problem."""
        try:
            self._check_room()
            endpoint = self._hot(scope["method"], scope["path"])
            if endpoint is None:
                await self._app(scope, receive, answered)
            else:
                await answered.reply(await endpoint(head, scope["path"], receive))
        except HubError as error:
            head.refused = error.code
            await answered.reply(_closing(refusal(error, head.request_id, head.tongue)))
        except Disconnected:
            raise
        except Exception:
            log.exception("request failed", extra={"request_id": head.request_id})
            if not answered.status:
                await answered.reply(_closing(internal(head.request_id, head.tongue)))

    def _check_room(self) -> None:
        if self._in_flight > self._limit:
            raise Throttled("too many requests at once", retry_after_s=1, summary_zh="并发请求过多")


class _Answered:
    """Sends with the headers every answer has, and remembers the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.status = 0

    async def __call__(self, event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            event["headers"] = self._headers(list(event.get("headers", [])))
        await self._send(event)

    async def reply(self, reply: Reply) -> None:
        self.status = reply.status
        length = (b"content-length", str(len(reply.body)).encode())
        headers = self._headers([*reply.headers, length])
        await self._send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": reply.body})

    def _headers(self, own: Headers) -> Headers:
        named = {name for name, _value in own}
        return [
            *own,
            (b"x-request-id", self._request_id),
            *(header for header in SECURITY_HEADERS if header[0] not in named),
        ]


def _closing(reply: Reply) -> Reply:
    """A refusal may come before the body was read: the connection cannot be used for another request."""
    reply.headers.append((b"connection", b"close"))
    return reply


def _count_refusal(observer: Observer, reason: str) -> None:
    observer.count("auth_failures_total", protocol=PROTOCOL, reason=reason)
    if reason == "nonce-seen":
        observer.count("replays_refused_total", protocol=PROTOCOL)


def _write_log(head: Head, path: str, answered: _Answered, seconds: float) -> None:
    """One line per request: no query (it may name a holder), no body, no header values.

    A push that was accepted is a line of ``debug``: the ledger has each of its records, and the metrics count them.
    """
    level = logging.DEBUG if answered.status == 202 else logging.INFO
    if log.isEnabledFor(level):
        found = {
            "request_id": head.request_id,
            "method": head.method,
            "route": _route(path),
            "status": answered.status,
            "duration_ms": round(seconds * 1000, 1),
            "client": head.client,
            **({"code": head.refused} if head.refused else {}),
        }
        log.log(level, "request", extra=found)


def _route(path: str) -> str:
    """The path without what may be an identifier or a one-time token; names of interfaces stay."""
    kept = 5 if path.startswith("/v1/interfaces/") else 3
    return "/".join(path.split("/")[:kept])[:128]
