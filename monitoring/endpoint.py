"""``/metrics``: the union of the processes' figures and the state of store and bus."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from monitoring.metrics import Snapshot, union


class MetricsEndpoint:
    """An ASGI application; ``own`` is this process's snapshot, refreshed at each scrape, ``state`` reads the state gauges."""

    def __init__(self, folder: Path, own: Snapshot, state: Callable[[], str]) -> None:
        self._folder = folder
        self._own = own
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = Request(scope, receive).method in {"GET", "HEAD"}
        content = await asyncio.to_thread(self._exposition) if allowed else ""
        response = Response(content, 200 if allowed else 405, media_type=CONTENT_TYPE_LATEST)
        await response(scope, receive, send)

    def _exposition(self) -> str:
        self._own.write()
        return union(self._folder) + self._state()
