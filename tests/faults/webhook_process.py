"""A subscriber that applies each change once, and kills itself at its n-th step on request.

It keeps the highest number applied in the transaction of its effects, as docs ask of every destination.
"""

import json
import os
import signal
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Applied:
    """What has been applied, in SQLite."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("CREATE TABLE IF NOT EXISTS effect (number INTEGER, kind TEXT)")

    def apply(self, changes: list[dict[str, Any]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        (highest,) = self._connection.execute("SELECT coalesce(max(number), -1) FROM effect").fetchone()
        fresh = [(change["number"], change["kind"]) for change in changes if change["number"] > highest]
        self._connection.executemany("INSERT INTO effect VALUES (?, ?)", fresh)
        fuse()
        self._connection.execute("COMMIT")


def fuse() -> None:
    """A step: the n-th one kills."""
    global left  # noqa: PLW0603 -- a process of a few lines
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fuse()
        applied.apply(json.loads(body)["changes"])
        fuse()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    port, left, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    applied = Applied(path)
    HTTPServer(("127.0.0.1", port), Receiver).serve_forever()
