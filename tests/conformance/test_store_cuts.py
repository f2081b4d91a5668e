"""Records raced, cut, refused and spied on: one effect, no torn record, nothing changed afterwards, nothing in clear."""

import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import func, select, text

from contracts.fault import Disposition, Rule
from contracts.identity import uuid7
from contracts.outcome import Outcome
from contracts.record import Holder
from core.errors import DataError, InternalError, TransientError, Unavailable
from core.identity import Candidate
from core.store import Store, tables
from core.store import commit as commit_module
from core.store.engine import Database
from core.store.licences import LicenceQuery
from store_material import candidate, count, ended, fresh_store, licence_id_of, outcomes, record, refused

CITIZEN = "11010519491231002X"
RULE = Rule(code="test.rule", en="bad", zh="错误", remedy_en="mend", remedy_zh="修正")


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


@pytest.mark.parametrize(
    "unfit", [{"stamp_us": 2**70}, {"source_order": "lone \ud800"}], ids=["number too large", "not Unicode"]
)
def test_a_record_the_database_refuses_is_named_and_the_others_are_stored(
    store: Store, unfit: dict[str, Any]
) -> None:
    sound = [candidate(f"A-{n}", raw_index=n) for n in range(9)]
    raws = [bytes([n]) for n in range(9)]
    culprit = candidate("B-1", **unfit)
    with pytest.raises(DataError) as caught:
        store.records.commit([*sound[:5], culprit, *sound[5:]], raws)
    assert caught.value.receipt == str(culprit.receipt)
    results = store.records.commit(sound, raws)
    assert [r.outcome for r in results] == [Outcome.NEW] * 9
    assert [store.ledger.raw_of(one.receipt) for one in sound] == raws
    assert store.ledger.outcomes([culprit.receipt]) == {}


def test_a_text_only_postgresql_refuses_is_a_data_error(empty_postgres: str) -> None:
    opened = fresh_store(empty_postgres)
    culprit = candidate("B-1", fields={"licence_name": "nul \x00 inside"})
    with pytest.raises(DataError) as caught:
        opened.records.commit([candidate("A-1"), culprit], [])
    assert caught.value.receipt == str(culprit.receipt)
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
