"""Schema: migrations that may be raced and killed, what guards the tables, and the comparison that would show a loss."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import text

from contracts.identity import uuid7
from contracts.record import Attachment
from core.errors import ConfigError, InternalError
from core.keyring import Keyring
from core.store import Store, migrations, open_store, prepare_store
from core.store.engine import Database
from core.store.keys import StoredKeys
from core.store.migrations import current_revision, head_revision, migrate
from core.store.partitions import ensure_partitions
from core.store.schema import compare_schema
from core.store.tables import INSERT_ONLY
from services.process import wait_until
from store_material import candidate, outcomes

NOVEMBER_MS = 1_793_500_000_000  # 2026-11-01


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.external)])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    url = f"sqlite:///{tmp_path}/hub.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_database")
    opened = Database(url)
    yield opened
    opened.close()


def url_of(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def test_a_migrated_database_is_as_the_tables_say(blank: Database) -> None:
    assert current_revision(blank) == ""
    assert migrate(blank) == head_revision() == current_revision(blank)
    assert compare_schema(blank) == []
    ensure_partitions(blank)
    assert compare_schema(blank) == []


def test_a_store_of_the_first_revision_is_brought_to_this_one(blank: Database) -> None:
    with blank.begin() as connection:
        command.upgrade(migrations._config(connection), "0001")
    assert current_revision(blank) == "0001"
    assert "add_table attachment" in "\n".join(compare_schema(blank))
    assert migrate(blank) == head_revision()
    assert compare_schema(blank) == []


def test_processes_that_start_together_migrate_once(blank: Database) -> None:
    databases = [Database(url_of(blank)) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(migrate, databases)) == {head_revision()}
    for database in databases:
        database.close()
    assert compare_schema(blank) == []


KILLED = """
import os, signal, sys
from core.store.engine import Database
from core.store import migrations
run, left = migrations.driver_connection, int(sys.argv[2])
def counted(connection):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return run(connection)
migrations.driver_connection = counted
migrations.migrate(Database(sys.argv[1]))
"""


@pytest.mark.parametrize("step", [1, 30, 60])
def test_a_migration_killed_on_its_way_is_done_by_the_next_start(blank: Database, step: int) -> None:
    code = [sys.executable, "-c", KILLED, url_of(blank), str(step)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(code, env=environment, capture_output=True, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert current_revision(blank) == ""
    migrate(blank)
    assert compare_schema(blank) == []


def test_a_lost_trigger_column_or_index_is_named(blank: Database) -> None:
    migrate(blank)
    name = "ledger_insert_only" if blank.dialect == "postgresql" else "ledger_no_update"
    with blank.begin() as connection:
        connection.execute(
            text(f"DROP TRIGGER {name}{' ON ledger' if blank.dialect == 'postgresql' else ''}")
        )
        connection.execute(text("DROP INDEX ix_licence_number"))
        connection.execute(text("ALTER TABLE manifest DROP COLUMN missing"))
        connection.execute(text("CREATE TABLE stranger (x INTEGER)"))
    found = "\n".join(compare_schema(blank))
    assert f"trigger: {name} is missing on ledger" in found
    assert "ix_licence_number" in found
    assert "add_column" in found
    assert "remove_table stranger" in found
    assert len(found.splitlines()) == 4


def test_a_partition_that_could_be_truncated_is_named(fresh_database: str) -> None:
    database = Database(fresh_database)
    migrate(database)
    with database.begin() as connection:
        connection.execute(text("DROP TRIGGER ledger_pdefault_no_truncate ON ledger_pdefault"))
    assert compare_schema(database) == ["trigger: ledger_pdefault_no_truncate is missing on ledger_pdefault"]
    database.close()


def test_partitions_are_made_ahead_and_only_once(fresh_database: str) -> None:
    database = Database(fresh_database)
    migrate(database)
    made = ensure_partitions(database, months_ahead=2, now_ms=NOVEMBER_MS)
    assert made == [
        *(
            f"{table}_p{month}"
            for table in ("ledger", "raw_frame")
            for month in ("2026_11", "2026_12", "2027_01")
        ),
        "journal_p0",
        "journal_p1",
    ]
    assert ensure_partitions(database, months_ahead=2, now_ms=NOVEMBER_MS) == []
    database.close()


def test_rows_go_to_the_partition_of_their_month_and_never_find_none(store: Store) -> None:
    if store.database.dialect == "sqlite":
        assert ensure_partitions(store.database) == []
        return
    ensure_partitions(store.database, months_ahead=0, now_ms=NOVEMBER_MS)
    batch = [
        candidate("A-1", receipt=uuid7(NOVEMBER_MS + 1000)),
        candidate("A-2", receipt=uuid7(1_000_000_000_000)),
    ]
    outcomes(store, batch)
    with store.database.read() as connection:
        rows = (
            connection.execute(text("SELECT tableoid::regclass::text FROM ledger ORDER BY receipt"))
            .scalars()
            .all()
        )
    assert rows == ["ledger_pdefault", "ledger_p2026_11"]
    assert ensure_partitions(store.database, months_ahead=0, now_ms=1_000_000_000_000) == [
        "raw_frame_p2001_09"
    ]


@pytest.fixture
def roles(fresh_database: str) -> Iterator[tuple[str, str]]:
    """URLs of a migration role and an application role on one database."""
    owner, application = (f"hub_{kind}_{os.getpid()}" for kind in ("owner", "app"))
    host = fresh_database.split("@")[1]
    with psycopg.connect(fresh_database, autocommit=True) as admin:
        for role in (owner, application):
            admin.execute(f"CREATE ROLE {role} LOGIN")
        admin.execute(f"ALTER SCHEMA public OWNER TO {owner}")
    yield (f"postgresql://{owner}@{host}", f"postgresql://{application}@{host}")
    with psycopg.connect(fresh_database, autocommit=True) as admin:
        for role in (owner, application):
            admin.execute(f"DROP OWNED BY {role} CASCADE")
            admin.execute(f"DROP ROLE {role}")


def test_the_application_role_can_work_but_not_change_what_is_written(roles: tuple[str, str]) -> None:
    owner_url, application_url = roles
    prepare_store(application_url, owner_url)
    database = Database(application_url)
    assert compare_schema(database) == []
    store = Store(database, Keyring(bytes(32), StoredKeys(database)))
    assert outcomes(store, [candidate("A-1"), candidate("A-1", order="2", note="b")]) == ["new", "newer"]
    file = Attachment(
        digest=store.attachments.put(uuid7(), b"page", "image/png").hex(),
        media_type="image/png",
        size_bytes=4,
    )
    assert outcomes(store, [candidate("A-2", fields={"scans": (file,)})]) == ["new"]
    store.attachments.put(uuid7(), b"stray", "image/png")
    assert store.attachments.purge(2**62) == 1
    for table in INSERT_ONLY:
        for statement in (
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        ):
            with pytest.raises(InternalError, match="42501"), database.begin() as connection:
                connection.execute(text(statement))
    store.close()


def test_processes_that_start_together_give_the_rights_one_after_the_other(roles: tuple[str, str]) -> None:
    owner_url, application_url = roles
    prepare_store(application_url, owner_url)
    start = threading.Barrier(6)

    def process(_number: int) -> str:
        start.wait(10)
        return prepare_store(application_url, owner_url)

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(process, range(6))) == {head_revision()}


def test_a_right_too_many_or_too_few_is_named(roles: tuple[str, str]) -> None:
    owner_url, application_url = roles
    prepare_store(application_url, owner_url)
    owner, application = Database(owner_url), Database(application_url)
    role = str(application.url.username)
    with owner.begin() as connection:
        connection.execute(text(f"GRANT UPDATE ON ledger TO {role}"))
        connection.execute(text(f"REVOKE INSERT ON package FROM {role}"))
    assert compare_schema(owner) == []
    assert sorted(compare_schema(application)) == [
        f"grant: {role} lacks INSERT on package",
        f"grant: {role} must not have UPDATE on ledger",
    ]
    owner.close()
    application.close()


def test_a_store_that_cannot_be_opened_leaves_no_connection(fresh_database: str) -> None:
    prepare_store(fresh_database)
    open_store(fresh_database, master=bytes(32)).close()
    for _attempt in range(3):
        with pytest.raises(ConfigError):
            open_store(fresh_database, master=bytes([1]) * 32)
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(fresh_database, autocommit=True) as admin:

        def is_alone() -> bool:
            row = admin.execute(others).fetchone()
            return row is not None and row[0] == 0

        wait_until(is_alone, timeout_s=5, what="the end of the connections")
