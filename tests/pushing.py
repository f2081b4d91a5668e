"""Pushing to a gateway of real parts, as a signing client does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from gateway_parts import Hub, push_client, sign

URL = "/v1/interfaces/permits/records"
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


def run(hub: Hub, talk: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    async def body() -> Any:
        async with push_client(hub) as client:
            return await talk(client)

    return asyncio.run(body())


def post(
    hub: Hub,
    content: bytes,
    media: Mapping[str, str] = JSON,
    *,
    url: str = URL,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """A signed post."""
    sent = {**sign("POST", url, content), **media, **(headers or {})}
    response: httpx.Response = run(hub, lambda client: client.post(url, content=content, headers=sent))
    return response
