"""The webhook: what it sends, and what each answer means."""

import base64
import hashlib
import hmac
import json
from uuid import UUID

import httpx
import pytest

from adapters.webhook.subscriber import WebhookSubscriber
from core.errors import PermanentError, Throttled, TransientError, Unavailable
from core.ports.subscriber import Change

SECRET = b"shared secret"
CHANGE = Change(
    number=7, id=UUID(int=1), kind="licence.version", subject="x", at_ms=1_700_000_000_000, data={"n": 1}
)


def subscriber(answer: httpx.Response | Exception, seen: list[httpx.Request]) -> WebhookSubscriber:
    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    transport = httpx.MockTransport(respond)
    return WebhookSubscriber(
        "city", "http://city.example/in?hub=1", SECRET, transport=transport, clock=lambda: 1_700_000_000
    )


def test_a_delivery_is_signed_over_method_target_time_nonce_and_body() -> None:
    seen: list[httpx.Request] = []
    subscriber(httpx.Response(204), seen).deliver([CHANGE])
    (request,) = seen
    body = request.content
    assert json.loads(body)["changes"][0]["number"] == 7
    content = hashlib.sha256(body).hexdigest()
    nonce = request.headers["X-Nonce"]
    text = f"POST\n/in?hub=1\n1700000000000\n{nonce}\n{content}"
    expected = base64.b64encode(hmac.new(SECRET, text.encode(), hashlib.sha256).digest()).decode()
    assert request.headers["X-Signature"] == expected
    assert request.headers["X-Content-SHA256"] == content


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(500), TransientError),
        (httpx.Response(408), TransientError),
        (httpx.Response(429, headers={"Retry-After": "17"}), Throttled),
        (httpx.Response(503, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), Throttled),
        (httpx.Response(302, headers={"Location": "http://elsewhere.example/"}), PermanentError),
        (httpx.Response(410), PermanentError),
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.ReadTimeout("slow"), Unavailable),
    ],
)
def test_each_answer_says_what_the_feed_does_next(
    answer: httpx.Response | Exception, error: type[Exception]
) -> None:
    with pytest.raises(error):
        subscriber(answer, []).deliver([CHANGE])


def test_retry_after_is_honoured() -> None:
    with pytest.raises(Throttled) as caught:
        subscriber(httpx.Response(429, headers={"Retry-After": "17"}), []).deliver([CHANGE])
    assert caught.value.retry_after_s == 17
