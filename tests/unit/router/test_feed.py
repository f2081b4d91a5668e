"""The journal feed and the leases it runs under, with a store of its own and a destination that misbehaves."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest

from core.errors import FenceLost, PermanentError, TransientError
from core.ports.observe import Unobserved
from core.ports.subscriber import Change
from core.store.engine import Database
from core.store.journal import JournalStore
from core.store.leases import LeaseStore
from core.store.migrations import migrate
from core.store.subscriptions import SubscriptionStore
from router.feed import Feed, backoff_s
from router.leadership import Leadership


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/hub.db")
    migrate(opened)
    yield opened
    opened.close()


class Destination:
    """Keeps what it has acknowledged; fails as it is told to."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.fails: list[Exception] = []

    def deliver(self, changes: Sequence[Change]) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.seen += [change.number for change in changes]


def journal_of(database: Database, entries: int) -> JournalStore:
    journal = JournalStore(database)
    for n in range(entries):
        journal.record("licence.version", str(n), {"n": n})
    journal.sequence(1)
    return journal


def test_every_change_is_delivered_once_and_in_order(database: Database) -> None:
    journal = journal_of(database, 450)
    destination, feeds = Destination(), SubscriptionStore(database)
    feed = Feed("city", destination, journal, feeds, Unobserved())
    feed.drain(1)
    assert destination.seen == list(range(450))
    assert feeds.progress("city").delivered == 449
    assert not feed(1)


def test_a_failed_delivery_is_put_off_and_repeats_the_same_changes(database: Database) -> None:
    journal = journal_of(database, 3)
    destination, feeds = Destination(), SubscriptionStore(database)
    feed = Feed("city", destination, journal, feeds, Unobserved())
    destination.fails = [TransientError("answered 500", retry_after_s=30)]
    assert not feed(1)
    assert not feeds.is_due(feeds.progress("city"))
    feeds.resume("city")
    feed(1)
    assert destination.seen == [0, 1, 2]


def test_a_refusal_stops_the_feed_visibly(database: Database) -> None:
    destination, feeds = Destination(), SubscriptionStore(database)
    feed = Feed("city", destination, journal_of(database, 2), feeds, Unobserved())
    destination.fails = [PermanentError("answered 410")]
    feed(1)
    assert feeds.progress("city").stopped == "answered 410"
    assert not feed(1)
    assert destination.seen == []


def test_a_feeder_that_lost_its_lease_cannot_move_the_cursor(database: Database) -> None:
    feeds = SubscriptionStore(database)
    feed = Feed("city", Destination(), journal_of(database, 2), feeds, Unobserved())
    feeds.progress("city")
    feeds.delivered("city", 7, -1)
    with pytest.raises(FenceLost):
        feed(6)


def test_delays_double_and_have_a_top() -> None:
    assert [backoff_s(n) for n in (0, 1, 2, 20)] == [1, 2, 4, 300]


def test_leadership_works_only_under_the_lease(database: Database) -> None:
    leases = LeaseStore(database)
    fences: list[int] = []

    def work(fence: int) -> bool:
        fences.append(fence)
        return False

    first = Leadership(leases, "sequencer", work, idle_s=0.01)
    second = Leadership(leases, "sequencer", work, idle_s=0.01)
    first.step()
    second.step()
    assert (first.leading, second.leading, fences) == (True, False, [1])


def test_a_leader_renews_its_lease_only_when_a_part_of_it_has_passed(database: Database) -> None:
    leases = LeaseStore(database)
    asked: list[str] = []

    class Counting(LeaseStore):
        def acquire(self, name: str, holder: str, ttl_s: float) -> int | None:
            asked.append(holder)
            return leases.acquire(name, holder, ttl_s)

    busy = Leadership(Counting(database), "sequencer", lambda _fence: True, idle_s=0.01, lease_s=3600)
    assert [busy.step() for _ in range(5)] == [True] * 5
    assert len(asked) == 1
    asked.clear()
    hasty = Leadership(Counting(database), "feed", lambda _fence: True, idle_s=0.01, lease_s=0.0)
    assert hasty.step()
    assert hasty.step()
    assert len(asked) == 2


def test_leadership_gives_the_lease_back_at_the_end(database: Database) -> None:
    leases = LeaseStore(database)
    stop = Event()

    def work(fence: int) -> bool:
        stop.set()
        return False

    Leadership(leases, "sequencer", work, idle_s=0.01).run(stop)
    assert leases.holder("sequencer") is None


def test_leadership_survives_an_outage_and_a_lost_fence(database: Database) -> None:
    failures: list[Exception] = [TransientError("store away"), FenceLost("another one")]

    def work(fence: int) -> bool:
        if failures:
            raise failures.pop(0)
        return True

    leadership = Leadership(LeaseStore(database), "sequencer", work, idle_s=0.01)
    assert [leadership.step() for _ in range(3)] == [False, False, True]
