"""PostgreSQL for tests: fresh databases on any server, and a server of our own that may be stopped, killed and frozen."""

import functools
import itertools
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from services.own_server import OwnServer
from services.process import guarded, unprivileged_user

_DATABASE_PREFIX = "licence_hub_test_"


def answers(url: str) -> bool:
    """True when the server takes this login."""
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


class Databases:
    """Databases of the tests on one server, reached by an administrator's URL."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url
        self._names = (f"{_DATABASE_PREFIX}{os.getpid()}_{number}" for number in itertools.count())
        self._made: list[str] = []

    def fresh(self) -> str:
        """URL of an empty database."""
        name = next(self._names)
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
            )
        self._made.append(name)
        return f"{self._admin_url.rsplit('/', 1)[0]}/{name}"

    def drop(self, url: str) -> None:
        """Drop a database made here, whoever is still connected to it."""
        name = url.rsplit("/", 1)[1]
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
        self._made.remove(name)

    def sweep(self) -> None:
        """Take away what killed test runs of this machine left on the server."""
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE %s", (f"{_DATABASE_PREFIX}%",)
            ).fetchall()
            for (name,) in rows:
                if not Path(f"/proc/{name.split('_')[-2]}").exists():
                    connection.execute(
                        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                    )


@functools.cache
def installed_programs() -> Path | None:
    """Folder of initdb and postgres, the newest version of several; None without them."""
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    if versions:
        return versions[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


class OwnPostgres(OwnServer):
    """A PostgreSQL server; a start after ``kill`` recovers from the log.

    ``programs`` is the folder of initdb and postgres. Runs as another account when we are root. Without ``durable`` it does not
    wait for the disk, which a process that is killed does not notice, only a machine.
    """

    name = "PostgreSQL"
    start_limit_s = 30.0
    end_signal = signal.SIGINT

    def __init__(self, programs: Path, *, durable: bool = True) -> None:
        super().__init__(unprivileged_user())
        self._programs = programs
        self._durable = durable
        self._data = self._home / "data"
        self.databases = Databases(self.url)

    @property
    def url(self) -> str:
        """URL of the administrator."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def answers(self) -> bool:
        return answers(self.url)

    def prepare(self) -> None:
        if self._data.exists():
            return
        initdb = [str(self._programs / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust"]
        command = guarded([*initdb, "-E", "UTF8", "--no-locale", "--no-sync"], self._user)
        subprocess.run(command, cwd=self._home, check=True, capture_output=True, timeout=60)

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._home),
            "shared_buffers": "64MB",
            "fsync": "on" if self._durable else "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self._data), *options]
