"""Where the services of a test run come from: the environment, the standard port, a local installation, or compose.

A URL in the environment is an order: when it does not answer, the service is missing, nothing else is tried.
"""

import contextlib
import functools
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from services import broker as rabbitmq
from services import database as postgres

RABBITMQ_VARIABLE = "LICENCE_HUB_TEST_RABBITMQ"
RABBITMQCTL_VARIABLE = "LICENCE_HUB_TEST_RABBITMQCTL"
POSTGRES_VARIABLE = "LICENCE_HUB_TEST_POSTGRES"
_COMPOSE_FILE = Path(__file__).parents[2] / "deploy" / "compose.yaml"
# The accounts of a default installation, and of deploy/compose.yaml.
_STANDARD_RABBITMQ = "amqp://guest:guest@127.0.0.1:5672/%2F"
_STANDARD_POSTGRES = (
    "postgresql://postgres@127.0.0.1:5432/postgres",
    "postgresql://postgres:licence-hub@127.0.0.1:5432/postgres",
)


class ServiceMissingError(Exception):
    """No way to reach or start a service; says what would give one."""


@contextlib.contextmanager
def a_broker() -> Iterator[rabbitmq.Broker]:
    """A RabbitMQ to share between tests; one that had to be started ends with the context."""
    ordered = os.environ.get(RABBITMQ_VARIABLE)
    found = rabbitmq.FoundBroker(
        ordered or _STANDARD_RABBITMQ, shlex.split(os.environ.get(RABBITMQCTL_VARIABLE, "rabbitmqctl"))
    )
    scripts = rabbitmq.installed_scripts()
    if found.is_usable():
        yield found
    elif ordered:
        raise ServiceMissingError(
            f"RabbitMQ: {RABBITMQ_VARIABLE} does not answer, or {RABBITMQCTL_VARIABLE} does not command it"
        )
    elif scripts is not None:
        own = rabbitmq.OwnBroker(scripts)
        with contextlib.closing(own):
            own.start()
            yield own
    elif _engine_answers():
        with _composed("rabbitmq"):
            yield rabbitmq.FoundBroker(
                _STANDARD_RABBITMQ, [*_compose(), "exec", "-T", "rabbitmq", "rabbitmqctl"]
            )
    else:
        raise ServiceMissingError(f"RabbitMQ: set {RABBITMQ_VARIABLE}, or install rabbitmq-server")


@contextlib.contextmanager
def a_postgres() -> Iterator[str]:
    """Administrator's URL of a PostgreSQL to share between tests; one that had to be started ends with the context."""
    ordered = os.environ.get(POSTGRES_VARIABLE)
    programs = postgres.installed_programs()
    found = next(
        (url for url in ((ordered,) if ordered else _STANDARD_POSTGRES) if postgres.answers(url)), None
    )
    if found:
        yield found
    elif ordered:
        raise ServiceMissingError(f"PostgreSQL: {POSTGRES_VARIABLE} does not answer")
    elif programs is not None:
        own = postgres.OwnPostgres(programs, durable=False)
        with contextlib.closing(own):
            own.start()
            yield own.url
    elif _engine_answers():
        with _composed("postgres"):
            yield _STANDARD_POSTGRES[1]
    else:
        raise ServiceMissingError(f"PostgreSQL: set {POSTGRES_VARIABLE}, or install postgresql")


def own_broker() -> rabbitmq.OwnBroker:
    """A RabbitMQ that a fault test may do anything to."""
    scripts = rabbitmq.installed_scripts()
    if scripts is None:
        raise ServiceMissingError("RabbitMQ of our own: install rabbitmq-server")
    return rabbitmq.OwnBroker(scripts)


def own_postgres() -> postgres.OwnPostgres:
    """A PostgreSQL that a fault test may do anything to."""
    programs = postgres.installed_programs()
    if programs is None:
        raise ServiceMissingError("PostgreSQL of our own: install postgresql")
    return postgres.OwnPostgres(programs)


def _compose() -> list[str]:
    return ["docker", "compose", "-p", "licence-hub-test", "-f", str(_COMPOSE_FILE)]


@functools.cache
def _engine_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    asked = subprocess.run(["docker", "compose", "ls"], capture_output=True, timeout=20, check=False)
    return asked.returncode == 0


@contextlib.contextmanager
def _composed(service: str) -> Iterator[None]:
    subprocess.run([*_compose(), "up", "--detach", "--wait", service], check=True, timeout=300)
    try:
        yield
    finally:
        subprocess.run([*_compose(), "rm", "--stop", "--force", "--volumes", service], check=True, timeout=60)
