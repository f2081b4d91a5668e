"""The subscriber of the demonstration: takes signed changes once, in any order, and nothing unsigned."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from contracts.request_signature import signed_headers
from licencehub.demo.receiver import Receiver

SECRET = b"shared secret"


def _post(receiver: Receiver, secret: bytes, *numbers: int) -> int:
    changes: list[dict[str, Any]] = [
        {"number": n, "kind": "alert.raised", "subject": "road"} for n in numbers
    ]
    body = json.dumps({"subscription": "s", "changes": changes}).encode()
    headers = signed_headers(secret, "s", "POST", "/changes", body, 1_764_000_000_000, "n" * 16)
    return httpx.post(receiver.url, content=body, headers=headers, trust_env=False).status_code


def test_changes_are_kept_once_and_gaps_are_seen() -> None:
    with Receiver(lambda: SECRET) as receiver:
        assert _post(receiver, SECRET, 0, 1) == 204
        assert _post(receiver, SECRET, 1, 3) == 204
        assert not receiver.has_all(4)
        assert _post(receiver, SECRET, 2) == 204
        assert receiver.has_all(4)
        assert not receiver.has_all(3)
        assert receiver.alerts == [("alert.raised", "road")] * 4


@pytest.mark.parametrize("secret", [b"another", hashlib.sha256(SECRET).digest()])
def test_what_another_signed_is_not_taken(secret: bytes) -> None:
    with Receiver(lambda: SECRET) as receiver:
        assert _post(receiver, secret, 0) == 401
        assert receiver.numbers == set()
        assert receiver.refused == 1
