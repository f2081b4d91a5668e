import asyncio
import errno
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.config import Gateway
from core.errors import Unavailable
from core.interfaces import InterfaceDirectory
from core.ports.bus import Channel, Message
from gateway_parts import Hub, encoded, lines, permits, record, sign
from pushing import JSON, NDJSON, URL, post, run


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    hub.register(permits())
    yield hub
    hub.close()


class Flaky:
    """The bus with a broker that is away for some messages."""

    blocked = False

    def __init__(self, real: Any, fails: Callable[[int], bool]) -> None:
        self._real = real
        self._fails = fails
        self._count = 0

    async def publish(self, channel: Channel, message: Message) -> None:
        self._count += 1
        if self._fails(self._count):
            raise Unavailable("the broker is away")
        await self._real.publish(channel, message)

    async def aclose(self) -> None:
        await self._real.aclose()


def make_flaky(hub: Hub, monkeypatch: pytest.MonkeyPatch, fails: Callable[[int], bool]) -> None:
    real = hub.bus.publisher

    async def publisher() -> Flaky:
        return Flaky(await real(), fails)

    monkeypatch.setattr(hub.bus, "publisher", publisher)


def test_when_the_bus_takes_nothing_the_sender_is_told_when_to_come_back(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_flaky(hub, monkeypatch, lambda _number: True)
    response = post(hub, encoded([record("A"), record("")]))
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response.headers["retry-after"]) >= 1
    assert [sorted(one) for one in response.json()["records"]] == [["index", "retry"], ["errors", "index"]]


def test_records_the_bus_did_not_take_are_to_be_sent_again_and_the_others_have_receipts(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_flaky(hub, monkeypatch, lambda number: number == 1)
    response = post(hub, lines([record(f"P-{number}") for number in range(150)]), NDJSON)
    assert response.status_code == 202
    answer = response.json()
    assert (answer["accepted"], answer["retry"]) == (50, 100)
    taken = {str(entry.receipt) for chunk in hub.published() for entry in chunk.entries}
    assert {one["receipt"] for one in answer["records"] if "receipt" in one} == taken


def test_a_full_disk_is_told_and_nothing_is_accepted(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    content = lines([record(f"P-{number}", note="x" * 2000) for number in range(600)])
    response = post(hub, content, NDJSON)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert hub.published() == []
    monkeypatch.undo()
    assert post(hub, content, NDJSON).json()["accepted"] == 600


def test_a_registry_that_is_not_read_any_more_closes_the_intake(hub: Hub) -> None:
    hub.directory = InterfaceDirectory(hub.registry.snapshot)
    response = post(hub, encoded(record()))
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")


def test_more_requests_at_once_than_the_limit_are_told_to_come_back(tmp_path: Path) -> None:
    small = Hub(tmp_path, Gateway(in_flight_limit=2))
    small.register(permits())

    async def talk(client: httpx.AsyncClient) -> list[httpx.Response]:
        contents = [encoded(record(f"P-{number}")) for number in range(20)]
        posts = [client.post(URL, content=body, headers=sign("POST", URL, body) | JSON) for body in contents]
        return await asyncio.gather(*posts)

    responses = run(small, talk)
    assert {response.status_code for response in responses} == {202, 429}
    assert len([chunk for chunk in small.published() for _entry in chunk.entries]) == [
        response.status_code for response in responses
    ].count(202)
    small.close()


def test_more_records_than_the_limit_are_refused_as_a_whole(tmp_path: Path) -> None:
    small = Hub(tmp_path, Gateway(records_limit=10))
    small.register(permits())
    response = post(small, lines([record(f"P-{number}") for number in range(11)]), NDJSON)
    assert (response.status_code, response.json()["code"]) == (413, "push.too-many-records")
    assert small.published() == []
    small.close()
