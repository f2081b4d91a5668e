"""A broker and a database of the bench's own, so that nobody else's work is in the figures; both keep what they confirm."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from services.broker import OwnBroker
from services.database import OwnPostgres
from services.discovery import own_broker, own_postgres


class Servers(NamedTuple):
    """Both, running."""

    broker: OwnBroker
    database: OwnPostgres

    @property
    def roots(self) -> dict[str, int]:
        """Their process trees."""
        return {"rabbitmq": _root(self.broker), "postgres": _root(self.database)}


@contextmanager
def own_servers() -> Iterator[Servers]:
    """Started for the block."""
    servers = Servers(own_broker(), own_postgres())
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.close()


def _root(server: OwnBroker | OwnPostgres) -> int:
    process = server._server  # noqa: SLF001  # only the process id is of interest
    if process is None:
        raise RuntimeError("the server does not run")
    return process.pid
