"""A subscriber: takes the journal's changes as they are posted, checks each signature, keeps what it has seen."""

import base64
import hashlib
import hmac
import json
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Receiver:
    """A small HTTP server on a port of its own; a context manager."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        """``secret`` is read when the first change comes: the hub is made later than its subscriber's address is needed."""
        self._secret = secret
        self._lock = threading.Lock()
        self.numbers: set[int] = set()
        self.kinds: Counter[str] = Counter()
        self.alerts: list[tuple[str, str]] = []
        """(kind, interface) of the upload alerts, in order."""
        self.refused = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="subscriber", daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where changes are to be posted."""
        return f"http://127.0.0.1:{self._server.server_port}/changes"

    def is_genuine(self, headers: Any, target: str, body: bytes) -> bool:
        """Whether the hub signed these bytes."""
        digest = hashlib.sha256(body).hexdigest()
        text = "\n".join(("POST", target, headers["X-Timestamp"], headers["X-Nonce"], digest))
        mac = base64.b64encode(hmac.new(self._secret(), text.encode(), hashlib.sha256).digest()).decode()
        return hmac.compare_digest(mac, headers.get("X-Signature", ""))

    def take(self, changes: list[dict[str, Any]]) -> None:
        """Keeps what is new; a change that comes again has no second effect."""
        with self._lock:
            for change in changes:
                if change["number"] in self.numbers:
                    continue
                self.numbers.add(change["number"])
                self.kinds[change["kind"]] += 1
                if change["kind"].startswith("alert."):
                    self.alerts.append((change["kind"], change["subject"]))

    def has_all(self, size: int) -> bool:
        """Whether every number of a journal of this size has come, none twice and none beyond."""
        return self.numbers == set(range(size))


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            genuine = receiver.is_genuine(self.headers, self.path, body)
            if genuine:
                receiver.take(json.loads(body)["changes"])
            else:
                receiver.refused += 1
            self.send_response(204 if genuine else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name the base class gives it
            """Nothing: the page is for the story."""

    return Handler
