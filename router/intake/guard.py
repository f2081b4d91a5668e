"""Group commit of the intake guard: requests that arrive while a transaction runs share the next one."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from contracts.fault import Rule
from core.access import refusals
from core.errors import HubError, Refused, Unavailable
from core.store.guard import GuardAnswer, GuardRequest

MOST = 500
"""Requests in one transaction."""

KEY_CONFLICT = Rule(
    code="idempotency.conflict",
    en="this Idempotency-Key was used for another body",
    zh="该 Idempotency-Key 已用于其他正文",
    remedy_en="Use a new key for new content; repeat a request with exactly the bytes it had.",
    remedy_zh="新内容请使用新的键；重发请求时正文字节须完全一致。",
)

Waiting = tuple[GuardRequest, "asyncio.Future[GuardAnswer]"]


class GuardStore(Protocol):
    """The guard's part of the store."""

    def admit(self, requests: Sequence[GuardRequest]) -> list[GuardAnswer]: ...


class GuardGate:
    """Admits requests of one event loop through one thread of the store."""

    def __init__(self, store: GuardStore, *, gather_s: float = 0.0, give_up_s: float = 5.0) -> None:
        self._store = store
        self._gather_s = gather_s
        self._give_up_s = give_up_s
        self._waiting: list[Waiting] = []
        self._draining: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="guard")

    async def admit(self, request: GuardRequest) -> GuardAnswer:
        """The durable answer; raises ``Refused`` (401 nonce seen, 409 key with another body) or ``Unavailable``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[GuardAnswer] = loop.create_future()
        self._waiting.append((request, future))
        if self._draining is None:
            self._draining = loop.create_task(self._drain())
        answer = await future
        if answer.verdict == "nonce-seen":
            raise Refused.by(refusals.NONCE_SEEN.at("X-Nonce"), status=401)
        if answer.verdict == "key-conflict":
            raise Refused.by(KEY_CONFLICT.at("Idempotency-Key"), status=409)
        return answer

    async def admit_nonce(self, client: str, nonce: str) -> None:
        """Admits a signed request that pushes nothing."""
        await self.admit(
            GuardRequest(
                client=client,
                nonce=nonce,
                interface="",
                key=None,
                body_digest=b"",
                now_ms=time.time_ns() // 1_000_000,
            )
        )

    def close(self) -> None:
        """Ends the thread after the transaction it is in."""
        self._thread.shutdown(wait=False)

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(self._gather_s)
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._commit(batch)
        finally:
            self._draining = None

    async def _commit(self, batch: list[Waiting]) -> None:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, self._store.admit, [request for request, _future in batch])
        try:
            answers = await asyncio.wait_for(work, self._give_up_s)
        except (HubError, TimeoutError) as error:
            _fail(batch, _unavailable(error))
        except Exception as error:  # noqa: BLE001 a defect must reach every request that waits, none may hang
            _fail(batch, error)
        else:
            for (_request, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _unavailable(error: Exception) -> Exception:
    return Unavailable(
        f"the intake guard is out of reach ({error})", retry_after_s=2, summary_zh="接收防重校验暂不可用"
    )


def _fail(batch: list[Waiting], error: Exception) -> None:
    for _request, future in batch:
        if not future.done():
            future.set_exception(error)
