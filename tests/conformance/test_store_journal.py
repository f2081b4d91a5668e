"""Journal, leases, feeds, alerts, links and jobs: one suite over both databases."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text, update

from core import merkle
from core.errors import FenceLost, HubError
from core.ports.signer import Algorithm
from core.store import journal as journals
from core.store.alerts import AlertStore
from core.store.engine import Database
from core.store.jobs import JobStore
from core.store.journal import JournalStore, canonical
from core.store.leases import LeaseStore
from core.store.links import LinkStore
from core.store.migrations import migrate
from core.store.subscriptions import SubscriptionStore
from core.store.tables import lease, one_time_link


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/hub.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_database")
    opened = Database(url)
    migrate(opened)
    yield opened
    opened.close()


class HashSigner:
    """Signs by hashing: enough to see what was signed."""

    key_id = "test"
    algorithm = Algorithm.ED25519
    certificate = b""
    chain = ()

    def sign(self, messages: Any) -> list[bytes]:
        return [hashlib.sha256(message).digest() for message in messages]


def recomputed_root(journal: JournalStore) -> bytes:
    leaves = [
        merkle.leaf_hash(merkle.entry_content(row.number, row.id, row.kind, row.subject, row.at_ms, row.data))
        for batch in journal.rows()
        for row in batch
    ]
    return merkle.root(merkle.append(b"", 0, leaves)[0])


def test_pending_entries_get_dense_numbers_and_a_root_anybody_can_recompute(database: Database) -> None:
    journal = JournalStore(database)
    for n in range(7):
        journal.record("licence.version", f"licence-{n}", {"interface": "a", "outcome": "new", "n": n})
    moved = [journal.sequence(1, limit=3) for _ in range(4)]
    assert moved == [3, 3, 1, 0]
    assert [change.number for change in journal.entries(-1)] == list(range(7))
    assert journal.pending() == 0
    assert journal.head().size == 7
    assert journal.head().root == recomputed_root(journal)


def test_a_sequencer_with_an_old_fence_writes_nothing(database: Database) -> None:
    journal = JournalStore(database)
    journal.record("interface.changed", "a", {})
    assert journal.sequence(5) == 1
    journal.record("interface.changed", "b", {})
    with pytest.raises(FenceLost):
        journal.sequence(4)
    assert journal.head().size == 1
    assert journal.pending() == 1


def test_an_old_sequencer_that_is_slow_to_commit_and_the_new_one_number_each_entry_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = JournalStore(database), JournalStore(database)
    for subject in "abc":
        old.record("interface.changed", subject, {})
    about_to_commit, waits = threading.Event(), threading.Event()
    fold, begin = journals._fold, Database.begin

    def slow(connection: Connection, pending: Any) -> None:
        fold(connection, pending)
        about_to_commit.set()
        waits.wait(5)

    @contextmanager
    def announced(self: Database) -> Iterator[Connection]:
        if threading.current_thread() is not threading.main_thread() and about_to_commit.is_set():
            threading.Timer(0.3, waits.set).start()  # by then the new sequencer waits for the old one's lock
        with begin(self) as connection:
            yield connection

    monkeypatch.setattr(journals, "_fold", slow)
    monkeypatch.setattr(Database, "begin", announced)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(old.sequence, 1)
        assert about_to_commit.wait(5)
        second = pool.submit(new.sequence, 2)
        assert (first.result(), second.result()) == (3, 0)
    assert sorted(change.subject for change in new.entries(-1)) == ["a", "b", "c"]
    assert new.head().root == recomputed_root(new)
    assert new.pending() == 0


def test_entries_are_counted_per_day_interface_kind_and_outcome(database: Database) -> None:
    journal = JournalStore(database)
    for outcome in ("new", "new", "newer"):
        journal.record("licence.version", "x", {"interface": "a", "outcome": outcome})
    journal.sequence(1)
    journal.record("licence.version", "x", {"interface": "a", "outcome": "new"})
    journal.sequence(1)
    assert {(row.interface, row.kind, row.detail): row.n for row in journal.counters()} == {
        ("a", "licence.version", "new"): 3,
        ("a", "licence.version", "newer"): 1,
    }


def test_a_checkpoint_is_signed_once_per_size_over_hub_size_and_root(database: Database) -> None:
    journal = JournalStore(database)
    assert journal.sign_head(HashSigner()) is None
    journal.record("interface.changed", "a", {})
    journal.sequence(1)
    signed = journal.sign_head(HashSigner())
    assert signed is not None
    assert journal.sign_head(HashSigner()) is None
    content = merkle.checkpoint_content(journal.hub_id(), 1, recomputed_root(journal), signed.at_ms)
    assert signed.signature == hashlib.sha256(content).digest()
    assert journal.checkpoints() == [signed]
    assert journal.hub_id()


def test_the_journal_refuses_updates_and_deletes(database: Database) -> None:
    journal = JournalStore(database)
    journal.record("interface.changed", "a", {})
    journal.sequence(1)
    for statement in ("update journal set kind = 'x'", "delete from journal"):
        with pytest.raises(HubError), database.begin() as connection:
            connection.execute(text(statement))
    assert journal.entries(-1)[0].kind == "interface.changed"


def test_canonical_data_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical({"b": 1, "a": "值"}) == canonical({"a": "值", "b": 1}) == '{"a":"值","b":1}'.encode()


def expire(database: Database, name: str) -> None:
    with database.begin() as connection:
        connection.execute(update(lease).where(lease.c.name == name).values(expires_ms=0))


def test_a_lease_has_one_holder_and_its_fence_rises_with_each_change(database: Database) -> None:
    leases = LeaseStore(database)
    assert leases.acquire("sequencer", "a", 60) == 1
    assert leases.acquire("sequencer", "a", 60) == 1
    assert leases.acquire("sequencer", "b", 60) is None
    assert leases.holder("sequencer") == "a"
    expire(database, "sequencer")
    assert leases.acquire("sequencer", "b", 60) == 2
    leases.release("sequencer", "a")
    assert leases.holder("sequencer") == "b"
    leases.release("sequencer", "b")
    assert leases.holder("sequencer") is None


def test_of_eight_processes_that_want_a_lease_at_once_one_gets_it(database: Database) -> None:
    leases = LeaseStore(database)
    with ThreadPoolExecutor(8) as pool:
        fences = list(pool.map(lambda n: leases.acquire("scheduler", f"holder-{n}", 60), range(8)))
    assert sorted(fences, key=str) == [1] + [None] * 7


def test_a_feed_moves_on_acknowledgement_waits_after_failure_and_stops_for_good(database: Database) -> None:
    feeds = SubscriptionStore(database)
    assert feeds.progress("city").delivered == -1
    feeds.delivered("city", 1, 41)
    feeds.failed("city", 1, 3, delay_s=60)
    waiting = feeds.progress("city")
    assert (waiting.delivered, waiting.failures, feeds.is_due(waiting)) == (41, 3, False)
    feeds.stopped("city", 1, "answered 410")
    assert feeds.progress("city").stopped == "answered 410"
    feeds.resume("city")
    assert feeds.is_due(feeds.progress("city"))
    feeds.delivered("city", 2, 42)
    with pytest.raises(FenceLost):
        feeds.delivered("city", 1, 43)
    assert feeds.all()[0].delivered == 42


def test_an_alert_is_raised_once_closed_once_and_both_are_journaled(database: Database) -> None:
    alerts, journal = AlertStore(database), JournalStore(database)
    assert alerts.raise_once("silent", "a", {"expected_s": 60})
    assert not alerts.raise_once("silent", "a", {"expected_s": 60})
    assert [alert.detail for alert in alerts.open()] == [{"expected_s": 60}]
    assert alerts.close("silent", "a")
    assert not alerts.close("silent", "a")
    assert alerts.raise_once("silent", "a", {"expected_s": 60})
    journal.sequence(1)
    assert sorted(change.kind for change in journal.entries(-1)) == [
        "alert.closed",
        "alert.raised",
        "alert.raised",
    ]
    assert len(alerts.recent()) == 2


def test_a_link_opens_its_target_once_and_not_after_its_time(database: Database) -> None:
    links = LinkStore(database)
    token = links.issue("face:1")
    assert links.redeem("something else") is None
    assert links.redeem(token) == "face:1"
    assert links.redeem(token) is None
    late = links.issue("face:2", ttl_s=-1)
    assert links.redeem(late) is None
    with database.read() as connection:
        stored = list(connection.execute(select(one_time_link.c.token)).scalars())
    assert token.encode() not in b"".join(bytes(value) for value in stored)


def test_a_job_keeps_its_last_success_beside_its_failures(database: Database) -> None:
    jobs = JobStore(database)
    jobs.ran("silence")
    jobs.ran("silence", error="unavailable")
    (run,) = jobs.all()
    assert (run.runs, run.failures, run.detail) == (2, 1, "unavailable")
    assert run.last_succeeded_ms is not None
    assert run.last_started_ms is not None
    assert run.last_started_ms >= run.last_succeeded_ms
