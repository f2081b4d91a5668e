"""The department's side: a small client of its own that pushes records and asks what became of them.

    python department.py BASE_URL CLIENT_ID SECRET_FILE PLAN ANSWERS

It shares no code with the hub: the request signature is made from its documented recipe with ``hmac`` alone. ``PLAN`` holds one
request a line, ``ANSWERS`` gets one answer a line; progress goes to standard output, one JSON object a line.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import httpx

AT_ONCE = 8
ASK_EVERY_S = 0.1
PATIENCE_S = 120.0
BUSY_TRIES = 30

Json = dict[str, Any]


def signed(
    secret: bytes,
    client: str,
    method: str,
    target: str,
    body: bytes,
    *,
    nonce: str = "",
    clock_off_ms: int = 0,
) -> dict[str, str]:
    """The five headers: who, when, a number used once, the digest of the body, and the HMAC over all of it."""
    timestamp, nonce = str(time.time_ns() // 1_000_000 + clock_off_ms), nonce or secrets.token_hex(16)
    digest = hashlib.sha256(body).hexdigest()
    text = "\n".join((method, target, timestamp, nonce, digest))
    mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return {
        "X-Client-Id": client,
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Content-SHA256": digest,
        "X-Signature": base64.b64encode(mac).decode(),
    }


class Department:
    """One system of a department with its secret."""

    def __init__(self, http: httpx.AsyncClient, client: str, secret: bytes) -> None:
        self._http, self._client, self._secret = http, client, secret
        self._room = asyncio.Semaphore(AT_ONCE)
        self.answered = self.decided = 0

    async def do(self, request: Json) -> Json:
        """Sends one request of the plan; follows its receipts until each has an outcome."""
        async with self._room:
            answer = await self._send(request)
        self.answered += max(1, len(answer.get("records", [])))
        say(answered=self.answered)
        outcomes = await asyncio.gather(*(self._outcome(record) for record in answer.get("records", [])))
        return {**answer, "id": request["id"], "records": outcomes}

    async def _send(self, request: Json) -> Json:
        """The answer; a hub that has no room for now is asked again when it says."""
        found = await self._post(request)
        for _ in range(BUSY_TRIES):
            if found.status_code not in (429, 503):
                break
            await asyncio.sleep(float(found.headers.get("Retry-After", "1")))
            found = await self._post(request)
        answer: Json = found.json()
        lists = {name: answer.get(name, []) for name in ("records", "errors")}
        return {"status": found.status_code, **lists}

    async def _post(self, request: Json) -> httpx.Response:
        body = request["body"].encode()
        return await self._http.post(request["target"], content=body, headers=self._headers(request))

    def _headers(self, request: Json) -> dict[str, str]:
        """The headers of a request, signed as it asks for; those spoiled to nothing are left out."""
        body = str(request.get("signed_body", request["body"]))
        own = signed(
            self._secret,
            self._client,
            "POST",
            request["target"],
            body.encode(),
            nonce=request.get("nonce", ""),
            clock_off_ms=request.get("clock_off_ms", 0),
        )
        spoiled = {name: value for name, value in {**own, **request.get("spoil", {})}.items() if value}
        return {"Content-Type": request["media"], **request.get("headers", {}), **spoiled}

    async def _outcome(self, record: Json) -> Json:
        """The outcome of one record: what the receipt says, or why it got none."""
        if "receipt" not in record:
            return record
        target = f"/v1/receipts/{record['receipt']}"
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            async with self._room:
                headers = signed(self._secret, self._client, "GET", target, b"")
                found = (await self._http.get(target, headers=headers)).json()
            if found.get("outcome", "pending") != "pending":
                self.decided += 1
                say(decided=self.decided)
                return {**record, **found}
            await asyncio.sleep(ASK_EVERY_S)
        return {**record, "outcome": "pending"}


def say(**progress: int) -> None:
    """One line of progress."""
    print(json.dumps(progress), flush=True)


async def run(base: str, client: str, secret: bytes, plan: list[Json]) -> list[Json]:
    """All requests of the plan, as many at once as the client allows itself."""
    limits = httpx.Limits(max_connections=AT_ONCE * 2)
    async with httpx.AsyncClient(base_url=base, timeout=60, limits=limits, trust_env=False) as http:
        department = Department(http, client, secret)
        ordered: list[Json] = []
        for group in range(1 + max((request.get("after", 0) for request in plan), default=0)):
            now = [request for request in plan if request.get("after", 0) == group]
            ordered += await asyncio.gather(*(department.do(request) for request in now))
        return ordered


def main(arguments: list[str]) -> None:
    """Runs the plan of the command line."""
    base, client, secret, plan, answers = arguments
    requests = [json.loads(line) for line in Path(plan).read_text("utf-8").splitlines()]
    found = asyncio.run(run(base, client, Path(secret).read_bytes().strip(), requests))
    lines = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in found)
    Path(answers).write_text(lines, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
