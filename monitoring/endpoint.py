"""``/metrics``: the union of the processes' figures and the state of store and bus, for scrapers that may."""

import asyncio
import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from contracts.fault import Rule
from core.access import refusals
from core.errors import Refused
from monitoring.metrics import Snapshot, union

ELSEWHERE = Rule(
    code="metrics.elsewhere",
    en="metrics are given to a scraper on the gateway's own host alone",
    zh="指标仅向网关本机的采集器提供",
    remedy_en="Set metrics.key and give the key to the scraper as its bearer credential.",
    remedy_zh="请设置 metrics.key，并将该密钥作为 Bearer 凭据配置给采集器。",
)
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


class Scrapers:
    """Who may scrape: whoever sends the key; without one, a scraper on this host that no proxy stands before.

    ``proxied`` says that a proxy does stand before the gateway, so that a connection from this host proves nothing.
    """

    def __init__(self, key: str = "", *, proxied: bool = False) -> None:
        self._key = hashlib.sha256(key.encode()).digest() if key else None
        self._proxied = proxied

    def admit(self, request: Request) -> None:
        """Returns when the request may be answered; raises ``Refused`` (401, or 403 where no key is configured)."""
        if self._key is None:
            if self._proxied or not _is_direct(request):
                raise Refused.by(ELSEWHERE.at("/metrics"), status=403)
            return
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Refused.by(refusals.NO_CREDENTIAL.at("Authorization"), status=401)
        if not hmac.compare_digest(hashlib.sha256(sent.strip().encode()).digest(), self._key):
            raise Refused.by(refusals.BEARER.at("Authorization"), status=401)


class MetricsEndpoint:
    """An ASGI application; ``own`` is this process's snapshot, refreshed at each scrape, ``state`` reads the state gauges."""

    def __init__(self, folder: Path, own: Snapshot, state: Callable[[], str], scrapers: Scrapers) -> None:
        self._folder = folder
        self._own = own
        self._state = state
        self._scrapers = scrapers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self._scrapers.admit(request)
        allowed = request.method in {"GET", "HEAD"}
        content = await asyncio.to_thread(self._exposition) if allowed else ""
        response = Response(content, 200 if allowed else 405, media_type=CONTENT_TYPE_LATEST)
        await response(scope, receive, send)

    def _exposition(self) -> str:
        self._own.write()
        return union(self._folder) + self._state()


def _is_direct(request: Request) -> bool:
    """Whether the peer is on this host and passes nothing on for somebody else."""
    if request.client is None or any(name in request.headers for name in _PROXY_HEADERS):
        return False
    try:
        peer = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
    return (mapped or peer).is_loopback
