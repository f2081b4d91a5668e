"""A served hub under load while things fail: senders that remember what they were promised, and the judgement at the end."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import httpx

from core.store import Store
from gateway_parts import encoded, permits, record, sign
from hub_material import MadeHub
from licencehub.app import Hub
from services.process import guarded, wait_until

PATH = "/v1/interfaces/permits/records"


class Sender:
    """Pushes records one after the other, each until it is accepted, and remembers what it was promised."""

    def __init__(self, url: str, secret: str, series: str = "P") -> None:
        self._url = url
        self._secret = secret
        self._series = series
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._push_all)
        self.receipts: list[str] = []
        self.answers: Counter[int] = Counter()
        self.open = 0
        """Records that were tried and got no receipt before the end: the hub may have them or not."""

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
                self._push(client, f"{self._series}-{number}")

    def _push(self, client: httpx.Client, number: str) -> None:
        """Repeats under the same key until the record is accepted; gives up only at the end."""
        content = encoded(record(number=number))
        self.open += 1
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
                self.open -= 1
                return
            time.sleep(0.2)


def register_permits(hub: Hub) -> None:
    """The interface that the senders push to."""
    declaration = permits()
    declaration["fields"] |= {"issuer_name": {"constant": "某市行政审批局"}}
    hub.store.registry.apply("interface", "permits", declaration, "test")
    hub.store.registry.set_state("interface", "permits", "enabled", "test")


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


def missing(store: Store, senders: Sequence[Sender]) -> list[str]:
    """Receipts without an outcome."""
    receipts = [UUID(receipt) for sender in senders for receipt in sender.receipts]
    known: set[UUID] = set()
    for start in range(0, len(receipts), 500):
        known |= set(store.ledger.outcomes(receipts[start : start + 500]))
    return [str(receipt) for receipt in receipts if receipt not in known]
