"""What the HTTP adapters read of a request's head, in one pass over its headers."""

import itertools
import os
import re
from collections.abc import MutableMapping
from typing import Any

import msgspec

from adapters.http.problems import language
from contracts.fault import Rule
from contracts.record import Language
from core.access import Authenticator, SignedRequest, Verified, refusals
from core.errors import Refused

Scope = MutableMapping[str, Any]

_NAMES = {
    b"x-client-id": "X-Client-Id",
    b"x-timestamp": "X-Timestamp",
    b"x-nonce": "X-Nonce",
    b"x-content-sha256": "X-Content-SHA256",
    b"x-signature": "X-Signature",
    b"authorization": "Authorization",
    b"idempotency-key": "Idempotency-Key",
    b"content-type": "Content-Type",
    b"content-length": "Content-Length",
    b"content-encoding": "Content-Encoding",
    b"accept-language": "Accept-Language",
    b"expect": "Expect",
    b"traceparent": "traceparent",
    b"x-request-id": "X-Request-Id",
}
_MAY_REPEAT = frozenset({b"accept-language", b"traceparent", b"x-request-id"})
_SIGNING = (b"x-client-id", b"x-timestamp", b"x-nonce", b"x-content-sha256", b"x-signature")
_TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_PROCESS = os.urandom(6).hex() + "-"
_NUMBERS = itertools.count(1)
"""Request ids: unique in the logs of all gateways, and cheap to make."""

REPEATED = Rule(
    code="http.header-repeated",
    en="header {header} is sent more than once",
    zh="请求头 {header} 重复出现",
    remedy_en="Send it once.",
    remedy_zh="该请求头只能出现一次。",
)


class Head(msgspec.Struct):
    """Method, target and the headers that mean something here; texts, empty when missing."""

    method: str
    target: str
    """Path with query, as on the request line."""
    values: dict[bytes, str]
    repeated: str
    """Name of a header that must not, but does, appear twice."""
    request_id: str
    tongue: Language
    client: str = ""
    """The caller, once it is verified."""
    refused: str = ""
    """Code of the error the request ended in."""

    def value(self, name: bytes) -> str:
        """A header's text, empty when it was not sent."""
        return self.values.get(name, "")

    @property
    def trace(self) -> str:
        """The W3C ``traceparent``, when it is well-formed."""
        sent = self.values.get(b"traceparent", "")
        return sent if _TRACE.fullmatch(sent) else ""

    @property
    def waits(self) -> bool:
        """Whether the sender waits with the body until it is told to go on (RFC 9110 section 10.1.1)."""
        return self.values.get(b"expect", "").lower() == "100-continue"

    @property
    def content_length(self) -> int | None:
        """The declared size of the body."""
        sent = self.values.get(b"content-length", "")
        return int(sent) if sent.isascii() and sent.isdigit() else None


def read_head(scope: Scope) -> Head:
    """The head of an ASGI request."""
    values: dict[bytes, str] = {}
    repeated = ""
    for name, value in scope["headers"]:
        if name in _NAMES:
            if name in values and name not in _MAY_REPEAT:
                repeated = _NAMES[name]
            values[name] = value.decode("latin-1")
    target = scope["raw_path"].decode("latin-1")
    if scope["query_string"]:
        target = f"{target}?{scope['query_string'].decode('latin-1')}"
    sent_id = values.get(b"x-request-id", "")
    request_id = sent_id if sent_id and _REQUEST_ID.fullmatch(sent_id) else f"{_PROCESS}{next(_NUMBERS):x}"
    return Head(
        scope["method"], target, values, repeated, request_id, language(values.get(b"accept-language", ""))
    )


def verify(head: Head, authenticator: Authenticator) -> Verified:
    """The caller, noted in the head; raises ``Refused``: 401 without a valid credential, 400 for a header sent twice.

    Nonce and body digest of a signed request are still to be checked.
    """
    verified = _verified(head, authenticator)
    head.client = verified.principal.client
    return verified


def _verified(head: Head, authenticator: Authenticator) -> Verified:
    if head.repeated:
        raise Refused.by(REPEATED.at(head.repeated, header=head.repeated), status=400)
    if any(name in head.values for name in _SIGNING):
        texts = (head.value(name) for name in _SIGNING)
        return authenticator.signed(SignedRequest(head.method, head.target, *texts))
    scheme, _, key = head.value(b"authorization").partition(" ")
    if scheme.lower() == "bearer" and key:
        return authenticator.bearer(key.strip())
    raise Refused.by(refusals.NO_CREDENTIAL.at(""), status=401)
