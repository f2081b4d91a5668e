"""Credentials into principals: signed requests, and bearer keys for development. Comparisons take constant time."""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Sequence

import msgspec

from contracts import request_signature
from contracts.fault import Rule
from core.access import refusals
from core.access.rights import Principal
from core.errors import Refused

_TIMESTAMP = re.compile(r"[0-9]{12,14}")
_NONCE = re.compile(r"[\x21-\x7e]{8,128}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NOBODY = hashlib.sha256(b"the key of nobody").digest()


class Credential(msgspec.Struct, frozen=True):
    """A client's secret and what it entitles to; the secret never shows."""

    principal: Principal
    kind: str
    """``hmac`` or ``bearer``."""
    secret: bytes

    def __repr__(self) -> str:
        return f"Credential({self.principal.client!r}, {self.kind!r})"


class SignedRequest(msgspec.Struct, frozen=True):
    """What a protocol extracts from a signed request; texts as they were sent, missing ones empty."""

    method: str
    target: str
    """Path with query, as on the request line."""
    client: str
    timestamp: str
    nonce: str
    content: str
    signature: str


class Verified(msgspec.Struct, frozen=True):
    """A verified credential: the caller, and what its request must still prove."""

    principal: Principal
    nonce: str = ""
    """To be admitted once; empty for a bearer key, which has none."""
    content_sha256: bytes | None = None
    """The digest the body must have; None for a bearer key, which states none."""


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Authenticator:
    """Verifies credentials against the clients it was made with."""

    def __init__(
        self, credentials: Sequence[Credential], *, window_s: int = 300, clock: Callable[[], int] = now_ms
    ) -> None:
        self._signing = {c.principal.client: c for c in credentials if c.kind == "hmac"}
        self._bearers = {
            hashlib.sha256(c.secret).digest(): c.principal for c in credentials if c.kind == "bearer"
        }
        self._window_ms = window_s * 1000
        self._clock = clock

    def signed(self, request: SignedRequest) -> Verified:
        """The caller of a signed request; raises ``Refused`` (401) naming the header. Nonce and body are still to check."""
        _check_forms(request)
        known = self._signing.get(request.client)
        expected = request_signature.signature(
            known.secret if known else _NOBODY,
            request.method,
            request.target,
            request.timestamp,
            request.nonce,
            request.content,
        )
        fits = hmac.compare_digest(expected.encode(), request.signature.encode("utf-8", "replace"))
        if known is None or not fits:
            raise _refused(refusals.SIGNATURE, request_signature.SIGNATURE)
        self._check_clock(int(request.timestamp))
        return Verified(known.principal, request.nonce, bytes.fromhex(request.content))

    def bearer(self, key: str) -> Verified:
        """The caller of a bearer key; raises ``Refused`` (401). Looked up by digest, so no comparison leaks a prefix."""
        principal = self._bearers.get(hashlib.sha256(key.encode("utf-8", "replace")).digest())
        if principal is None:
            raise _refused(refusals.BEARER, "Authorization")
        return Verified(principal)

    def _check_clock(self, stamp_ms: int) -> None:
        off_ms = stamp_ms - self._clock()
        if abs(off_ms) > self._window_ms:
            raise _refused(
                refusals.CLOCK,
                request_signature.TIMESTAMP,
                str(stamp_ms),
                off_s=abs(off_ms) // 1000,
                direction="ahead of" if off_ms > 0 else "behind",
                direction_zh="偏快" if off_ms > 0 else "偏慢",
                window_s=self._window_ms // 1000,
            )


def _check_forms(request: SignedRequest) -> None:
    """All five headers are there and well-formed."""
    for header, value, form, expected in (
        (request_signature.CLIENT, request.client, None, ""),
        (request_signature.TIMESTAMP, request.timestamp, _TIMESTAMP, "Unix milliseconds"),
        (request_signature.NONCE, request.nonce, _NONCE, "8 to 128 visible ASCII characters"),
        (request_signature.CONTENT, request.content, _DIGEST, "64 lower-case hexadecimal digits"),
        (request_signature.SIGNATURE, request.signature, None, ""),
    ):
        if not value:
            raise Refused.by(refusals.HEADER_MISSING.at(header, header=header), status=401)
        if form is not None and not form.fullmatch(value):
            raise Refused.by(
                refusals.HEADER_MALFORMED.at(header, header=header, expected=expected), status=401
            )


def _refused(rule: Rule, header: str, value: str | None = None, **params: object) -> Refused:
    return Refused.by(rule.at(header, value, **params), status=401)
