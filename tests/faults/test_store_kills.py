"""The store under kill -9, restarts of its database and writers side by side: nothing lost, nothing twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from core.errors import TransientError, Unavailable
from core.keyring import Keyring
from core.store import Store, tables
from core.store.engine import Database
from core.store.keys import StoredKeys
from services.database import OwnPostgres
from store_material import MASTER, MIXED_OUTCOMES, candidate, fresh_store, mixed_batch, outcomes

pytestmark = pytest.mark.faults

KILLED_COMMIT = """
import json, os, signal, sys
import store_material
from core.store import commit, heads, open_store, writing
url, step = sys.argv[1], int(sys.argv[2])
def counted(function):
    def call(*args):
        global step
        step -= 1
        if step == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args)
    return call
store = open_store(url, master=store_material.MASTER)
for module in (commit, heads, writing):
    for name in ("insert_rows", "update_rows", "rows_within", "driver_connection"):
        if hasattr(module, name):
            setattr(module, name, counted(getattr(module, name)))
print(json.dumps(store_material.outcomes(store, store_material.mixed_batch(), [b"raw"])))
store.close()
"""
WRITER = """
import json, sys
import store_material
from core.store import open_store
url, name = sys.argv[1], sys.argv[2]
store = open_store(url, master=store_material.MASTER)
words = []
for number in range(int(sys.argv[3])):
    own = store_material.candidate(f"{name}-{number}")
    shared = store_material.candidate("SHARED", order=f"{number:04d}{name}", note=f"{number}{name}")
    words += store_material.outcomes(store, [own, shared])
print(json.dumps(words))
store.close()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a store on each database."""
    return (
        request.getfixturevalue("fresh_database")
        if request.param == "postgresql"
        else f"sqlite:///{tmp_path}/hub.db"
    )


def python(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def counts(store: Store) -> dict[str, int]:
    with store.database.read() as connection:
        return {
            name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
            for name, table in tables.metadata.tables.items()
        }


def test_a_commit_killed_at_any_step_leaves_nothing_and_is_done_once_in_the_end(url: str) -> None:
    store = fresh_store(url)
    outcomes(store, [candidate("A-1")])
    before = counts(store)
    step, output = 0, b""
    while not output:
        step += 1
        process = python(KILLED_COMMIT, url, str(step))
        output, error = process.communicate(timeout=60)
        assert process.returncode in {0, -signal.SIGKILL}, error.decode()
        assert output or counts(store) == before
    assert step > 12
    assert json.loads(output) == MIXED_OUTCOMES
    after = counts(store)
    assert all(
        after[name] > before[name]
        for name in ("licence_version", "status_event", "quarantine_case", "raw_frame", "package")
    )
    results = store.records.commit(mixed_batch(), [b"raw"])
    assert [result.outcome.value for result in results] == MIXED_OUTCOMES
    assert all(result.known for result in results)
    assert counts(store) == after
    store.close()


def test_writing_processes_side_by_side_are_never_told_that_the_database_is_locked(url: str) -> None:
    store = fresh_store(url)
    writers = [python(WRITER, url, name, "40") for name in ("A", "B", "C", "D")]
    finished = [writer.communicate(timeout=110) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4, [error.decode() for _, error in finished]
    words = [word for output, _ in finished for word in json.loads(output)]
    assert words.count("new") == 4 * 40 + 1
    assert set(words) == {"new", "newer", "stale"}
    assert counts(store)["ledger"] == counts(store)["licence_version"] == 4 * 40 * 2
    with store.database.read() as connection:
        order = select(tables.licence.c.source_order).where(tables.licence.c.licence_number == "SHARED")
        assert connection.execute(order).scalar_one() == "0039D"
    store.close()


def test_a_restarted_database_is_used_again_without_a_restart_of_the_hub(own_postgres: OwnPostgres) -> None:
    store = fresh_store(own_postgres.databases.fresh())
    store.records._sleep = lambda _: None
    outcomes(store, [candidate("A-1")])
    own_postgres.kill()
    late = candidate("A-2")
    with pytest.raises(Unavailable):
        store.records.commit([late], [])
    own_postgres.start()
    until = time.monotonic() + 30
    words: list[str] = []
    while not words and time.monotonic() < until:
        try:
            words = outcomes(store, [late])
        except Unavailable:
            continue
    assert words == ["new"]
    assert counts(store)["ledger"] == 2
    store.close()


def test_a_lock_held_elsewhere_is_told_as_busy_within_its_time_out(fresh_database: str) -> None:
    fresh_store(fresh_database).close()
    database, other = Database(fresh_database, lock_timeout_s=0.3), Database(fresh_database)
    store = Store(database, Keyring(MASTER, StoredKeys(database)))
    store.records._sleep = lambda _: None
    outcomes(store, [candidate("A-1")])
    newer = candidate("A-1", order="2", note="b")
    with other.begin() as holder:
        holder.execute(text("SELECT id FROM licence FOR UPDATE"))
        with pytest.raises(TransientError, match="55P03"):
            store.records.commit([newer], [])
    assert outcomes(store, [newer]) == ["newer"]
    store.close()
    other.close()
