"""Schema migrations: Alembic revisions whose statements are frozen SQL, one file per database.

Several processes may start at once: they take turns under a lock. Everything runs in one transaction, so a killed migration
leaves nothing behind and the next start does it again.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from core.store.engine import Database, driver_connection

HERE = Path(__file__).parent
SEPARATOR = "--;"
"""Line between two statements of a frozen file (trigger bodies hold semicolons of their own)."""

_LOCK = 0x4C48_5542  # advisory lock of the migrations on PostgreSQL: "LHUB"


def migrate(database: Database) -> str:
    """Brings the schema to the newest revision and returns its name; safe to call from any number of processes."""
    wanted = head_revision()
    if current_revision(database) == wanted:
        return wanted
    with database.begin() as connection:
        if database.dialect == "postgresql":
            take_turns(connection)
        if _revision_of(connection) != wanted:
            command.upgrade(_config(connection), "head")
    return wanted


def take_turns(connection: Connection) -> None:
    """Waits, until the transaction ends, for every other process that changes the schema or its rights (PostgreSQL)."""
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def head_revision() -> str:
    """The newest revision this release knows."""
    return str(ScriptDirectory.from_config(_config(None)).get_current_head())


def current_revision(database: Database) -> str:
    """The revision the database is at; empty before the first migration."""
    with database.read() as connection:
        return _revision_of(connection)


def run_frozen(connection: Connection, name: str) -> None:
    """Runs the statements of ``sql/<name>.<dialect>.sql`` in the connection's transaction."""
    content = (HERE / "sql" / f"{name}.{connection.dialect.name}.sql").read_text("utf-8")
    for statement in content.split(f"{SEPARATOR}\n"):
        if statement.strip():
            driver_connection(connection).execute(statement)


def _revision_of(connection: Connection) -> str:
    return MigrationContext.configure(connection).get_current_revision() or ""


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
