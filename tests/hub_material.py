"""A whole hub on either stack for acceptance and fault tests: made by the product's own means, driven as processes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

from contracts.chunk import Entry
from contracts.identity import uuid7
from contracts.record import Collection, digest
from core.config import load_config, write_default_config
from core.ports.intake import Lot
from licencehub.app import Hub
from licencehub.foundation import found_hub
from store_material import TYPE, record

KILLED = -9
PROCESS = Path(__file__).parent / "faults" / "hub_process.py"
INTERFACE = "food"


class MadeHub:
    """A hub in a folder; ``environment`` is what its processes need."""

    def __init__(self, folder: Path, *, postgres_url: str = "", amqp_url: str = "") -> None:
        self.path = write_default_config(folder, "production" if postgres_url else "embedded")
        self.environment = dict(os.environ)
        self.environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        if postgres_url:
            self.environment["LICENCE_HUB__STORE__URL"] = postgres_url
            self.environment["LICENCE_HUB__BUS__URL"] = self._without_password(amqp_url)
            self.environment["LICENCE_HUB__BUS__PREFIX"] = f"t{uuid4().hex[:6]}"
        with self.hub() as hub:
            found_hub(hub)
            hub.store.registry.apply("licence-type", TYPE, {"code": TYPE, "name": {"en": "Food"}}, "test")
            declaration = {"name": INTERFACE, "department": "D", "licence_type": TYPE, "protocol": "rest"}
            hub.store.registry.apply("interface", INTERFACE, declaration, "test")
            hub.store.registry.set_state("interface", INTERFACE, "enabled", "test")

    def hub(self) -> Hub:
        """This process's share of the hub."""
        os.environ.update(
            {k: v for k, v in self.environment.items() if k.startswith(("LICENCE_HUB__", "TEST_BUS"))}
        )
        try:
            return Hub(load_config(self.path, self.environment), f"test-{uuid4().hex[:6]}")
        finally:
            for name in [name for name in os.environ if name.startswith("LICENCE_HUB__")]:
                del os.environ[name]

    def subscribe(self, name: str, url: str) -> None:
        """Adds a webhook subscriber to the configuration."""
        secret = self.path.parent / "secrets" / "subscriber.key"
        secret.write_text("a secret of the subscriber")
        section = (
            f'\n[[subscriber]]\nname = "{name}"\nurl = "{url}"\nsecret = "file:secrets/subscriber.key"\n'
        )
        self.path.write_text(self.path.read_text() + section)

    def trust(self, certificate: bytes) -> None:
        """Adds an authority's certificate (DER) to what the hub believes."""
        (self.path.parent / "other-library.crt").write_bytes(certificate)
        text = self.path.read_text()
        self.path.write_text(text.replace("[seal]\n", '[seal]\ntrust = ["other-library.crt"]\n', 1))

    def run(self, role: str, kill_at: int = 0, *, timeout_s: float = 60.0) -> int:
        """Runs a role until it is idle, killed at its ``kill_at``-th step (0: never); returns its exit status."""
        command = [sys.executable, str(PROCESS), str(self.path), role, str(kill_at)]
        finished = subprocess.run(
            command, env=self.environment, timeout=timeout_s, check=False, capture_output=True
        )
        if finished.returncode not in {0, KILLED}:
            raise AssertionError(finished.stderr.decode()[-4000:])
        return finished.returncode

    def _without_password(self, url: str) -> str:
        """The configuration takes no password in clear: it is handed over in the environment."""
        parts = urlsplit(url)
        self.environment["TEST_BUS_PASSWORD"] = parts.password or "guest"
        place = (
            f"{parts.username or 'guest'}:${{env:TEST_BUS_PASSWORD}}@{parts.hostname}:{parts.port or 5672}"
        )
        return urlunsplit((parts.scheme, place, parts.path or f"/{quote('/', safe='')}", "", ""))


def publish(
    hub: Hub, numbers: list[str], *, order: str = "1", twice: bool = False, **fields: Any
) -> list[Entry]:
    """Publishes a record per number (all of it twice, on request) and returns the entries; ``fields`` change the records."""
    lot = Lot(INTERFACE, hub.store.registry.revision(), "test", Collection.INCREMENTAL)
    made = [
        Entry(
            receipt=uuid7(),
            submission=uuid7(),
            position=0,
            stamp_us=1_700_000_000_000_000,
            record=record(number, note=order, **fields),
            source_order=order,
            source_digest=digest([number, order]),
            raw=number.encode(),
        )
        for number in numbers
    ]
    for _ in range(2 if twice else 1):
        sink = hub.intake()
        for entry in made:
            sink.send(lot, entry)
        sink.flush()
    return made
