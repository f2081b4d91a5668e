"""Gateways as processes of their own: killed and stopped under load, two on one store and bus."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from core.config import load_config, write_default_config
from core.ports.bus import Ack, Channel
from gateway_parts import encoded, permits, record, sign
from licencehub.app import Hub
from router.envelope import open_chunk
from served_hub import wait_for
from services.process import free_port, guarded, kill_tree

pytestmark = pytest.mark.faults

PATH = "/v1/interfaces/permits/records"
POSTS = 120


class Gateway:
    """A gateway process on a port of its own."""

    def __init__(self, config: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [
            sys.executable,
            "-m",
            "licencehub",
            "-c",
            str(config),
            "serve",
            "--role",
            "gateway",
            "--slot",
            f"g{self.port}",
        ]
        settings = {"PORT": str(self.port), "DRAIN_S": "4.0"}
        environment = os.environ | {
            f"LICENCE_HUB__GATEWAY__{name}": value for name, value in settings.items()
        }
        self.process = subprocess.Popen(guarded(command), env=environment, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.status("/readyz") == 200)

    def status(self, path: str) -> int:
        try:
            return httpx.get(self.url + path, timeout=5).status_code
        except httpx.TransportError:
            return 0


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(load_config(write_default_config(tmp_path / "hub"), {}), "test") as hub:
        hub.prepare()
        hub.store.registry.apply("interface", "permits", permits(), "test")
        hub.store.registry.set_state("interface", "permits", "enabled", "test")
        yield hub


def post(gateway: Gateway, secret: str, number: int) -> httpx.Response:
    """One post under its own key, signed anew each time."""
    content = encoded(record(f"P-{number}"))
    headers = sign("POST", PATH, content, secret=secret) | {
        "Content-Type": "application/json",
        "Idempotency-Key": f"k-{number}",
    }
    return httpx.post(gateway.url + PATH, content=content, headers=headers, timeout=10)


def receipt(response: httpx.Response) -> str:
    assert response.status_code == 202, response.text
    return str(response.json()["records"][0]["receipt"])


def secret_of(hub: Hub) -> str:
    return (hub.folder / "secrets" / "client-department.key").read_text().strip()


def _holds(promised: dict[int, str], goal: int) -> bool:
    return len(promised) >= goal


def on_the_bus(hub: Hub) -> list[str]:
    """Receipts on the bus, each as often as it was published."""
    found = []
    with hub.bus.consumer(Channel.RECORDS, 10_000) as consumer:
        while deliveries := consumer.receive(10_000, 0.2):
            consumer.settle([(delivery, Ack()) for delivery in deliveries])
            found += [open_chunk(hub.store.keyring, delivery.message) for delivery in deliveries]
    return [str(entry.receipt) for chunk in found for entry in chunk.entries]


def test_what_a_killed_gateway_had_promised_another_gives_the_same_receipt_for(hub: Hub) -> None:
    config, secret = hub.folder / "licence-hub.toml", secret_of(hub)
    survivor = Gateway(config)
    promised: dict[int, str] = {}
    try:
        for begin in (0, POSTS):
            doomed, numbers, goal = Gateway(config), range(begin, begin + POSTS), len(promised) + 15

            def attempt(number: int, gateway: Gateway = doomed) -> None:
                try:
                    promised[number] = receipt(post(gateway, secret, number))
                except httpx.TransportError:
                    return

            with ThreadPoolExecutor(8) as senders:
                sent = [senders.submit(attempt, number) for number in numbers]
                wait_for(partial(_holds, promised, goal))
                kill_tree(doomed.process)
                for one in sent:
                    one.result()
            assert len([number for number in promised if number in numbers]) < POSTS
        repeated = {number: receipt(post(survivor, secret, number)) for number in range(2 * POSTS)}
    finally:
        kill_tree(survivor.process)
    assert {number: repeated[number] for number in promised} == promised
    assert len(set(repeated.values())) == 2 * POSTS
    assert set(on_the_bus(hub)) == set(repeated.values())


def test_a_gateway_told_to_stop_is_unready_at_once_and_finishes_what_it_accepted(hub: Hub) -> None:
    gateway, secret = Gateway(hub.folder / "licence-hub.toml"), secret_of(hub)
    receipts: list[str] = []
    refused = threading.Event()

    def send() -> None:
        for number in range(10_000):
            try:
                receipts.append(receipt(post(gateway, secret, number)))
            except httpx.TransportError:
                refused.set()
                return

    sender = threading.Thread(target=send)
    sender.start()
    wait_for(lambda: len(receipts) > 10)
    gateway.process.send_signal(signal.SIGTERM)
    told = time.monotonic()
    wait_for(lambda: gateway.status("/readyz") == 503, 3.0)
    assert gateway.status("/livez") == 200
    served_while_draining = len(receipts)
    assert refused.wait(20)
    assert gateway.process.wait(20) == 0
    sender.join()
    assert time.monotonic() - told < 20
    assert len(receipts) > served_while_draining
    assert set(receipts) <= set(on_the_bus(hub))
