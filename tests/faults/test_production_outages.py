"""The whole hub as its supervisor runs it, under load, while PostgreSQL and RabbitMQ are killed and started again.

Judged by a ledger of attempts: every record that was accepted has its one outcome in the end, and nobody had to lend a hand.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from core.store import Store
from core.store.licences import LicenceQuery
from gateway_parts import TYPE, encoded, permits, record, sign
from hub_material import MadeHub
from services.broker import OwnBroker
from services.database import OwnPostgres
from services.process import free_port, guarded, kill_tree, wait_until

pytestmark = pytest.mark.faults
PATH = "/v1/interfaces/permits/records"
AWAY_S = 4.0


class Sender:
    """Pushes records one after the other, each until it is accepted, and remembers what it was promised."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._push_all)
        self.receipts: list[str] = []
        self.answers: Counter[int] = Counter()

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        self._stop.set()
        self._thread.join()

    def _push_all(self) -> None:
        with httpx.Client(base_url=self._url, timeout=20) as client:
            number = 0
            while not self._stop.is_set():
                number += 1
                self._push(client, f"P-{number}")

    def _push(self, client: httpx.Client, number: str) -> None:
        """Repeats under the same key until the record is accepted; gives up only at the end."""
        content = encoded(record(number=number))
        while not self._stop.is_set():
            headers = sign("POST", PATH, content, secret=self._secret)
            headers |= {"Content-Type": "application/json", "Idempotency-Key": number}
            try:
                answer = client.post(PATH, content=content, headers=headers)
            except httpx.TransportError:
                self.answers[0] += 1
                continue
            self.answers[answer.status_code] += 1
            if answer.status_code == 202:
                self.receipts.append(answer.json()["records"][0]["receipt"])
                return
            time.sleep(0.2)


@pytest.mark.timeout(300)
def test_a_hub_under_load_survives_the_loss_of_its_database_and_its_broker(
    own_postgres: OwnPostgres, own_broker: OwnBroker, tmp_path: Path
) -> None:
    made = MadeHub(tmp_path, postgres_url=own_postgres.databases.fresh(), amqp_url=own_broker.url)
    with made.hub() as hub:
        declaration = permits()
        declaration["fields"] |= {"issuer_name": {"constant": "某市行政审批局"}}
        hub.store.registry.apply("interface", "permits", declaration, "test")
        hub.store.registry.set_state("interface", "permits", "enabled", "test")
        assert hub.store.registry.show("licence-type", TYPE).state == "enabled"
        port = free_port()
        served = serve(made, port)
        secret = (tmp_path / "secrets" / "client-department.key").read_text().strip()
        sender = Sender(f"http://127.0.0.1:{port}", secret)
        try:
            wait_until(lambda: ready(port), timeout_s=60, what="the hub to be ready")
            sender.start()
            pause_for(sender, 20)
            for service in (own_postgres, own_broker):
                service.kill()
                time.sleep(AWAY_S)
                service.start()
                pause_for(sender, 20)
            sender.finish()
            wait_until(lambda: not missing(hub.store, sender), timeout_s=90, what="every outcome")
        finally:
            sender.finish()
            served.send_signal(signal.SIGTERM)
            served.wait(60)
            kill_tree(served)
        assert sender.answers[503] > 0
        assert set(sender.answers) <= {0, 202, 503}
        assert len(set(sender.receipts)) == len(sender.receipts)
        page = hub.store.licences.find(LicenceQuery(scope="management"), limit=500)
        assert len(page.licences) == min(len(sender.receipts), 500)
        assert {view.versions for view in page.licences} == {1}


def serve(made: MadeHub, port: int) -> subprocess.Popen[bytes]:
    environment = made.environment | {"LICENCE_HUB__GATEWAY__PORT": str(port)}
    command = [sys.executable, "-m", "licencehub", "-c", str(made.path), "serve"]
    with (made.path.parent / "serve.log").open("wb") as log:
        return subprocess.Popen(guarded(command), env=os.environ | environment, stderr=log)


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def pause_for(sender: Sender, records: int) -> None:
    """Until so many more records were accepted: the hub works (again)."""
    wanted = len(sender.receipts) + records
    wait_until(lambda: len(sender.receipts) >= wanted, timeout_s=60, what="records to be accepted again")


def missing(store: Store, sender: Sender) -> list[str]:
    """Receipts without an outcome; all of them while the store cannot be asked."""
    receipts = [UUID(receipt) for receipt in sender.receipts]
    known: set[UUID] = set()
    for start in range(0, len(receipts), 500):
        known |= set(store.ledger.outcomes(receipts[start : start + 500]))
    return [str(receipt) for receipt in receipts if receipt not in known]
