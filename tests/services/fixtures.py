"""Fixtures of RabbitMQ and PostgreSQL.

Shared, never to be stopped: ``rabbitmq_url``, ``fresh_vhost``, ``postgres_url``, ``fresh_database``.
For fault tests: ``own_broker``, ``own_postgres``; they are handed over running, and mended after the test.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import NoReturn

import pytest

from services import discovery
from services.broker import Broker, OwnBroker, Vhosts
from services.database import Databases, OwnPostgres
from services.reporting import MISSING_SERVICE


def _missing(why: discovery.ServiceMissingError) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{MISSING_SERVICE}{why}", pytrace=False)
    pytest.skip(f"{MISSING_SERVICE}{why}")


@pytest.fixture(scope="session")
def shared_broker() -> Iterator[Broker]:
    """A RabbitMQ with ``url`` and ``ctl``; other test runs may use it too."""
    with contextlib.ExitStack() as stack:
        try:
            broker = stack.enter_context(discovery.a_broker())
        except discovery.ServiceMissingError as why:
            _missing(why)
        yield broker


@pytest.fixture(scope="session")
def rabbitmq_url(shared_broker: Broker) -> str:
    """AMQP URL of the shared RabbitMQ."""
    return shared_broker.url


@pytest.fixture(scope="session")
def _shared_vhosts(shared_broker: Broker) -> Iterator[Vhosts]:
    with contextlib.closing(Vhosts(shared_broker)) as vhosts:
        yield vhosts


@pytest.fixture
def fresh_vhost(_shared_vhosts: Vhosts) -> Iterator[str]:
    """AMQP URL of an empty virtual host on the shared RabbitMQ, taken away after the test."""
    url = _shared_vhosts.fresh()
    yield url
    _shared_vhosts.give_back(url)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Administrator's URL (libpq form) of the shared PostgreSQL."""
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(discovery.a_postgres())
        except discovery.ServiceMissingError as why:
            _missing(why)
        yield url


@pytest.fixture(scope="session")
def _shared_databases(postgres_url: str) -> Databases:
    databases = Databases(postgres_url)
    databases.sweep()
    return databases


@pytest.fixture
def fresh_database(_shared_databases: Databases) -> Iterator[str]:
    """URL (libpq form) of an empty database on the shared PostgreSQL, dropped after the test."""
    url = _shared_databases.fresh()
    yield url
    _shared_databases.drop(url)


@pytest.fixture(scope="session")
def _own_broker() -> Iterator[OwnBroker]:
    try:
        broker = discovery.own_broker()
    except discovery.ServiceMissingError as why:
        _missing(why)
    with contextlib.closing(broker):
        yield broker


@pytest.fixture
def own_broker(_own_broker: OwnBroker) -> OwnBroker:
    """A RabbitMQ to stop, kill, freeze or starve; ``own_broker.vhosts.fresh()`` gives the test a place of its own."""
    _own_broker.restore()
    return _own_broker


@pytest.fixture(scope="session")
def _own_postgres() -> Iterator[OwnPostgres]:
    try:
        server = discovery.own_postgres()
    except discovery.ServiceMissingError as why:
        _missing(why)
    with contextlib.closing(server):
        yield server


@pytest.fixture
def own_postgres(_own_postgres: OwnPostgres) -> OwnPostgres:
    """A PostgreSQL to stop, kill or freeze; ``own_postgres.databases.fresh()`` gives the test a place of its own."""
    _own_postgres.restore()
    return _own_postgres
