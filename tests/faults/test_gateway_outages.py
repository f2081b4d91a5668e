"""A gateway on RabbitMQ and PostgreSQL while one of them is away: it answers 503 in time, says so, and recovers unaided."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from core.config import load_config, write_default_config
from gateway_parts import encoded, permits, record, sign
from licencehub.app import Hub
from served_hub import wait_for
from services.broker import OwnBroker
from services.database import OwnPostgres
from services.process import free_port, guarded, kill_tree

pytestmark = pytest.mark.faults

PATH = "/v1/interfaces/permits/records"
ANSWER_S = 8.0
"""The hub gives up after 5 s; the rest is the machine's."""
RECOVERY_S = 30.0


class Gateway:
    """A gateway process, and a sender that signs."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._secret = (folder / "secrets" / "client-department.key").read_text().strip()
        command = [
            sys.executable,
            "-m",
            "licencehub",
            "-c",
            str(folder / "licence-hub.toml"),
            "serve",
            "--role",
            "gateway",
        ]
        settings = environment | {"LICENCE_HUB__GATEWAY__PORT": str(port)}
        self.process = subprocess.Popen(
            guarded(command), env=os.environ | settings, stderr=subprocess.DEVNULL
        )
        wait_for(lambda: self.ready() == {}, 60)

    def push(self) -> int:
        """The status of a post; 0 when there was no answer in time."""
        content = encoded(record())
        headers = sign("POST", PATH, content, secret=self._secret) | {"Content-Type": "application/json"}
        began = time.monotonic()
        try:
            response = httpx.post(self.url + PATH, content=content, headers=headers, timeout=20)
        except httpx.TransportError:
            return 0
        assert time.monotonic() - began < ANSWER_S
        if response.status_code == 503:
            assert int(response.headers["retry-after"]) >= 1
            assert response.headers["content-type"] == "application/problem+json"
        return response.status_code

    def ready(self) -> dict[str, bool]:
        """The parts that are not ready; ``process`` when it does not answer."""
        try:
            parts = httpx.get(self.url + "/readyz", timeout=5).json()["parts"]
        except httpx.TransportError:
            return {"process": False}
        return {name: there for name, there in parts.items() if not there}

    def alive(self) -> bool:
        return httpx.get(self.url + "/livez", timeout=5).status_code == 200


@pytest.fixture
def gateway(tmp_path: Path, own_broker: OwnBroker, own_postgres: OwnPostgres) -> Iterator[Gateway]:
    bus = own_broker.vhosts.fresh()
    password = re.search(r"://[^:]*:([^@]*)@", bus)
    secrets = {"HUB_TEST_BUS_PASSWORD": password[1] if password else ""}
    settings = secrets | {
        "LICENCE_HUB__BUS__URL": re.sub(r":[^:@/]*@", ":${env:HUB_TEST_BUS_PASSWORD}@", bus),
        "LICENCE_HUB__STORE__URL": own_postgres.databases.fresh(),
    }
    path = write_default_config(tmp_path / "hub", "production")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUB_TEST_BUS_PASSWORD", secrets["HUB_TEST_BUS_PASSWORD"])
        with Hub(load_config(path, settings), "test") as hub:
            hub.prepare()
            hub.store.registry.apply("interface", "permits", permits(), "test")
            hub.store.registry.set_state("interface", "permits", "enabled", "test")
    gateway = Gateway(path.parent, settings)
    yield gateway
    kill_tree(gateway.process)


def assert_outage_passes(
    gateway: Gateway, part: str, begin: Callable[[], None], end: Callable[[], None]
) -> None:
    """The gateway's behaviour before, during and after."""
    assert gateway.push() == 202
    begin()
    began = time.monotonic()
    wait_for(lambda: gateway.ready().get(part) is False, 6)
    assert time.monotonic() - began < 6
    assert gateway.alive()
    assert gateway.push() == 503
    end()
    wait_for(lambda: gateway.push() == 202, RECOVERY_S)
    wait_for(lambda: gateway.ready() == {}, RECOVERY_S)


def test_a_broker_that_is_stopped(gateway: Gateway, own_broker: OwnBroker) -> None:
    assert_outage_passes(gateway, "bus", own_broker.stop, own_broker.start)


def test_a_broker_that_blocks_its_publishers(gateway: Gateway, own_broker: OwnBroker) -> None:
    assert gateway.push() == 202
    own_broker.set_memory_alarm()
    wait_for(lambda: gateway.push() == 503, 20)
    own_broker.clear_memory_alarm()
    wait_for(lambda: gateway.push() == 202, RECOVERY_S)


def test_a_database_that_is_stopped(gateway: Gateway, own_postgres: OwnPostgres) -> None:
    assert_outage_passes(gateway, "store", own_postgres.stop, own_postgres.start)


def test_a_database_that_hangs(gateway: Gateway, own_postgres: OwnPostgres) -> None:
    assert_outage_passes(gateway, "store", own_postgres.pause, own_postgres.resume)
