"""PostgreSQL for tests: fresh databases on any server, and a server of our own that may be stopped, killed and frozen."""

import functools
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from services.process import free_port, guarded, kill_tree, signal_tree, unprivileged_user, wait_until

START_LIMIT_S = 30.0
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


class OwnPostgres:
    """A PostgreSQL server of the tests: own port, own data; it survives ``stop`` and ``kill`` with what was committed.

    ``programs`` is the folder of initdb and postgres. Runs as another account when we are root. Without ``durable`` it does not
    wait for the disk, which a process that is killed does not notice, only a machine.
    """

    def __init__(self, programs: Path, *, durable: bool = True) -> None:
        self._programs = programs
        self._durable = durable
        self._user = unprivileged_user()
        self._home = Path(tempfile.mkdtemp(prefix="licence-hub-postgres-"))
        if self._user is not None:
            shutil.chown(self._home, self._user)
        self._data = self._home / "data"
        self._log = self._home.with_suffix(".log")
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self.databases = Databases(self.url)

    @property
    def url(self) -> str:
        """URL of the administrator."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, or start it again, and wait until it takes connections."""
        if self._server is not None:
            return
        if not self._data.exists():
            self._initialise()
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                guarded([str(self._programs / "postgres"), *self._options()], self._user),
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._is_up, timeout_s=START_LIMIT_S, what="PostgreSQL of the tests", log=self._log)

    def stop(self) -> None:
        """Shut it down in order; connected clients lose their connection."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(timeout=START_LIMIT_S)
            self._server = None

    def kill(self) -> None:
        """SIGKILL it with all its backends; the next start recovers from the log."""
        if self._server is not None:
            kill_tree(self._server)
            self._server = None

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing answers."""
        if self._server is not None:
            signal_tree(self._server, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        if self._server is not None:
            signal_tree(self._server, signal.SIGCONT)

    def restore(self) -> None:
        """Running and awake, whatever a test did to it."""
        self.resume()
        self.start()

    def close(self) -> None:
        """End it for good, with its data."""
        self.resume()
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)
        self._log.unlink(missing_ok=True)

    def _initialise(self) -> None:
        initdb = [str(self._programs / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust"]
        command = guarded([*initdb, "-E", "UTF8", "--no-locale", "--no-sync"], self._user)
        subprocess.run(command, cwd=self._home, check=True, capture_output=True, timeout=60)

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._home),
            "shared_buffers": "64MB",
            "fsync": "on" if self._durable else "off",
        }
        return [
            "-D",
            str(self._data),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ]

    def _is_up(self) -> bool:
        if self._server is not None and self._server.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended at once\n{self._log.read_text(errors='replace')[-2000:]}")
        return answers(self.url)
