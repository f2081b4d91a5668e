"""The peer's HTTP side: signature and nonce checked, body validated, each record published with a confirm, then 202."""

import asyncio
import hashlib
import hmac
import os
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from sqlalchemy.exc import IntegrityError

from bench.peer.bus import QUEUE, Session, broker
from bench.peer.model import Accepted, Nonce, Permit

SECRET = os.environ["PEER_SECRET"].encode()
WINDOW_MS = 300_000


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """The broker's connection lives as long as the application."""
    await broker.connect()
    await broker.declare_queue(QUEUE)
    yield
    await broker.stop()


app = FastAPI(lifespan=lifespan)


async def signed(
    request: Request,
    x_client_id: Annotated[str, Header()],
    x_timestamp: Annotated[int, Header()],
    x_nonce: Annotated[str, Header()],
    x_content_sha256: Annotated[str, Header()],
    x_signature: Annotated[str, Header()],
) -> str:
    """The client of a signed request, its nonce kept."""
    content = hashlib.sha256(await request.body()).hexdigest()
    text = f"{request.method}\n{request.url.path}\n{x_timestamp}\n{x_nonce}\n{content}"
    expected = b64encode(hmac.digest(SECRET, text.encode(), "sha256")).decode()
    now_ms = time.time_ns() // 1_000_000
    fresh = abs(now_ms - x_timestamp) <= WINDOW_MS
    if not fresh or content != x_content_sha256 or not hmac.compare_digest(expected, x_signature):
        raise HTTPException(401)
    try:
        async with Session.begin() as session:
            session.add(Nonce(client=x_client_id, nonce=x_nonce, seen_ms=now_ms))
    except IntegrityError as error:
        raise HTTPException(401) from error
    return x_client_id


async def _publish(permit: Permit) -> str:
    receipt = str(uuid4())
    accepted = Accepted(receipt=receipt, permit=permit)
    await broker.publish(accepted, QUEUE, persist=True, message_id=receipt)
    return receipt


@app.post("/permits", status_code=202)
async def push(permit: Permit, _client: Annotated[str, Depends(signed)]) -> dict[str, str]:
    """One record."""
    return {"receipt": await _publish(permit)}


@app.post("/permits/many", status_code=202)
async def push_many(permits: list[Permit], _client: Annotated[str, Depends(signed)]) -> dict[str, list[str]]:
    """Many records, published side by side."""
    return {"receipts": await asyncio.gather(*(_publish(permit) for permit in permits))}
