import asyncio

import pytest

from adapters.rest import counts as module
from adapters.rest.counts import Counts


class Heard:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.counted: dict[tuple[str, ...], float] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        key = (name, labels["adapter"], labels.get("outcome", ""))
        self.counted[key] = self.counted.get(key, 0) + amount

    def observe(self, name: str, value: float, count: int = 1, **labels: str) -> None:
        raise AssertionError(name)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        raise AssertionError(name)


def test_nothing_counted_is_lost_between_two_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TELL_EVERY_S", 0.001)
    heard = Heard()

    async def talk() -> None:
        counts = Counts(heard)
        for number in range(100):
            counts.request("a" if number % 2 else "b", 10, accepted=2, refused=1, retry=0)
            await asyncio.sleep(0.0003)
        await asyncio.sleep(0.05)

    asyncio.run(talk())
    assert heard.counted == {
        (name, adapter, outcome): amount
        for adapter in ("a", "b")
        for name, outcome, amount in (
            ("received_bytes_total", "", 500),
            ("received_records_total", "", 150),
            ("records_total", "accepted", 100),
            ("records_total", "refused", 50),
        )
    }
