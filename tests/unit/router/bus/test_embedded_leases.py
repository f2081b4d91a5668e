"""Leases and delays on the embedded bus, by a clock that the test holds."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.ports.bus import Ack, Channel, Message, Park, Retry
from router.bus.embedded import EmbeddedBus
from router.bus.embedded.holder import Holder, bury, dead

HOUR_MS = 3_600_000


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bus(tmp_path: Path, clock: Clock) -> Iterator[EmbeddedBus]:
    bus = EmbeddedBus(tmp_path / "bus.db", lease_s=60, clock=clock)
    bus.declare()
    bus.publish_many(Channel.RECORDS, [Message(id="one", body=b"1")])
    yield bus
    bus.close()


def test_a_forgotten_message_comes_back_when_its_lease_ends(bus: EmbeddedBus, clock: Clock) -> None:
    with bus.consumer(Channel.RECORDS, 1) as forgetful, bus.consumer(Channel.RECORDS, 1) as heir:
        (held,) = forgetful.receive(1, 0)
        clock.now_ms += 59_000
        assert heir.receive(1, 0) == []
        clock.now_ms += 2_000
        (again,) = heir.receive(1, 0)
        assert again.redelivered
        forgetful.settle([(held, Ack())])  # too late: it is in other hands
        assert bus.depth(Channel.RECORDS).in_hand == 1
        heir.settle([(again, Ack())])
        assert bus.depth(Channel.RECORDS).in_hand == 0


def test_an_extended_lease_keeps_long_work_in_hand(bus: EmbeddedBus, clock: Clock) -> None:
    with bus.consumer(Channel.RECORDS, 1) as slow, bus.consumer(Channel.RECORDS, 1) as other:
        held = slow.receive(1, 0)
        for _ in range(5):
            clock.now_ms += 50_000
            slow.extend(held)
            assert other.receive(1, 0) == []
        slow.settle([(held[0], Ack())])
        clock.now_ms += HOUR_MS
        assert other.receive(1, 0) == []


def test_a_delay_is_kept_exactly_and_counts_the_try(bus: EmbeddedBus, clock: Clock) -> None:
    with bus.consumer(Channel.RECORDS, 1) as consumer:
        (held,) = consumer.receive(1, 0)
        consumer.settle([(held, Retry(600))])
        clock.now_ms += 599_999
        assert consumer.receive(1, 0) == []
        clock.now_ms += 1
        assert bus.depth(Channel.RECORDS).ready == 1
        (again,) = consumer.receive(1, 0)
        assert (again.tries, again.redelivered) == (1, False)


def test_a_clock_set_back_does_not_hide_ready_messages(bus: EmbeddedBus, clock: Clock) -> None:
    clock.now_ms -= HOUR_MS
    with bus.consumer(Channel.RECORDS, 1) as consumer:
        assert len(consumer.receive(1, 0)) == 1


def test_a_parked_message_keeps_its_tries_and_its_time(bus: EmbeddedBus, clock: Clock) -> None:
    with bus.consumer(Channel.RECORDS, 1) as consumer:
        for _ in range(2):
            (held,) = consumer.receive(1, 0)
            consumer.settle([(held, Retry(1))])
            clock.now_ms += 1_000
        (held,) = consumer.receive(1, 0)
        consumer.settle([(held, Park("enough"))])
    (parked,) = bus.parked()
    assert (parked.tries, parked.parked_at_ms, parked.reason) == (2, clock.now_ms, "enough")


def test_a_disk_that_is_nearly_full_refuses_publishes_and_still_drains(
    tmp_path: Path, bus: EmbeddedBus
) -> None:
    crowded = EmbeddedBus(tmp_path / "bus.db", reserve_bytes=1 << 60)
    for attempt in (
        crowded.probe,
        lambda: crowded.publish_many(Channel.RECORDS, [Message(id="two", body=b"2")]),
    ):
        with pytest.raises(Unavailable, match="MB free"):
            attempt()
    with crowded.consumer(Channel.RECORDS, 1) as consumer:
        consumer.settle([(consumer.receive(1, 0)[0], Ack())])
    assert bus.depth(Channel.RECORDS).in_hand == 0
    crowded.close()


def test_the_living_are_not_buried(tmp_path: Path) -> None:
    folder = tmp_path / "holders"
    holder = Holder(folder)
    assert dead(folder) == []
    child = os.fork()
    if child == 0:  # another process sees the lock; leave without any of pytest's business
        os._exit(0 if dead(folder) == [] else 1)
    assert os.waitpid(child, 0)[1] == 0
    holder.close()
    assert list(folder.iterdir()) == []


def test_a_holder_without_a_process_is_dead_until_it_is_buried(tmp_path: Path) -> None:
    folder = tmp_path / "holders"
    folder.mkdir()
    child = os.fork()
    if child == 0:
        descriptor = os.open(folder / "gone.lock", os.O_CREAT | os.O_RDWR)
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        os._exit(0)
    os.waitpid(child, 0)
    assert dead(folder) == ["gone"]
    bury(folder, "gone")
    assert dead(folder) == []
