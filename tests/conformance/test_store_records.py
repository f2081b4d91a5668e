"""Records into the library: the same outcomes on both databases, one effect whatever is repeated, raced or cut."""

import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import func, select, text

from contracts.fault import Disposition, Rule
from contracts.identity import uuid7
from contracts.outcome import Outcome
from contracts.record import Collection, Holder, SourceClass, Status
from core.errors import DataError, InternalError, TransientError, Unavailable
from core.identity import Candidate
from core.store import Store, tables
from core.store import commit as commit_module
from core.store.engine import Database
from core.store.licences import LicenceQuery
from store_material import candidate, ended, fresh_store, licence_id_of, outcomes, record, refused

CITIZEN = "11010519491231002X"
RULE = Rule(code="test.rule", en="bad", zh="错误", remedy_en="mend", remedy_zh="修正")


def count(store: Store, table: str) -> int:
    with store.database.read() as connection:
        return int(
            connection.execute(select(func.count()).select_from(tables.metadata.tables[table])).scalar_one()
        )


def test_a_first_record_is_new_and_waits_for_its_package(store: Store) -> None:
    (result,) = store.records.commit([candidate("A-1")], [])
    assert (result.outcome, result.version_no, result.package, result.known) == (Outcome.NEW, 1, True, False)
    with store.database.read() as connection:
        kinds = connection.execute(select(tables.journal_pending.c.kind)).scalars().all()
    assert kinds == ["licence.version"]


def test_a_redelivery_gets_the_stored_outcome_and_writes_nothing(store: Store) -> None:
    batch = [candidate("A-1"), candidate("A-1", order="2", note="b"), refused(Outcome.REJECTED)]
    first = store.records.commit(batch, [])
    before = {name: count(store, name) for name in tables.metadata.tables}
    again = store.records.commit(batch, [])
    assert [(r.outcome, r.licence_id, r.version_no) for r in again] == [
        (r.outcome, r.licence_id, r.version_no) for r in first
    ]
    assert all(result.known and not result.package for result in again)
    assert {name: count(store, name) for name in tables.metadata.tables} == before


def test_a_receipt_twice_in_one_batch_is_committed_once(store: Store) -> None:
    one = candidate("A-1")
    first, second = store.records.commit([one, one], [])
    assert (first.outcome, first.known) == (Outcome.NEW, False)
    assert (second.outcome, second.known) == (Outcome.NEW, True)
    assert count(store, "ledger") == 1


def test_a_source_edit_makes_a_version_and_an_older_one_never_becomes_current(store: Store) -> None:
    words = outcomes(
        store,
        [
            candidate("A-1", order="2", note="b"),
            candidate("A-1", order="3", note="c"),
            candidate("A-1", order="1", note="a"),
        ],
    )
    assert words == ["new", "newer", "stale"]
    assert store.licences.record(licence_id_of(store, "A-1")).items["KZ_NOTE"] == "c"
    history = store.licences.history(licence_id_of(store, "A-1"))
    assert [(v.version_no, v.outcome.value, v.current) for v in history.versions] == [
        (1, "new", False),
        (2, "newer", True),
        (3, "stale", False),
    ]


def test_a_stale_record_meets_the_version_of_its_own_order(store: Store) -> None:
    outcomes(store, [candidate("A-1", order="1", note="a"), candidate("A-1", order="2", note="b")])
    assert outcomes(store, [candidate("A-1", order="1", note="a")]) == ["repeat"]
    (result,) = store.records.commit([candidate("A-1", order="1", note="x")], [])
    assert (result.outcome, result.version_no) == (Outcome.CONFLICT, 1)


def test_equal_order_with_other_content_is_held_with_the_differences(store: Store) -> None:
    outcomes(store, [candidate("A-1", note="a")])
    twin = candidate("A-1", note="b", fields={"valid_until": date(2035, 1, 1)})
    (result,) = store.records.commit([twin], [])
    assert result.outcome is Outcome.CONFLICT
    detail = store.quarantine.get(twin.receipt)
    assert {(d.field, d.stored, d.submitted) for d in detail.differences} == {
        ("items.KZ_NOTE", "a", "b"),
        ("valid_until", "2034-04-30", "2035-01-01"),
    }


def test_a_package_of_an_earlier_version_is_superseded_and_only_valid_ones_are_asked_for(
    store: Store,
) -> None:
    outcomes(store, [candidate("A-1")])
    results = store.records.commit(
        [
            candidate("A-1", order="2", note="b"),
            candidate("A-1", order="3", note="c"),
            ended("B-1"),
            candidate("C-1", fields={"status": Status.LOST}),
            candidate("D-1", fields={"source_class": SourceClass.LIBRARY}),
            candidate("E-1", collection=Collection.STOCK),
        ],
        [],
    )
    assert [r.package for r in results] == [True, True, False, False, False, True]
    query = select(tables.package.c.state, tables.package.c.bulk).order_by(
        tables.package.c.licence_id, tables.package.c.version_no
    )
    with store.database.read() as connection:
        states = sorted((row[0], bool(row[1])) for row in connection.execute(query))
    assert states == [("pending", False), ("pending", True), ("superseded", False), ("superseded", False)]


def test_no_content_version_lifts_a_status(store: Store) -> None:
    assert outcomes(store, [candidate("A-1", fields={"status": Status.REVOKED})]) == ["new"]
    assert outcomes(store, [candidate("A-1", order="2", note="b")]) == ["newer"]
    assert outcomes(store, [candidate("A-1", order="3", note="c", fields={"status": Status.REVOKED})]) == [
        "newer"
    ]
    licence = licence_id_of(store, "A-1")
    assert store.licences.get(licence).status is Status.REVOKED
    assert [(e.seq, e.status, e.cause) for e in store.licences.history(licence).events] == [
        (1, Status.REVOKED, "reported")
    ]


def test_a_licence_that_had_ended_at_intake_is_history_with_its_status_event(store: Store) -> None:
    assert outcomes(store, [ended("A-1")]) == ["history"]
    (event,) = store.licences.history(licence_id_of(store, "A-1")).events
    assert (event.status, event.cause, event.effective_on) == (
        Status.EXPIRED,
        "ended-at-intake",
        date(2034, 4, 30),
    )


def test_faults_are_told_by_the_ledger_with_their_values(store: Store) -> None:
    fault = RULE.at("/x", "seen")
    one = refused(Outcome.REJECTED, (fault,))
    filtered = refused(Outcome.FILTERED, filtered_by="requested")
    outcomes(store, [one, filtered])
    assert store.ledger.entry(one.receipt).faults == (fault,)
    assert store.ledger.entry(filtered.receipt).rules == ("requested",)
    assert store.ledger.totals() == {Outcome.REJECTED: 1, Outcome.FILTERED: 1}


def test_the_raw_record_comes_back_byte_for_byte(store: Store) -> None:
    raws = [b'{"a": 1}', b"\x00\xff" * 50]
    batch = [candidate("A-1", raw_index=0), candidate("A-2", raw_index=1), candidate("A-3")]
    outcomes(store, batch, raws)
    assert [store.ledger.raw_of(one.receipt) for one in batch[:2]] == raws
    assert store.ledger.entry(batch[0].receipt).framed
    assert not store.ledger.entry(batch[2].receipt).framed


def test_two_numbers_that_differ_only_in_characters_get_different_identifiers(store: Store) -> None:
    outcomes(store, [candidate("京A1"), candidate("沪A1"), candidate("A1"), candidate("A.1")])
    found = [store.licences.get(licence_id_of(store, n)).identifier for n in ("京A1", "沪A1", "A1")]
    assert len(set(found)) == 3
    assert found[2].split(".")[7:9] == ["A1", "001"]


def test_a_supplied_identifier_of_another_licence_is_quarantined(store: Store) -> None:
    outcomes(store, [candidate("A-1")])
    taken = store.licences.get(licence_id_of(store, "A-1")).identifier
    clash = candidate("B-1", fields={"identifier": taken})
    after = candidate("B-1", order="2", note="b")
    assert outcomes(store, [clash, after]) == ["quarantined", "new"]
    assert store.ledger.entry(clash.receipt).rules == ("identifier.clash",)


def test_a_clash_on_an_unknown_licence_leaves_no_head_behind(store: Store) -> None:
    outcomes(store, [candidate("A-1")])
    taken = store.licences.get(licence_id_of(store, "A-1")).identifier
    assert outcomes(store, [candidate("B-1", fields={"identifier": taken})]) == ["quarantined"]
    assert count(store, "licence") == 1


def test_a_reissue_counts_the_identifiers_version_and_the_old_one_says_superseded(store: Store) -> None:
    outcomes(store, [candidate("A-1"), candidate("A-1", order="2", note="corrected")])
    licence = licence_id_of(store, "A-1")
    first = store.licences.get(licence).identifier
    outcomes(store, [candidate("A-1", order="3", fields={"issued_on": date(2025, 1, 1)})])
    current = store.licences.get(licence)
    assert (first[-5:-2], current.identifier[-5:-2]) == ("001", "002")
    old = store.licences.get(first)
    assert (old.superseded, old.version_no, old.current_identifier) == (True, 2, current.identifier)


def test_a_replay_under_newer_terms_makes_a_reinterpreted_version(store: Store) -> None:
    original = candidate("A-1", note="a")
    outcomes(store, [original])
    again = candidate("A-1", note="read otherwise", cause=f"replay:{original.receipt}", interface_revision=2)
    assert outcomes(store, [again]) == ["newer"]
    assert store.licences.history(licence_id_of(store, "A-1")).versions[1].cause == "reinterpreted"
    same = candidate("A-1", note="read otherwise", cause=f"replay:{original.receipt}", interface_revision=2)
    assert outcomes(store, [same]) == ["repeat"]


def random_batches(seed: int) -> list[list[Candidate]]:
    """Batches over few licences, so that every outcome occurs, with repetitions of earlier records."""
    rnd = random.Random(seed)
    sent: list[Candidate] = []
    batches = []
    for _ in range(12):
        batch = []
        for _ in range(rnd.randint(1, 15)):
            if sent and rnd.random() < 0.2:
                batch.append(rnd.choice(sent))
                continue
            fresh = candidate(
                f"A-{rnd.randint(1, 6)}",
                order=rnd.choice(["", "1", "2", "3", "4"]),
                note=rnd.choice("abc"),
                rank=rnd.choice([50, 100, 100]),
                stamp_us=rnd.randint(1, 50),
                ties=rnd.choice(["conflict", "arrival"]),
                ended=rnd.choice([None, None, None, Status.EXPIRED]),
                fixed=rnd.choice([None] * 6 + [Outcome.REJECTED, Outcome.QUARANTINED]),
                fields={
                    "issued_on": date(2024, rnd.randint(1, 3), 1),
                    "status": rnd.choice([Status.VALID, Status.SUSPENDED]),
                },
            )
            sent.append(fresh)
            batch.append(fresh)
        batches.append(batch)
    return batches


def trace_of(store: Store, batches: list[list[Candidate]]) -> list[object]:
    """All that is observable, free of ids and times."""
    seen: list[object] = [
        [(r.receipt, r.outcome, r.version_no, r.package, r.known) for r in store.records.commit(batch, [])]
        for batch in batches
    ]
    page = store.licences.find(LicenceQuery(scope="management"), limit=100).licences
    for view in sorted(page, key=lambda one: one.licence_number):
        history = store.licences.history(view.id)
        versions = [
            (v.version_no, v.identifier, v.current, v.outcome, v.cause, v.receipt, v.source_order)
            for v in history.versions
        ]
        events = [(e.seq, e.status, e.cause, e.receipt, e.effective_on) for e in history.events]
        seen.append((view.licence_number, view.status, view.version_no, view.versions, versions, events))
    seen.append([(c.receipt, c.kind, c.state, c.rules) for c in store.quarantine.page()])
    seen.append(store.ledger.totals())
    seen.append({name: count(store, name) for name in sorted(tables.metadata.tables) if name != "data_key"})
    return seen


@pytest.mark.parametrize("seed", range(6))
def test_random_batches_leave_the_same_trace_on_both_databases(
    tmp_path: Path, empty_postgres: str, seed: int
) -> None:
    traces = []
    batches = random_batches(seed)
    for url in (f"sqlite:///{tmp_path}/hub.db", empty_postgres):
        opened = fresh_store(url)
        traces.append(trace_of(opened, batches))
        opened.close()
    assert traces[0] == traces[1]


def test_the_cut_into_batches_does_not_change_what_is_stored(tmp_path: Path) -> None:
    batches = random_batches(99)
    singles = [[one] for batch in batches for one in batch]
    stores = [fresh_store(f"sqlite:///{tmp_path}/{name}.db") for name in ("whole", "single")]
    whole, single = (trace_of(opened, cut) for opened, cut in zip(stores, (batches, singles), strict=True))
    for opened in stores:
        opened.close()
    assert whole[len(batches) :][:-1] == single[len(singles) :][:-1]


def test_double_delivery_from_eight_threads_has_one_effect(store: Store) -> None:
    batch = [candidate(f"A-{n % 7}", order=str(n), note=str(n)) for n in range(30)] + [
        refused(Outcome.REJECTED)
    ]
    barrier = threading.Barrier(8)

    def deliver(_: int) -> list[tuple[object, ...]]:
        mine = random.Random(_).sample(batch, len(batch))
        barrier.wait()
        return sorted((r.receipt, r.outcome, r.version_no, r.known) for r in store.records.commit(mine, []))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(deliver, range(8)))
    assert len({tuple(row[:3] for row in answer) for answer in answers}) == 1
    assert sum(not row[3] for answer in answers for row in answer) == len(batch)
    assert count(store, "ledger") == len(batch)
    with store.database.read() as connection:
        versions = connection.execute(select(func.sum(tables.licence.c.versions))).scalar_one()
    assert count(store, "licence_version") == versions


def test_fifty_parallel_upserts_of_a_licence_give_one_current(store: Store) -> None:
    records = [candidate("A-1", order=f"{n:02d}", note=str(n)) for n in range(50)]
    with ThreadPoolExecutor(10) as pool:
        results = list(
            pool.map(lambda one: store.records.commit([one], [])[0], random.Random(5).sample(records, 50))
        )
    assert [r.outcome for r in results].count(Outcome.NEW) == 1
    history = store.licences.history(licence_id_of(store, "A-1"))
    assert [v.source_order for v in history.versions if v.current] == ["49"]
    assert sorted(v.source_order for v in history.versions) == [f"{n:02d}" for n in range(50)]
    assert [v.version_no for v in history.versions] == list(range(1, 51))


def test_versions_events_and_ledger_refuse_change_with_a_clear_error(store: Store) -> None:
    outcomes(store, [ended("A-1")])
    for table, column in (("licence_version", "cause"), ("status_event", "actor"), ("ledger", "cause")):
        for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(InternalError), store.database.begin() as connection:
                connection.execute(text(statement))
    assert count(store, "licence_version") == count(store, "ledger") == count(store, "status_event") == 1


def test_truncating_a_table_or_a_partition_is_refused(empty_postgres: str) -> None:
    opened = fresh_store(empty_postgres)
    for table in ("licence_version", "ledger", "ledger_pdefault", "journal_p0"):
        with pytest.raises(InternalError, match="2F002"), opened.database.begin() as connection:
            connection.execute(text(f"TRUNCATE {table} CASCADE"))
    opened.close()


def test_a_record_the_database_refuses_is_named_and_the_others_are_stored(empty_postgres: str) -> None:
    opened = fresh_store(empty_postgres)
    sound = [candidate(f"A-{n}") for n in range(9)]
    culprit = candidate("B-1", fields={"licence_name": "nul \x00 inside"})
    with pytest.raises(DataError) as caught:
        opened.records.commit([*sound[:5], culprit, *sound[5:]], [])
    assert caught.value.receipt == str(culprit.receipt)
    results = opened.records.commit(sound, [])
    assert [r.outcome for r in results] == [Outcome.NEW] * 9
    assert opened.ledger.outcomes([culprit.receipt]) == {}
    opened.close()


def test_a_connection_killed_in_mid_batch_is_retried_with_one_effect(empty_postgres: str) -> None:
    opened = fresh_store(empty_postgres)
    batch = [candidate(f"A-{n}") for n in range(20)]
    outcomes(opened, [candidate("warm")])
    kills = {"left": 2}

    def cut() -> None:
        if kills["left"]:
            kills["left"] -= 1
            with psycopg.connect(empty_postgres, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    original = commit_module.BatchCommit._look_behind

    def killed_within(self: commit_module.BatchCommit, fresh: list[Candidate]) -> None:
        original(self, fresh)
        cut()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commit_module.BatchCommit, "_look_behind", killed_within)
        results = opened.records.commit(batch, [])
    assert kills["left"] == 0
    assert [r.outcome for r in results] == [Outcome.NEW] * 20
    assert count(opened, "licence_version") == 21
    opened.close()


def test_a_full_disk_is_unavailable_and_tears_no_record(tmp_path: Path) -> None:
    opened = fresh_store(f"sqlite:///{tmp_path}/hub.db")
    outcomes(opened, [candidate("A-1")])
    opened.records._sleep = lambda _: None
    with opened.database.read() as connection:
        pages = int(connection.execute(text("PRAGMA page_count")).scalar_one())
    with opened.database.engine.connect() as connection:
        connection.execute(text(f"PRAGMA max_page_count = {pages + 3}"))
    batch = [candidate(f"B-{n}", note="x" * 900) for n in range(200)]
    with pytest.raises(Unavailable):
        opened.records.commit(batch, [])
    assert count(opened, "ledger") == count(opened, "licence_version") == count(opened, "licence") == 1
    opened.close()
    again = fresh_store(f"sqlite:///{tmp_path}/hub.db")
    assert set(outcomes(again, batch)) == {"new"}
    with again.database.read() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    again.close()


def planted(store: Store) -> None:
    holder = Holder(name="张三", code=CITIZEN, code_type="111")
    raw = f'{{"id": "{CITIZEN}"}}'.encode()
    fault = RULE.at("/id", CITIZEN)
    held = replace(RULE, disposition=Disposition.QUARANTINE).at("/id", CITIZEN)
    batch = [
        candidate("A-1", fields={"holders": (holder,), "items": {"KZ_ID": CITIZEN}}, raw_index=0),
        candidate(
            "A-1", note="other", fields={"holders": (holder,), "items": {"KZ_ID": CITIZEN + "x"}}, raw_index=0
        ),
        refused(Outcome.REJECTED, (fault,), raw_index=0, record=record("x", holders=(holder,))),
        refused(Outcome.QUARANTINED, (held,), raw_index=0, record=record("y", holders=(holder,))),
    ]
    assert outcomes(store, batch, [raw]) == ["new", "conflict", "rejected", "quarantined"]
    found = store.licences.find(LicenceQuery(scope="management", holder_code=CITIZEN))
    assert [view.holders[0].code for view in found.licences] == ["**************002X"]


def test_planted_personal_numbers_are_nowhere_in_the_sqlite_files(tmp_path: Path) -> None:
    opened = fresh_store(f"sqlite:///{tmp_path}/hub.db")
    planted(opened)
    for path in sorted(tmp_path.iterdir()):
        content = path.read_bytes()
        assert CITIZEN.encode() not in content
        assert CITIZEN.encode().hex().encode() not in content
    assert b"\xe5\xbc\xa0\xe4\xb8\x89" in b"".join(
        path.read_bytes() for path in tmp_path.iterdir()
    )  # names are clear
    opened.close()


def test_planted_personal_numbers_are_nowhere_in_the_postgresql_tables(empty_postgres: str) -> None:
    opened = fresh_store(empty_postgres)
    planted(opened)
    opened.close()
    with psycopg.connect(empty_postgres) as connection:
        for table in tables.metadata.tables:
            with (
                connection.cursor().copy(f'COPY "{table}" TO STDOUT')
                if table not in tables.PARTITIONED
                else (connection.cursor().copy(f'COPY (SELECT * FROM "{table}") TO STDOUT')) as rows
            ):
                content = b"".join(bytes(row) for row in rows)
            assert CITIZEN.encode() not in content
            assert CITIZEN.encode().hex().encode() not in content


def test_an_error_in_the_callers_code_rolls_back_and_passes_through(store: Store) -> None:
    def fail() -> None:
        with store.database.begin() as connection:
            connection.execute(text("INSERT INTO hub_meta (name, value) VALUES ('a', 'b')"))
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fail()
    assert count(store, "hub_meta") == 0


def test_a_locked_sqlite_file_is_transient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.store.engine._PRAGMAS", ("journal_mode=WAL", "busy_timeout=10"))
    opened = fresh_store(f"sqlite:///{tmp_path}/hub.db")
    opened.records._sleep = lambda _: None
    other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransientError):
        opened.records.commit([candidate("A-1")], [])
    other.execute("ROLLBACK")
    other.close()
    assert outcomes(opened, [candidate("A-1")]) == ["new"]
    opened.close()


def test_a_database_that_is_away_is_unavailable() -> None:
    gone = Database("postgresql://postgres@127.0.0.1:1/none")
    with pytest.raises(Unavailable), gone.read():
        pass
    gone.close()


@pytest.mark.external
def test_a_server_that_has_become_read_only_is_unavailable_and_then_served_by_new_connections(
    fresh_database: str,
) -> None:
    opened = fresh_store(fresh_database)
    opened.records._sleep = lambda _: None
    outcomes(opened, [candidate("A-1")])
    name = fresh_database.rsplit("/", 1)[1]
    with psycopg.connect(fresh_database, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        opened.database.close()
        with pytest.raises(Unavailable):
            opened.records.commit([candidate("A-2")], [])
        admin.execute("SET default_transaction_read_only = off")
        admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert outcomes(opened, [candidate("A-2", receipt=uuid7())]) == ["new"]
    opened.close()
