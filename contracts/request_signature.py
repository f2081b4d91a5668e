"""The request signature both ways: five headers any language can make.

``X-Signature`` is the base64 of HMAC-SHA256 over method, path with query, timestamp, nonce and content digest, joined by
line feeds.
"""

import base64
import hashlib
import hmac

CLIENT = "X-Client-Id"
TIMESTAMP = "X-Timestamp"
"""Unix milliseconds."""
NONCE = "X-Nonce"
CONTENT = "X-Content-SHA256"
"""Lower-case hex SHA-256 of the body."""
SIGNATURE = "X-Signature"

WINDOW_MS = 5 * 60 * 1000
"""How far a timestamp may be off; nonces are kept twice as long."""


def signature(
    secret: bytes, method: str, target: str, timestamp: str, nonce: str, content_sha256: str
) -> str:
    """The base64 signature; ``target`` is the path with its query, as sent on the request line."""
    text = f"{method}\n{target}\n{timestamp}\n{nonce}\n{content_sha256}"
    return base64.b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()


def signed_headers(
    secret: bytes, client: str, method: str, target: str, body: bytes, timestamp_ms: int, nonce: str
) -> dict[str, str]:
    """The five headers of a request."""
    content = hashlib.sha256(body).hexdigest()
    return {
        CLIENT: client,
        TIMESTAMP: str(timestamp_ms),
        NONCE: nonce,
        CONTENT: content,
        SIGNATURE: signature(secret, method, target, str(timestamp_ms), nonce, content),
    }
