"""The services the other tests stand on do what their names promise."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pika
import pika.exceptions
import psycopg
import pytest

from services import broker as rabbitmq
from services import database as postgres
from services import discovery
from services.broker import Broker, OwnBroker, Vhosts
from services.database import OwnPostgres

pytest_plugins = ["pytester"]


def _queues(broker: Broker, url: str) -> list[str]:
    return broker.ctl("-q", "list_queues", "-p", url.rsplit("/", 1)[1], "name", "--no-table-headers").split()


def _publish(url: str, queue: str, body: bytes) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True)
        channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2), mandatory=True)
    finally:
        connection.close()


def _take(url: str, queue: str) -> bytes | None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        body: bytes | None = connection.channel().basic_get(queue, auto_ack=True)[2]
    finally:
        connection.close()
    return body


def test_a_fresh_vhost_is_empty_and_of_its_own(
    shared_broker: Broker, rabbitmq_url: str, fresh_vhost: str
) -> None:
    assert fresh_vhost != rabbitmq_url
    assert _queues(shared_broker, fresh_vhost) == []
    _publish(fresh_vhost, "letters", b"one")
    assert _queues(shared_broker, fresh_vhost) == ["letters"]
    assert "letters" not in shared_broker.ctl("-q", "list_queues", "name")


def test_vhosts_that_are_done_with_do_not_pile_up(shared_broker: Broker) -> None:
    with contextlib.closing(Vhosts(shared_broker)) as vhosts:
        for _ in range(6):
            vhosts.give_back(vhosts.fresh())
            listed = shared_broker.ctl("-q", "list_vhosts", "name", "--no-table-headers").split()
            assert 1 <= sum(name.startswith(vhosts.prefix) for name in listed) <= 2


def test_a_fresh_database_is_empty_and_writable(fresh_database: str, postgres_url: str) -> None:
    assert fresh_database != postgres_url
    with psycopg.connect(fresh_database) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        connection.execute("CREATE TABLE licence (number text)")
        encoding = connection.execute("SHOW server_encoding").fetchone()
    assert (tables, encoding) == ((0,), ("UTF8",))


@pytest.mark.faults
def test_our_broker_keeps_confirmed_messages_when_it_is_killed(own_broker: OwnBroker) -> None:
    url = own_broker.vhosts.fresh()
    _publish(url, "letters", b"one")
    own_broker.settle()
    own_broker.kill()
    assert not rabbitmq.answers(url)
    own_broker.start()
    assert _take(url, "letters") == b"one"


@pytest.mark.faults
def test_our_broker_is_handed_over_running_after_a_test_stopped_it(own_broker: OwnBroker) -> None:
    own_broker.stop()
    assert not rabbitmq.answers(own_broker.url)
    own_broker.restore()
    assert rabbitmq.answers(own_broker.url)


@pytest.mark.faults
def test_our_broker_can_be_frozen_and_thawed(own_broker: OwnBroker) -> None:
    own_broker.pause()
    assert not rabbitmq.answers(own_broker.url)
    own_broker.resume()
    assert rabbitmq.answers(own_broker.url)


@pytest.mark.faults
def test_a_memory_alarm_blocks_publishers_until_it_is_cleared(own_broker: OwnBroker) -> None:
    url = own_broker.vhosts.fresh()
    _publish(url, "letters", b"before")
    own_broker.set_memory_alarm()
    parameters = pika.URLParameters(url)
    parameters.blocked_connection_timeout = 1
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.confirm_delivery()
    with pytest.raises(pika.exceptions.ConnectionBlockedTimeout):
        channel.basic_publish("", "letters", b"blocked")
    own_broker.restore()
    _publish(url, "letters", b"after")
    assert _take(url, "letters") == b"before"


def test_restarts_of_brokers_are_capped_in_ci(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(OwnBroker, "restarts", rabbitmq.RESTARTS_IN_CI - 1)
    with contextlib.closing(OwnBroker(tmp_path)) as broker:
        broker._count_start()
        broker._count_start()
        with pytest.raises(RuntimeError, match="more than 20 times"):
            broker._count_start()


@pytest.mark.faults
def test_our_postgres_keeps_what_was_committed_when_it_is_killed(own_postgres: OwnPostgres) -> None:
    url = own_postgres.databases.fresh()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE licence AS SELECT 'A1' AS number")
    own_postgres.kill()
    assert not postgres.answers(url)
    own_postgres.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT number FROM licence").fetchall() == [("A1",)]
    own_postgres.databases.drop(url)


@pytest.mark.faults
def test_our_postgres_cuts_its_clients_when_it_stops(own_postgres: OwnPostgres) -> None:
    with psycopg.connect(own_postgres.url) as connection:
        own_postgres.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert not postgres.answers(own_postgres.url)


@pytest.mark.faults
def test_our_postgres_can_be_frozen_and_thawed(own_postgres: OwnPostgres) -> None:
    own_postgres.pause()
    assert not postgres.answers(own_postgres.url)
    own_postgres.resume()
    assert postgres.answers(own_postgres.url)


@pytest.mark.faults
def test_our_servers_die_with_the_process_that_started_them(tmp_path: Path) -> None:
    if postgres.installed_programs() is None:
        pytest.skip("missing service: PostgreSQL of our own: install postgresql")
    script = tmp_path / "starter.py"
    script.write_text(
        "import os, signal\nfrom services import discovery\nserver = discovery.own_postgres()\nserver.start()\n"
        "print(server.url, server._home, server._log, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    started = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    url, home, log = started.stdout.split()
    try:
        assert not postgres.answers(url)
    finally:
        subprocess.run(["rm", "-rf", home, log], check=True)


@pytest.mark.parametrize("variable", [discovery.RABBITMQ_VARIABLE, discovery.POSTGRES_VARIABLE])
def test_a_service_ordered_by_url_is_missing_when_it_does_not_answer(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme, open_it = {
        discovery.RABBITMQ_VARIABLE: ("amqp", discovery.a_broker),
        discovery.POSTGRES_VARIABLE: ("postgresql", discovery.a_postgres),
    }[variable]
    monkeypatch.setenv(variable, f"{scheme}://nobody:nothing@127.0.0.1:1/nothing")
    with pytest.raises(discovery.ServiceMissingError, match=variable), open_it():
        pass


_ORDERED_ELSEWHERE = {discovery.POSTGRES_VARIABLE: "postgresql://nobody@127.0.0.1:1/nothing"}


@pytest.mark.parametrize(
    ("ci", "outcome", "words"), [("", "skipped", "1 tests skipped"), ("true", "errors", "missing service")]
)
def test_a_missing_service_is_counted_loudly_and_fails_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: str, words: str
) -> None:
    for name, value in {**_ORDERED_ELSEWHERE, "CI": ci, "PYTHONPATH": str(Path(__file__).parents[1])}.items():
        monkeypatch.setenv(name, value)
    pytester.makeconftest('pytest_plugins = ["services.reporting", "services.fixtures"]')
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\nmarkers = ["external", "faults", "slow", "soak"]')
    pytester.makepyfile("def test_asks(fresh_database): assert fresh_database")
    run = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider")
    run.assert_outcomes(**{outcome: 1})
    run.stdout.fnmatch_lines([f"*{words}*PostgreSQL: {discovery.POSTGRES_VARIABLE} does not answer*"])


@pytest.mark.faults
@pytest.mark.skipif(
    rabbitmq.installed_scripts() is None,
    reason="missing service: RabbitMQ of our own: install rabbitmq-server",
)
def test_a_broker_is_started_from_the_local_installation_when_none_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(discovery.RABBITMQ_VARIABLE, raising=False)
    monkeypatch.setattr(discovery, "_STANDARD_RABBITMQ", "amqp://guest:guest@127.0.0.1:1/%2F")
    with discovery.a_broker() as started:
        assert rabbitmq.answers(started.url)
        assert "hub" in started.ctl("eval", "node().")
    assert not rabbitmq.answers(started.url)


@pytest.mark.faults
@pytest.mark.skipif(
    postgres.installed_programs() is None, reason="missing service: PostgreSQL of our own: install postgresql"
)
def test_a_postgres_is_started_from_the_local_installation_when_none_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(discovery.POSTGRES_VARIABLE, raising=False)
    monkeypatch.setattr(discovery, "_STANDARD_POSTGRES", ("postgresql://postgres@127.0.0.1:1/postgres",))
    with discovery.a_postgres() as url:
        assert postgres.answers(url)
    assert not postgres.answers(url)
