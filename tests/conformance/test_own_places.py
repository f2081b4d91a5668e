"""A database and a name prefix of one's own on shared servers: made, used, and taken away without a trace."""

import uuid
from urllib.parse import urlsplit

import pika
import pika.exceptions
import psycopg
import pytest

from core.errors import HubError, Unavailable
from core.ports.bus import Channel, Message
from core.store.databases import create_database, drop_database
from router.bus import open_bus
from router.bus.rabbitmq import remove_bus
from router.bus.rabbitmq.topology import Topology


def _server(postgres_url: str) -> str:
    return urlsplit(postgres_url)._replace(path="/postgres").geturl()


def _databases(server: str) -> set[str]:
    with psycopg.connect(server) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


def test_a_database_is_made_once_and_taken_away_with_its_connections(postgres_url: str) -> None:
    server, name = _server(postgres_url), f"licence_hub_test_{uuid.uuid4().hex[:8]}"
    create_database(server, name)
    try:
        assert name in _databases(server)
        with pytest.raises(HubError):
            create_database(server, name)
        url = urlsplit(server)._replace(path=f"/{name}").geturl()
        with psycopg.connect(url) as open_connection:
            assert open_connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
            drop_database(server, name)
            with pytest.raises(psycopg.OperationalError):
                open_connection.execute("SELECT 1")
    finally:
        drop_database(server, name)
    assert name not in _databases(server)


def test_a_server_out_of_reach_is_said_to_be_so() -> None:
    with pytest.raises(Unavailable):
        create_database("postgresql://nobody@127.0.0.1:1/postgres", "licence_hub_test")


def test_what_a_bus_declared_is_removed_with_its_messages_and_nothing_else(fresh_vhost: str) -> None:
    ours, other = (open_bus("rabbitmq", fresh_vhost, prefix=prefix) for prefix in ("ours", "other"))
    try:
        for bus in (ours, other):
            bus.declare()
            bus.publish_many(Channel.RECORDS, [Message(id="m", body=b"x")])
        remove_bus(fresh_vhost, prefix="ours")
        assert other.depth(Channel.RECORDS).ready == 1
    finally:
        ours.close()
        other.close()
    with pika.BlockingConnection(pika.URLParameters(fresh_vhost)) as connection:
        for queue in Topology("ours").queues():
            with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="NOT_FOUND"):
                connection.channel().queue_declare(queue.name, passive=True)


def test_removing_what_is_not_there_is_no_fault(fresh_vhost: str) -> None:
    remove_bus(fresh_vhost, prefix="never-declared")
    bus = open_bus("rabbitmq", fresh_vhost, prefix="never-declared")
    bus.declare()
    bus.close()
    remove_bus(fresh_vhost, prefix="never-declared")
    remove_bus(fresh_vhost, prefix="never-declared")
    assert Topology("never-declared").work == "never-declared.work"
