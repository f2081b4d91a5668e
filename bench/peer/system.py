"""The peer under measurement."""

import os
import secrets

import psycopg
from sqlalchemy import create_engine

from bench.peer.model import Base
from bench.processes import Processes, wait_for
from bench.servers import Servers
from services.process import free_port, is_listening


class PeerUnderTest:
    """FastAPI on uvicorn, one FastStream consumer."""

    name = "FastAPI + FastStream"

    def __init__(self, servers: Servers) -> None:
        self.port = free_port()
        self._secret = secrets.token_urlsafe(32)
        self._servers = servers
        self._url = servers.database.databases.fresh()
        engine = create_engine(self._driver_url)
        Base.metadata.create_all(engine)
        engine.dispose()
        self._connection = psycopg.connect(self._url, autocommit=True)

    @property
    def _driver_url(self) -> str:
        return self._url.replace("postgresql://", "postgresql+psycopg://")

    def start(self, processes: Processes) -> dict[str, int]:
        """Starts both processes; returns the roots to measure."""
        os.environ["PEER_RABBITMQ"] = self._servers.broker.vhosts.fresh()
        os.environ["PEER_POSTGRES"] = self._driver_url
        os.environ["PEER_SECRET"] = self._secret
        serve = ["-m", "uvicorn", "bench.peer.api:app", "--port", str(self.port), "--log-level", "warning"]
        processes.start("gateway", serve)
        wait_for("the peer's gateway", lambda: int(is_listening(self.port)), 1)
        processes.start("worker", ["-m", "bench.peer.consumer"])
        return {**processes.roots, **self._servers.roots}

    def target(self, records_each: int) -> str:
        """Where records are pushed to."""
        return "/permits" if records_each == 1 else "/permits/many"

    def credential(self, _kind: str) -> dict[str, str]:
        """The secret to sign with."""
        return {"client": "department", "secret": self._secret}

    def stored(self) -> int:
        """Versions stored."""
        row = self._connection.execute("SELECT count(*) FROM licence_version").fetchone()
        return int(row[0]) if row else 0

    def wrong(self) -> int:
        """Versions that are not the first of their licence."""
        row = self._connection.execute("SELECT count(*) FROM licence_version WHERE version > 1").fetchone()
        return int(row[0]) if row else 0

    def settled(self) -> int:
        """The outbox is written with the version."""
        return self.stored()

    def close(self) -> None:
        """Closes this process's connection."""
        self._connection.close()
