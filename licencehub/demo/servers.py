"""Where the production stack is: named by the environment, on the standard ports, or started from ``deploy/compose.yaml``."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import HubError
from core.store.databases import create_database, drop_database
from router.bus import open_bus
from router.bus.rabbitmq import remove_bus

COMPOSE = Path(__file__).resolve().parents[2] / "deploy" / "compose.yaml"
POSTGRES_VARIABLE, RABBITMQ_VARIABLE = "LICENCE_HUB_DEMO_POSTGRES", "LICENCE_HUB_DEMO_RABBITMQ"
POSTGRES = (
    "postgresql://postgres@127.0.0.1:5432/postgres",
    "postgresql://postgres:licence-hub@127.0.0.1:5432/postgres",
)
"""Of a local installation that trusts its own host, and of the compose file."""
RABBITMQ = ("amqp://guest:guest@127.0.0.1:5672/",)
COMPOSE_PATIENCE_S = 300

MISSING = """\
STACK=production needs RabbitMQ and PostgreSQL, and {what} cannot be used:
{why}
Do one of these 请任选其一：
  - start them on their standard ports 在标准端口启动（5672, 5432）
  - name them: {postgres}=postgresql://USER:PASSWORD@HOST:5432/postgres {rabbitmq}=amqp://USER:PASSWORD@HOST:5672/VHOST
  - install a container engine 安装容器引擎: docker compose -f deploy/compose.yaml up --detach --wait
or run the embedded stack 或运行嵌入式栈: make run"""


class NoServers(Exception):
    """Neither found nor startable; the text says what to do."""


@dataclass(frozen=True)
class Servers:
    """A database and a name prefix on the bus that are the run's own."""

    postgres: str
    """URL of the maintenance database."""
    rabbitmq: str
    database: str
    prefix: str

    def make(self) -> None:
        """Creates database and queues; raises ``HubError``."""
        create_database(self.postgres, self.database)
        _with_bus(self.rabbitmq, self.prefix)

    def remove(self) -> None:
        """Takes both away again."""
        drop_database(self.postgres, self.database)
        remove_bus(self.rabbitmq, prefix=self.prefix)


def find_servers(name: str, say: Callable[[str], None]) -> Servers:
    """The servers with the run's own place made on them; raises ``NoServers``."""
    place = name.replace("-", "_")
    found = _attempt(place)
    engine = None if isinstance(found, Servers) else _engine()
    if engine is not None:
        say(f"starting RabbitMQ and PostgreSQL with {engine[0]} compose 正在启动容器 …")
        command = [*engine, "-f", str(COMPOSE), "up", "--detach", "--wait"]
        subprocess.run(command, check=False, timeout=COMPOSE_PATIENCE_S)  # noqa: S603 -- the engine found on the path
        found = _attempt(place)
    if isinstance(found, Servers):
        return found
    raise _missing(found)


def _attempt(place: str) -> Servers | dict[str, str]:
    """The servers, or why each of them cannot be used."""
    given = (os.environ.get(POSTGRES_VARIABLE), os.environ.get(RABBITMQ_VARIABLE))
    faults: dict[str, str] = {}
    prefix = place.replace("_", "-")
    postgres = _first(
        (given[0],) if given[0] else POSTGRES, lambda url: create_database(url, place), "PostgreSQL", faults
    )
    rabbitmq = _first(
        (given[1],) if given[1] else RABBITMQ, lambda url: _with_bus(url, prefix), "RabbitMQ", faults
    )
    if postgres and rabbitmq:
        return Servers(postgres, rabbitmq, place, prefix)
    if postgres:
        drop_database(postgres, place)
    if rabbitmq:
        remove_bus(rabbitmq, prefix=prefix)
    return faults


def _first(urls: tuple[str, ...], use: Callable[[str], None], name: str, faults: dict[str, str]) -> str:
    """The first URL that can be used, or nothing and its fault."""
    for url in urls:
        try:
            use(url)
        except HubError as error:
            faults.setdefault(name, str(error))
        else:
            return url
    return ""


def _with_bus(url: str, prefix: str) -> None:
    bus = open_bus("rabbitmq", url, prefix=prefix)
    try:
        bus.declare()
    finally:
        bus.close()


def _engine() -> list[str] | None:
    """The compose command of an engine that answers."""
    if not COMPOSE.exists():
        return None
    for program in ("docker", "podman"):
        if shutil.which(program) is None:
            continue
        try:
            done = subprocess.run([program, "info"], check=False, capture_output=True, timeout=15)  # noqa: S603 -- fixed names
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            return [program, "compose"]
    return None


def _missing(faults: dict[str, str]) -> NoServers:
    why = "\n".join(f"  - {name}: {text}" for name, text in faults.items())
    what = " and ".join(faults) or "they"
    return NoServers(
        MISSING.format(what=what, why=why, postgres=POSTGRES_VARIABLE, rabbitmq=RABBITMQ_VARIABLE)
    )
