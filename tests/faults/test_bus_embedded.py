"""What breaks around the embedded bus: the disk, the file, other writers, processes."""

import asyncio
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from conformance.bus_stack import (
    RECORDS,
    Stack,
    ack,
    collect,
    drain,
    eventually,
    kill,
    letter,
    letters,
    lines,
    names,
)
from core.errors import ConfigError, Unavailable, Unroutable
from core.ports.bus import Bus, Park, Retry
from router.bus.embedded.queuefile import QueueFile

pytestmark = pytest.mark.faults

ANSWER_S = 5.3


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    stack = Stack("embedded", str(tmp_path / "bus.db"), "hub")
    with stack.bus() as bus:
        bus.declare()
    return stack


@pytest.fixture
def bus(stack: Stack) -> Iterator[Bus]:
    with stack.bus() as bus:
        yield bus


@contextmanager
def no_file_may_grow_beyond(size_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def integrity(stack: Stack) -> str:
    with closing(sqlite3.connect(stack.url)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def test_a_full_disk_refuses_without_damage_and_is_over_by_itself(stack: Stack, bus: Bus) -> None:
    stored: list[str] = []

    async def story() -> None:
        publisher = await bus.publisher()
        with no_file_may_grow_beyond(3_000_000):
            with pytest.raises(Unavailable):  # noqa: PT012 - the one that does not fit any more
                for number in range(200):
                    await publisher.publish(RECORDS, letter(f"fits-{number}", 60_000))
                    stored.append(f"fits-{number}")
            assert publisher.blocked
            with pytest.raises(Unavailable):
                bus.publish_many(RECORDS, [letter("too much", 500_000)])
        await asyncio.to_thread(eventually, lambda: not publisher.blocked)
        await publisher.publish(RECORDS, letter("after", 500_000))
        await publisher.aclose()

    asyncio.run(story())
    assert integrity(stack) == "ok"
    with bus.consumer(RECORDS, prefetch=200) as consumer:
        assert names(drain(consumer)) == sorted([*stored, "after"])


def test_a_settlement_that_the_disk_refuses_is_written_later(stack: Stack, bus: Bus) -> None:
    bus.publish_many(RECORDS, [letter(f"m-{number}", 60_000) for number in range(20)])
    with bus.consumer(RECORDS, prefetch=20) as consumer:
        held = collect(consumer, 20)
        with no_file_may_grow_beyond(4096):
            consumer.settle(
                [(held[0], Retry(60)), (held[1], Park("bad")), *[(d, Retry(60)) for d in held[2:]]]
            )
            assert consumer.receive(1, 0.3) == []
            assert bus.depth(RECORDS).in_hand == 20
        assert consumer.receive(1, 1.3) == []
        depth = bus.depth(RECORDS)
    assert (depth.in_hand, depth.delayed, depth.parked) == (0, 19, 1)
    assert integrity(stack) == "ok"


def test_a_file_without_its_tables_is_unroutable(stack: Stack, bus: Bus) -> None:
    with closing(sqlite3.connect(stack.url)) as connection:
        connection.executescript("DROP TABLE entry; DROP TABLE content;")
    with pytest.raises(Unroutable):
        bus.publish_many(RECORDS, letters(1))

    async def story() -> None:
        publisher = await bus.publisher()
        with pytest.raises(Unroutable):
            await publisher.publish(RECORDS, letter("one"))
        await publisher.aclose()

    asyncio.run(story())


def test_a_file_that_is_gone_takes_nothing(stack: Stack) -> None:
    Path(stack.url).unlink()
    with stack.bus() as bus:
        with pytest.raises(Unavailable):
            bus.publish_many(RECORDS, letters(1))
        with pytest.raises(Unavailable):
            bus.probe()
    assert not Path(stack.url).exists()


def test_a_foreign_file_is_a_configuration_error(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE something (a)")
    with pytest.raises(ConfigError, match="something else than a bus"):
        QueueFile(other).create()
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(ConfigError, match="layout 9"):
        QueueFile(other).create()


def test_a_writer_that_does_not_let_go_is_an_outage_that_ends_by_itself(stack: Stack, bus: Bus) -> None:
    async def story() -> None:
        publisher = await bus.publisher()
        with closing(sqlite3.connect(stack.url, isolation_level=None)) as hog:
            hog.execute("BEGIN IMMEDIATE")
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await publisher.publish(RECORDS, letter("refused"))
            assert time.monotonic() - started < ANSWER_S
            hog.execute("ROLLBACK")
        await asyncio.to_thread(eventually, lambda: not publisher.blocked)
        await publisher.publish(RECORDS, letter("after"))
        await publisher.aclose()

    asyncio.run(story())
    with bus.consumer(RECORDS, prefetch=10) as consumer:
        assert "after" in names(drain(consumer))


def test_kills_in_the_middle_leave_a_sound_file(stack: Stack, bus: Bus) -> None:
    for _ in range(4):
        publisher, worker = stack.process("publish"), stack.process("consume")
        try:
            lines(publisher, 60)
        finally:
            kill(publisher)
            kill(worker)
        assert integrity(stack) == "ok"
    with bus.consumer(RECORDS, prefetch=100) as consumer:
        drain(consumer, 0.5)
    with closing(sqlite3.connect(stack.url)) as connection:
        assert connection.execute("SELECT count(*) FROM content").fetchone() == (0,)


def test_a_publish_of_another_process_is_seen_in_a_moment(stack: Stack, bus: Bus) -> None:
    with bus.consumer(RECORDS, prefetch=10) as consumer:
        consumer.receive(1, 0.2)
        program = (
            "import sys, time; from conformance.bus_stack import *; s = Stack('embedded', sys.argv[1], 'hub')\n"
            "bus = s.open(); bus.publish_many(RECORDS, [letter(str(time.time()))])"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program, stack.url], env={"PYTHONPATH": ":".join(filter(None, sys.path))}
        )
        (delivery,) = collect(consumer, 1)
        assert time.time() - float(delivery.message.id) < 1
        ack(consumer, [delivery])
        assert process.wait() == 0


def test_the_file_shrinks_after_a_burst_and_is_used_again(stack: Stack, bus: Bus) -> None:
    burst = [letter(f"m-{number}", 100_000) for number in range(500)]
    with bus.consumer(RECORDS, prefetch=500) as consumer:
        bus.publish_many(RECORDS, burst)
        full = _pages(stack)
        drain(consumer, 0.1)
        bus.publish_many(RECORDS, burst)
        assert _pages(stack) <= full * 1.05
        drain(consumer, 0.1)
        eventually(lambda: not consumer.receive(1, 0.5) and _pages(stack) < full / 2)


def _pages(stack: Stack) -> int:
    with closing(sqlite3.connect(stack.url)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    return int(pages)
