"""The load generator, a process of its own: requests made and signed beforehand, sent over raw sockets, answers timed.

``python -m bench.load PLAN`` (JSON) prints ``ready``, waits for a line on standard input, sends, and prints its result as JSON.
"""

import asyncio
import json
import resource
import secrets
import sys
import time
from collections import deque
from statistics import quantiles
from typing import Any, cast

import uvloop

from bench import material
from contracts.request_signature import signed_headers

Plan = dict[str, Any]


def requests(plan: Plan) -> deque[bytes]:
    """Every request of the plan, ready to be sent."""
    size = plan["records_each"]
    numbers = range(plan["first"], plan["first"] + plan["requests"] * size, size)
    return deque(_request(plan, number) for number in numbers)


def _request(plan: Plan, number: int) -> bytes:
    body = (
        material.single(number) if plan["records_each"] == 1 else material.many(number, plan["records_each"])
    )
    lines = [f"POST {plan['target']} HTTP/1.1", f"Host: 127.0.0.1:{plan['port']}"]
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **_credential(plan, body),
    }
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _credential(plan: Plan, body: bytes) -> dict[str, str]:
    if "bearer" in plan:
        return {"Authorization": f"Bearer {plan['bearer']}"}
    now_ms = time.time_ns() // 1_000_000
    secret, nonce = plan["secret"].encode(), secrets.token_hex(12)
    return signed_headers(secret, plan["client"], "POST", plan["target"], body, now_ms, nonce)


class _Sender(asyncio.Protocol):
    """One connection: the next request as soon as the last is answered."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""
        self._sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        if not self._run.waiting:
            self._transport.close()
            return
        self._sent_s = time.perf_counter()
        self._transport.write(self._run.waiting.popleft())

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self._run.answered(int(head[9:12]), time.perf_counter() - self._sent_s, body)
            self._received = b""
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.ended()


class _Run:
    """All connections together."""

    def __init__(self, waiting: deque[bytes], connections: int) -> None:
        self.waiting = waiting
        self.seconds: list[float] = []
        self.refused: dict[str, int] = {}
        self.done = asyncio.Event()
        self._open = connections

    def answered(self, status: int, seconds: float, body: bytes) -> None:
        self.seconds.append(seconds)
        if status != 202:
            text = f"{status} {body[:300].decode(errors='replace')}"
            self.refused[text] = self.refused.get(text, 0) + 1

    def ended(self) -> None:
        self._open -= 1
        if not self._open:
            self.done.set()


async def send(plan: Plan, waiting: deque[bytes]) -> dict[str, Any]:
    """Sends everything; times in seconds of the monotonic clock."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    run = _Run(waiting, plan["connections"])
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    for _ in range(plan["connections"]):
        await loop.create_connection(lambda: _Sender(run), "127.0.0.1", plan["port"])
    await run.done.wait()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cuts = quantiles(run.seconds, n=100)
    return {
        "began": began,
        "ended": time.monotonic(),
        "answers": len(run.seconds),
        "refused": run.refused,
        "unsent": len(waiting),
        "p50_ms": round(cuts[49] * 1000, 1),
        "p99_ms": round(cuts[98] * 1000, 1),
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }


def main(arguments: list[str]) -> None:
    """Runs the plan."""
    plan = json.loads(arguments[0])
    waiting = requests(plan)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(uvloop.run(send(plan, waiting))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
