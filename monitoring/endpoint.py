"""``/metrics``: the union of the processes' figures and the state of store and bus."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from monitoring.metrics import Snapshot, union


def metrics_app(folder: Path, own: Snapshot, state: Callable[[], str]) -> ASGIApp:
    """An ASGI application; ``own`` is this process's snapshot, refreshed at each scrape, ``state`` reads the state gauges."""

    def exposition() -> str:
        own.write()
        return union(folder) + state()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        allowed = request.method in {"GET", "HEAD"}
        content = await asyncio.to_thread(exposition) if allowed else ""
        response = Response(content, 200 if allowed else 405, media_type=CONTENT_TYPE_LATEST)
        await response(scope, receive, send)

    return app
