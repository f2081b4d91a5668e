"""Group commit: an error that is none of the bus's own reaches the senders of its group, and the next group goes on."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.errors import InternalError, Unavailable
from core.ports.bus import Channel, Message
from router.bus.embedded import EmbeddedBus, publisher
from router.bus.embedded.queuefile import probe, publish
from services.process import wait_until


def letter(name: str) -> Message:
    return Message(id=name, body=b"x")


class Failing:
    """Stands in for a step that meets each of these errors once, and works from then on."""

    def __init__(self, works: Any, *errors: Exception) -> None:
        self._works, self._errors = works, list(errors)

    def __call__(self, *arguments: Any) -> Any:
        if self._errors:
            raise self._errors.pop(0)
        return self._works(*arguments)


@pytest.fixture
def bus(tmp_path: Path) -> Any:
    bus = EmbeddedBus(tmp_path / "bus.db")
    bus.declare()
    yield bus
    bus.close()


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_a_publish_that_met_a_defect_is_told_and_the_next_one_is_stored(
    bus: EmbeddedBus, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(publisher, "publish", Failing(publish, error))

    async def story() -> None:
        opened = await bus.publisher()
        with pytest.raises(InternalError, match=type(error).__name__):
            await opened.publish(Channel.RECORDS, letter("first"))
        await opened.publish(Channel.RECORDS, letter("second"))
        await opened.aclose()

    asyncio.run(story())
    assert bus.depth(Channel.RECORDS).ready == 1


def test_a_publisher_that_is_blocked_recovers_though_its_probe_met_a_defect(
    bus: EmbeddedBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "_RECOVERY_S", 0.001)
    monkeypatch.setattr(publisher, "publish", Failing(publish, Unavailable("full")))
    monkeypatch.setattr(publisher, "probe", Failing(probe, MemoryError()))

    async def story() -> None:
        opened = await bus.publisher()
        with pytest.raises(Unavailable):
            await opened.publish(Channel.RECORDS, letter("first"))
        assert opened.blocked
        await asyncio.to_thread(wait_until, lambda: not opened.blocked, timeout_s=10, what="recovery")
        await opened.aclose()

    asyncio.run(story())
