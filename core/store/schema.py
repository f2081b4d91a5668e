"""What guards the tables beyond their columns, triggers and grants, and the comparison of all of it with a database."""

from collections.abc import Iterator
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from core.store.engine import Database
from core.store.migrations import take_turns
from core.store.tables import INSERT_ONLY, PARTITIONED, metadata


def truncate_ddl(table: str) -> str:
    """The trigger against TRUNCATE on one PostgreSQL table; a partition needs its own."""
    return f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"


def grant_ddl(role: str) -> Iterator[str]:
    """Statements that give the application role what it needs and no more."""
    quoted = '"' + role.replace('"', '""') + '"'
    yield f"GRANT USAGE ON SCHEMA public TO {quoted}"
    for table in (*metadata.tables, "alembic_version"):
        yield f"REVOKE ALL ON {table} FROM {quoted}"
        yield f"GRANT {', '.join(sorted(_rights(table)))} ON {table} TO {quoted}"


def grant(owner: Database, role: str) -> None:
    """Gives ``role`` its rights, as the owner of the tables; PostgreSQL only."""
    with owner.begin() as connection:
        take_turns(connection)  # two grants at once fail: "tuple concurrently updated"
        for statement in grant_ddl(role):
            connection.exec_driver_sql(statement)


def compare_schema(database: Database) -> list[str]:
    """Differences between the database and what this release expects: tables, triggers, grants; empty when there is none.

    Grants are compared for the role that is connected, where another role owns the tables (PostgreSQL).
    """
    with database.read() as connection:
        found = [*_table_differences(connection), *_trigger_differences(connection)]
        role = _application_role(connection) if database.dialect == "postgresql" else ""
        return [*found, *(_grant_differences(connection, role) if role else ())]


def _application_role(connection: Connection) -> str:
    """The connected role, unless it owns the tables or there are none yet."""
    query = text(
        "SELECT current_user WHERE EXISTS (SELECT FROM pg_tables WHERE tablename = 'ledger' AND tableowner <> current_user)"
    )
    return str(connection.execute(query).scalar_one_or_none() or "")


def _rights(table: str) -> set[str]:
    if table == "alembic_version":
        return {"SELECT"}
    return {"SELECT", "INSERT"} if table in INSERT_ONLY else {"SELECT", "INSERT", "UPDATE", "DELETE"}


def _table_differences(connection: Connection) -> Iterator[str]:
    def ours(name: str | None, kind: str, _parents: Any) -> bool:
        return not (kind == "table" and _is_partition(str(name)))

    options = {"compare_type": True, "include_name": ours}
    for difference in compare_metadata(MigrationContext.configure(connection, opts=options), metadata):
        yield f"table: {_shown(difference)}"


def _shown(difference: Any) -> str:
    if isinstance(difference, list):
        return "; ".join(_shown(part) for part in difference)
    return " ".join(str(getattr(part, "name", part)) for part in difference if part is not None)


def _is_partition(name: str) -> bool:
    table, _, rest = name.rpartition("_p")
    return table in PARTITIONED and (rest == "default" or rest[:1].isdigit())


def _trigger_differences(connection: Connection) -> Iterator[str]:
    present = {(row[0], row[1]) for row in connection.execute(text(_TRIGGERS[connection.dialect.name]))}
    for table in INSERT_ONLY:
        for name in _expected_triggers(connection.dialect.name, table):
            if (table, name) not in present:
                yield f"trigger: {name} is missing on {table}"
    if connection.dialect.name == "postgresql":
        for partition, table in connection.execute(text(_PARTITIONS)):
            name = f"{partition}_no_truncate"
            if table in INSERT_ONLY and (partition, name) not in present:
                yield f"trigger: {name} is missing on {partition}"


def _expected_triggers(dialect: str, table: str) -> tuple[str, str]:
    if dialect == "postgresql":
        return (f"{table}_insert_only", f"{table}_no_truncate")
    return (f"{table}_no_update", f"{table}_no_delete")


_PARTITIONS = "SELECT inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits"
_TRIGGERS = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')",
}


def _grant_differences(connection: Connection, role: str) -> Iterator[str]:
    held: dict[str, set[str]] = {}
    query = text(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = :role"
    )
    for table, right in connection.execute(query, {"role": role}):
        held.setdefault(str(table), set()).add(str(right))
    for table in metadata.tables:
        wanted, has = _rights(table), held.get(table, set())
        for right in sorted(wanted - has):
            yield f"grant: {role} lacks {right} on {table}"
        for right in sorted(has - wanted):
            yield f"grant: {role} must not have {right} on {table}"
