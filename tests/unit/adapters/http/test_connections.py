"""Connections as hostile or broken senders make them, against a real server."""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
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


WISH = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAA"}
"""What Java's HttpClient and ``curl --http2`` send with every request over plain HTTP."""


def closing(served: Served, content: bytes) -> bytes:
    """A push that wishes for HTTP/2, on a connection that ends with it."""
    return head(served, content, **WISH | {"Connection": "close, Upgrade"}) + content


def statuses(received: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1\.1 (\d+)", received)


def test_a_wish_for_another_protocol_is_ignored_and_the_body_is_read(served: Served) -> None:
    before = ready(served)
    with connect(served) as connection:
        connection.sendall(closing(served, encoded(record("U-1"))))
        assert statuses(answer(connection)) == [b"202"]
    assert ready(served) == before + 1


def test_a_wish_for_another_protocol_is_ignored_however_the_bytes_are_cut(served: Served) -> None:
    content = encoded(record("U-2"))
    sent = closing(served, content)
    end = sent.index(b"\r\n\r\n")
    for cut in (
        sent.index(b"Upgrade") + 3,
        sent.index(b"h2c") + 1,
        end + 1,
        end + 3,
        end + 4,
        end + 5,
        len(sent) - 1,
    ):
        sent = closing(served, content)
        with connect(served) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(sent[:cut])
            connection.sendall(sent[cut:])
            assert statuses(answer(connection)) == [b"202"], cut


def test_requests_that_wish_for_another_protocol_may_follow_each_other_at_once(served: Served) -> None:
    contents, before = [encoded(record(f"U-{number}")) for number in range(3, 6)], ready(served)
    sent = b"".join(head(served, content, **WISH) + content for content in contents)
    with connect(served) as connection:
        connection.sendall(sent + closing(served, b"{}"))
        assert statuses(answer(connection)) == [b"202", b"202", b"202", b"422"]
    assert ready(served) == before + 3


@pytest.mark.parametrize("chunked", [False, True])
def test_the_body_of_a_wish_for_another_protocol_is_never_a_request(served: Served, chunked: bool) -> None:
    inner = b"GET /livez HTTP/1.1\r\nHost: hub\r\n\r\n"
    length = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(inner))}
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner) if chunked else inner
    headers = sign("POST", PATH, inner, secret=served.secret("department")) | WISH | length
    headers |= {"Content-Type": "application/json", "Connection": "close, upgrade"}
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: hub",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    ]
    with connect(served) as connection:
        connection.sendall("\r\n".join(lines).encode())
        connection.sendall(body)
        assert statuses(answer(connection)) == [b"422"]


def test_two_lengths_are_refused_with_a_wish_for_another_protocol_too(served: Served) -> None:
    content = encoded(record())
    with connect(served) as connection:
        connection.sendall(head(served, content, **WISH | {"Transfer-Encoding": "chunked"}) + content)
        assert statuses(answer(connection)) == [b"400"]


def test_a_head_over_the_limit_is_refused_with_a_wish_for_another_protocol_too(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(head(served, b"{}", **WISH | {"X-Long": "x" * 20_000}))
        assert statuses(answer(connection)) == [b"431"]


def test_a_tunnel_is_refused_and_what_follows_is_no_request(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(
            b"CONNECT /livez HTTP/1.1\r\nHost: hub\r\n\r\nGET /livez HTTP/1.1\r\nHost: hub\r\n\r\n"
        )
        assert statuses(answer(connection)) == [b"400"]


def test_thousands_of_wishes_in_one_packet_are_parsed_one_after_the_other(served: Served) -> None:
    wish = b"GET /livez HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    last = b"GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    with connect(served) as connection:
        connection.sendall(wish * 1500 + last)
        assert statuses(answer(connection)) == [b"200"] * 1501


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_that_asks_for_http2_pushes_its_body(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_bytes(encoded(record("U-9")))
    command = [
        "curl",
        "-sS",
        "--http2",
        served.url + PATH,
        "-H",
        f"Authorization: Bearer {served.secret('developer')}",
    ]
    command += ["-H", "Content-Type: application/json", "--data-binary", f"@{file}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(done.stdout)["accepted"] == 1
