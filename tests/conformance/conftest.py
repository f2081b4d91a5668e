"""The stacks that the bus suite runs on, and the databases of the store suites."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.bus_stack import Stack, emptied
from core.store import Store, prepare_store
from services.broker import Vhosts
from services.database import Databases
from store_material import empty, fresh_store


@pytest.fixture(scope="session")
def rabbitmq_stack(_shared_vhosts: Vhosts) -> Stack:
    """One declared topology for all tests: two dozen quorum queues for each would keep the broker busy with elections."""
    stack = Stack("rabbitmq", _shared_vhosts.fresh(), f"t{uuid.uuid4().hex[:6]}")
    with stack.bus() as bus:
        bus.declare()
    return stack


@pytest.fixture(params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.external)])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Stack:
    """Each bus in turn, empty."""
    if request.param == "rabbitmq":
        return emptied(request.getfixturevalue("rabbitmq_stack"))
    stack = Stack("embedded", str(tmp_path / "bus" / "bus.db"), "hub")
    with stack.bus() as bus:
        bus.declare()
    return stack


@pytest.fixture(scope="session")
def postgres_store_url(_shared_databases: Databases) -> Iterator[str]:
    """One migrated database for all tests: making one for each would take most of the time."""
    url = _shared_databases.fresh()
    prepare_store(url)
    yield url
    _shared_databases.drop(url)


@pytest.fixture
def empty_postgres(postgres_store_url: str) -> str:
    """URL of that database, emptied."""
    empty(postgres_store_url)
    return postgres_store_url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.external)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store on each database in turn."""
    url = f"sqlite:///{tmp_path}/hub.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres")
    opened = fresh_store(url)
    yield opened
    opened.close()
