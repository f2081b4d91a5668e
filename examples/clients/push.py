"""Pushes a file of records, signed, with the standard library alone.

Usage: python push.py URL CLIENT SECRET_FILE INTERFACE FILE
"""

import base64
import hashlib
import hmac
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path


def push(url: str, client: str, secret: str, interface: str, file: Path) -> tuple[int, str]:
    """The status and body of the answer."""
    body = file.read_bytes()
    path = f"/v1/interfaces/{interface}/records"
    timestamp, nonce = str(time.time_ns() // 1_000_000), uuid.uuid4().hex
    digest = hashlib.sha256(body).hexdigest()
    text = "\n".join(("POST", path, timestamp, nonce, digest))
    signature = base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()
    headers = {
        "Content-Type": "application/x-ndjson" if file.suffix == ".ndjson" else "application/json",
        "Idempotency-Key": digest,
        "X-Client-Id": client,
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Content-SHA256": digest,
        "X-Signature": signature,
    }
    request = urllib.request.Request(url + path, body, headers, method="POST")  # noqa: S310 -- the caller's own hub
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 -- the same
            return response.status, response.read().decode()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read().decode()


if __name__ == "__main__":
    hub, name, secret_file, target, records = sys.argv[1:]
    status, answer = push(hub, name, Path(secret_file).read_text().strip(), target, Path(records))
    print(answer)
    sys.exit(0 if status == 202 else 1)
