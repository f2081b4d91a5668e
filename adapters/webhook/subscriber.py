"""A subscriber reached by signed HTTP POST.

Body: ``{"subscription": name, "changes": [{"number", "id", "kind", "subject", "at", "data"}, …]}`` in journal order. A 2xx answer
acknowledges the whole batch. The destination keeps the highest number it has applied and ignores what is not above it.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from contracts.request_signature import signed_headers
from core.errors import PermanentError, Throttled, TransientError, Unavailable
from core.ports.subscriber import Change

TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=30.0, pool=5.0)


class WebhookSubscriber:
    """Port ``Subscriber`` over HTTP. Redirects are not followed: the destination is the one configured."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: bytes,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._url = httpx.URL(url)
        self._secret = secret
        self._clock = clock
        self._client = httpx.Client(
            timeout=TIMEOUT, follow_redirects=False, transport=transport, trust_env=False
        )

    def deliver(self, changes: Sequence[Change]) -> None:
        """See ``Subscriber.deliver``: 2xx acknowledges; 408, 425, 429, 5xx and network faults are transient; the rest refuses."""
        body = orjson.dumps({"subscription": self._name, "changes": [_as_json(change) for change in changes]})
        target = self._url.raw_path.decode("ascii")
        headers = signed_headers(
            self._secret, self._name, "POST", target, body, int(self._clock() * 1000), secrets.token_hex(16)
        )
        headers["Content-Type"] = "application/json"
        try:
            with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
                _check(answer)
        except httpx.TransportError as error:
            raise Unavailable(f"{self._name}: {type(error).__name__}") from error

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    text = f"answered {answer.status_code}"
    if answer.status_code in {429, 503}:
        raise Throttled(text, retry_after_s=_retry_after_s(answer))
    if answer.status_code in (408, 425) or answer.is_server_error:
        raise TransientError(text)
    raise PermanentError(text)


def _retry_after_s(answer: httpx.Response) -> float:
    try:
        return min(max(float(answer.headers.get("Retry-After", "1")), 0.0), 3600.0)
    except ValueError:
        return 60.0  # a date: come back in a minute and ask again


def _as_json(change: Change) -> dict[str, Any]:
    return {
        "number": change.number,
        "id": str(change.id),
        "kind": change.kind,
        "subject": change.subject,
        "at": datetime.fromtimestamp(change.at_ms / 1000, UTC).isoformat(),
        "data": change.data,
    }
