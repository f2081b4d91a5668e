"""A gateway's view of the registry while the schema changes below it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from core.interfaces import InterfaceDirectory, poll
from core.store import open_store, prepare_store
from services.process import wait_until
from store_material import MASTER


class Counting(InterfaceDirectory):
    """Counts the readings that went well."""

    readings = 0

    def refresh(self) -> None:
        super().refresh()
        self.readings += 1


@contextmanager
def polled(url: str) -> Iterator[Counting]:
    store, stop = open_store(url, master=MASTER), threading.Event()
    directory = Counting(store.registry.snapshot)
    thread = threading.Thread(target=poll, args=(directory, stop, 0.01))
    thread.start()
    try:
        yield directory
    finally:
        stop.set()
        thread.join()
        store.close()


def await_readings(directory: Counting, more: int) -> None:
    wanted = directory.readings + more
    wait_until(lambda: directory.readings >= wanted, timeout_s=20, what="the registry to be read again")


def test_polling_goes_on_after_a_migration_has_changed_what_its_statement_gives(
    fresh_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    prepare_store(fresh_database)
    with polled(fresh_database) as directory:
        await_readings(directory, 20)  # often enough for the driver to prepare the statement
        with psycopg.connect(fresh_database) as owner:
            owner.execute("ALTER TABLE registry_entry ALTER COLUMN name TYPE varchar(128)")
        await_readings(directory, 20)
    assert "reading the registry fails" in caplog.text
