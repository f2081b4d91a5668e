"""Connections as hostile or broken senders make them, against a real server."""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from core.ports.bus import Channel
from gateway_parts import encoded, permits, record, sign
from licencehub.app import Hub
from served_hub import Served, served_hub

PATH = "/v1/interfaces/permits/records"
LIMIT = 64 * 1024


def prepare(hub: Hub) -> None:
    hub.store.registry.apply("interface", "permits", permits(), "test")
    hub.store.registry.set_state("interface", "permits", "enabled", "test")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings: dict[str, Any] = {
        "body_limit_bytes": LIMIT,
        "spool_memory_bytes": 8 * 1024,
        "slow_body_s": 0.5,
        "min_body_bytes_per_s": 1024 * 1024,
        "head_limit_bytes": 8 * 1024,
        "head_timeout_s": 0.5,
    }
    with served_hub(tmp_path_factory.mktemp("hub"), prepare, **settings) as served:
        yield served


def head(served: Served, content: bytes, **changes: str) -> bytes:
    """The head of a signed post of ``content``."""
    headers = sign("POST", PATH, content, secret=served.secret("department"))
    headers |= {
        "Host": "hub",
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
    } | changes
    lines = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def connect(served: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=10)


def answer(connection: socket.socket) -> bytes:
    """Everything the server says until it closes."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def ready(served: Served) -> int:
    return served.hub.bus.depth(Channel.RECORDS).ready


def still_serves(served: Served) -> bool:
    with served.client("developer") as client:
        return client.post(PATH, json=record()).status_code == 202


def test_a_body_that_drips_is_refused_and_its_worker_is_free(served: Served) -> None:
    content, before = encoded([record()] * 20), ready(served)
    with connect(served) as connection:
        connection.sendall(head(served, content))
        began = time.monotonic()
        connection.settimeout(0.05)
        received = b""
        for byte in content:
            connection.sendall(bytes((byte,)))
            try:
                received = connection.recv(65536)
                break
            except TimeoutError:
                continue
        took = time.monotonic() - began
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"http.body-too-slow" in received
    assert took < 5
    assert ready(served) == before
    assert still_serves(served)


def test_a_body_that_never_comes_is_refused(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(head(served, b"x" * 100))
        assert answer(connection).startswith(b"HTTP/1.1 408 ")


def test_a_body_cut_at_every_kibibyte_leaves_nothing(served: Served) -> None:
    content, before = encoded([record(f"P-{number}") for number in range(150)]), ready(served)
    assert len(content) > 12 * 1024
    for length in range(0, len(content), 1024):
        with connect(served) as connection:
            connection.sendall(head(served, content) + content[:length])
            connection.shutdown(socket.SHUT_WR)
            assert b" 202 " not in answer(connection)[:20]
    assert ready(served) == before
    assert still_serves(served)


def test_a_body_shorter_than_it_was_signed_but_complete_by_its_length_accepts_nothing(served: Served) -> None:
    content, before = encoded([record("A"), record("B")]), ready(served)
    cut = content[:-10]
    with connect(served) as connection:
        connection.sendall(head(served, content, **{"Content-Length": str(len(cut))}) + cut)
        received = answer(connection)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"auth.content-digest" in received
    assert ready(served) == before


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_refused_and_the_sender_reads_why(served: Served, declared: bool) -> None:
    content = b"[" + b" " * LIMIT + b"]"
    pieces: object = content if declared else iter([content[:30000], content[30000:]])
    headers = sign("POST", PATH, content, secret=served.secret("department")) | {
        "Content-Type": "application/json"
    }
    with httpx.Client(base_url=served.url, timeout=10) as client:
        response = client.post(PATH, content=pieces, headers=headers)  # type: ignore[arg-type]  # bytes or an iterator of them
    assert (response.status_code, response.json()["code"]) == (413, "http.body-too-large")
    assert response.headers["connection"] == "close"


def test_a_body_of_ten_gigabytes_is_refused_by_its_length_alone(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(
            head(served, b"{}", **{"Content-Length": str(10 * 1024**3), "Expect": "100-continue"})
        )
        assert b"413" in answer(connection).split(b"\r\n", 1)[0]


def test_a_body_larger_than_memory_is_spooled_and_accepted(served: Served) -> None:
    content = encoded([record(f"S-{number}") for number in range(200)])
    assert 16 * 1024 < len(content) < LIMIT
    headers = sign("POST", PATH, content, secret=served.secret("department")) | {
        "Content-Type": "application/json"
    }
    with httpx.Client(base_url=served.url) as client:
        assert client.post(PATH, content=content, headers=headers).json()["accepted"] == 200


@pytest.mark.parametrize(
    "filler",
    [
        b"X-Long: " + b"x" * 20_000 + b"\r\n",
        b"".join(b"X-%d: y\r\n" % number for number in range(3000)),
        b"X-Never-Ending: " + b"x" * 200_000,
    ],
)
def test_a_head_over_the_limit_is_refused(served: Served, filler: bytes) -> None:
    with connect(served) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: hub\r\n" + filler)
        with contextlib.suppress(OSError):
            connection.sendall(b"\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 431 ")
    assert still_serves(served)


def test_a_long_request_line_is_refused(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("sent", [b"", b"GET /livez HTTP/1.1\r\nHost: hub\r\nX-Slow: "])
def test_a_head_that_does_not_come_ends_the_connection(served: Served, sent: bytes) -> None:
    with connect(served) as connection:
        began = time.monotonic()
        connection.sendall(sent)
        assert answer(connection).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"HELO hub\r\n\r\n", b"GET\r\n\r\n", b"\x00" * 100],
)
def test_garbage_is_answered_and_forgotten(served: Served, garbage: bytes) -> None:
    with connect(served) as connection:
        connection.sendall(garbage)
        assert answer(connection).startswith(b"HTTP/1.1 400 ")
    assert still_serves(served)


def test_a_connection_serves_many_requests(served: Served) -> None:
    with served.client() as client:
        answers = [client.post(PATH, json=record(f"K-{number}")) for number in range(20)]
    assert {response.status_code for response in answers} == {202}
