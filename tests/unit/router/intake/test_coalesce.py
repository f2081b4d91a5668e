"""Every push that shares a chunk gets its answer, whatever becomes of the chunk."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from contracts.identity import uuid7
from contracts.record import Collection
from core.ports.intake import Lot
from router.intake.coalesce import Coalescer

LOT = Lot("permits", 1, "rest", Collection.INCREMENTAL)


async def works(*_arguments: Any) -> None:
    """A publisher that takes everything."""


async def broken(*_arguments: Any) -> None:
    raise RuntimeError("a defect of a driver")


def fail(*_arguments: Any) -> None:
    raise MemoryError


def seal(plain: bytes, _aad: bytes) -> bytes:
    return plain


def answers(pushes: int, **parts: Any) -> Sequence[list[UUID | None]]:
    """The answers of pushes of one record each that came together."""
    publish, encrypt = parts.get("publish", works), parts.get("encrypt", seal)
    confirmed = parts.get("confirmed", lambda _receipts: None)

    async def story() -> Sequence[list[UUID | None]]:
        publisher: Any = SimpleNamespace(publish=publish)
        keyring: Any = SimpleNamespace(encrypt=encrypt)
        coalescer = Coalescer(publisher, keyring, wait_s=0.002, confirmed=confirmed)
        waiting = [coalescer.publish(LOT, [(uuid7(), b"\x90")]) for _ in range(pushes)]
        return await asyncio.wait_for(asyncio.gather(*waiting), 10)

    return asyncio.run(story())


@pytest.mark.parametrize("fault", [{"publish": broken}, {"encrypt": fail}, {"confirmed": fail}])
def test_a_defect_tells_every_push_of_its_chunk_to_come_back(
    fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert answers(3, **fault) == [[None]] * 3
    assert "a chunk of records was not published" in caplog.text


def test_without_a_fault_every_push_has_its_receipt() -> None:
    assert all(isinstance(receipt, UUID) for [receipt] in answers(3))
