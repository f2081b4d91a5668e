"""Back-pressure."""

import asyncio

import pytest

from core.errors import Unavailable
from router.bus.window import Window


async def _waiting(window: Window, size_bytes: int) -> asyncio.Task[None]:
    task = asyncio.create_task(window.enter(size_bytes, 5))
    await asyncio.sleep(0)
    return task


def test_only_so_many_are_inside_and_the_next_enters_in_turn() -> None:
    async def story() -> None:
        window = Window(2, 1000)
        await window.enter(1, 1)
        await window.enter(1, 1)
        third, fourth = await _waiting(window, 1), await _waiting(window, 1)
        assert not third.done()
        window.leave(1)
        await third
        assert not fourth.done()
        window.leave(1)
        await fourth

    asyncio.run(story())


def test_size_counts_and_a_giant_goes_alone() -> None:
    async def story() -> None:
        window = Window(10, 100)
        await window.enter(60, 1)
        giant = await _waiting(window, 500)
        small = await _waiting(window, 1)  # does not overtake
        assert not giant.done()
        assert not small.done()
        window.leave(60)
        await giant
        assert not small.done()
        window.leave(500)
        await small

    asyncio.run(story())


def test_no_room_in_time_is_unavailable_and_leaves_no_trace() -> None:
    async def story() -> None:
        window = Window(1, 100)
        await window.enter(1, 1)
        with pytest.raises(Unavailable):
            await window.enter(1, 0.01)
        window.leave(1)
        await window.enter(1, 0.01)

    asyncio.run(story())


def test_who_is_cancelled_while_waiting_takes_no_room() -> None:
    async def story() -> None:
        window = Window(1, 100)
        await window.enter(1, 1)
        waiting = await _waiting(window, 1)
        window.leave(1)  # its turn comes in the same moment as the cancellation
        waiting.cancel()
        await asyncio.wait([waiting])
        await window.enter(1, 0.01)  # the room of the one who left is free
        with pytest.raises(Unavailable):
            await window.enter(1, 0.01)  # and it was one

    asyncio.run(story())
