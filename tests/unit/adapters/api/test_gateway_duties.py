"""What a gateway does beside its requests goes on after a round that met a defect."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.api import app
from core.errors import InternalError


class Intake:
    """An intake that opens at the third attempt, and whose first manifest cannot be written."""

    def __init__(self) -> None:
        self.attempts = 0
        self.opened = asyncio.Event()
        self.written = 0

    async def open(self) -> None:
        self.attempts += 1
        if self.attempts < 3:
            raise RuntimeError("can't start new thread")
        self.opened.set()

    async def write_manifest(self) -> None:
        self.written += 1
        if self.written == 1:
            raise InternalError("the store refuses the statement")

    async def aclose(self) -> None:
        """Nothing is open."""


def test_a_gateway_opens_its_intake_and_keeps_its_duties_in_spite_of_defects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "OPEN_EVERY_S", 0.001)

    async def story() -> None:
        intake, rolled = Intake(), asyncio.Semaphore(0)
        loop = asyncio.get_running_loop()
        rolls = iter([InternalError("the store refuses the statement")])

        def roll() -> None:
            for error in rolls:
                raise error
            loop.call_soon_threadsafe(rolled.release)

        services: Any = SimpleNamespace(
            directory=SimpleNamespace(refresh=lambda: None),
            intake=intake,
            gateway=SimpleNamespace(manifest_s=0.001),
            roll_keys=roll,
        )
        readiness: Any = SimpleNamespace(start=lambda: None, stop=lambda: None)
        async with asyncio.timeout(10), app._duties(services, readiness):
            await intake.opened.wait()
            await rolled.acquire()
        assert intake.written >= 2

    asyncio.run(story())
