"""The shelf of wrapped keys in the store (core.keyring.KeyShelf)."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from core.keyring import WrappedKey
from core.store.engine import Database
from core.store.tables import data_key


class StoredKeys:
    """Wrapped keys as rows of ``data_key``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> list[WrappedKey]:
        columns = (
            data_key.c.key_id,
            data_key.c.purpose,
            data_key.c.wrapped,
            data_key.c.master_id,
            data_key.c.created_ms,
        )
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).order_by(data_key.c.key_id))
            return [
                WrappedKey(
                    key_id=row[0], purpose=row[1], wrapped=bytes(row[2]), master_id=row[3], created_ms=row[4]
                )
                for row in rows
            ]

    def add(self, key: WrappedKey) -> None:
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        values = {name: getattr(key, name) for name in WrappedKey.__struct_fields__}
        with self._database.begin() as connection:
            connection.execute(insert(data_key).values(**values).on_conflict_do_nothing())

    def rewrap(self, keys: Sequence[WrappedKey]) -> None:
        with self._database.begin() as connection:
            for key in keys:
                change = update(data_key).where(data_key.c.key_id == key.key_id)
                connection.execute(change.values(wrapped=key.wrapped, master_id=key.master_id))
