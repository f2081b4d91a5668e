"""A gateway of real parts for tests: SQLite store, embedded bus, clients, three registered interfaces."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
from sqlalchemy import insert

from adapters.http.gate import Gate
from adapters.rest.push import PREFIX, SUFFIX, PushEndpoint
from contracts.chunk import Chunk
from core.access import Action, Authenticator, Credential, Principal, Right
from core.config import Gateway
from core.interfaces import InterfaceDirectory
from core.keyring import Keyring
from core.ports.bus import Ack, Channel
from core.ports.observe import Unobserved
from core.store.attachments import AttachmentStore
from core.store.engine import Database
from core.store.guard import GuardStore
from core.store.keys import StoredKeys
from core.store.ledger import LedgerStore
from core.store.manifests import ManifestStore
from core.store.registry import RegistryStore
from core.store.tables import ledger, metadata, registry_revision
from router.bus.embedded import EmbeddedBus
from router.envelope import open_chunk
from router.intake import GatewayIntake

SECRET = "a-secret-of-32-characters-or-so!"
BEARER = "bearer-key-0123456789"
TYPE = "11100000000013338W032"


def permits(name: str = "permits", **changes: Any) -> dict[str, Any]:
    """The declaration of a small REST interface."""
    return {
        "name": name,
        "department": "Development department",
        "licence_type": TYPE,
        "fields": {
            "licence_number": {"source": "number", "required": True},
            "licence_name": {"source": "title"},
            "holder.name": {"source": "holder"},
            "issued_on": {"source": "issued"},
            "issuer_code": {"constant": "11220000013544541J"},
            "items.KZ_NOTE": {"source": "note"},
        },
        "filters": [{"name": "drafts", "when": [{"field": "state", "value": "draft"}]}],
        "quarantine_faults": ["mapping.date"],
    } | changes


def record(number: str = "P-1", **changes: Any) -> dict[str, Any]:
    """A record of ``permits`` that is valid."""
    return {
        "number": number,
        "title": "许可证",
        "holder": "某公司",
        "issued": "2026-01-02",
        "note": "n",
    } | changes


def sign(
    method: str, target: str, body: bytes, *, client: str = "department", secret: str = SECRET, **changes: str
) -> dict[str, str]:
    """The five headers, by code of its own."""
    stamp, nonce, content = str(int(time.time() * 1000)), uuid4().hex, hashlib.sha256(body).hexdigest()
    stamp, nonce = changes.pop("timestamp", stamp), changes.pop("nonce", nonce)
    text = "\n".join((method, target, stamp, nonce, content))
    made = base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()
    headers = {"X-Client-Id": client, "X-Timestamp": stamp, "X-Nonce": nonce, "X-Content-SHA256": content}
    return headers | {"X-Signature": made} | changes


class Hub:
    """The parts behind a gateway, in a folder."""

    def __init__(self, folder: Path, gateway: Gateway | None = None) -> None:
        self.gateway = gateway or Gateway()
        self.database = Database(f"sqlite:///{folder / 'hub.db'}")
        with self.database.begin() as connection:
            metadata.create_all(connection)
            connection.execute(insert(registry_revision).values(id=1, revision=0))
        self.registry = RegistryStore(self.database)
        self.keyring = Keyring(b"k" * 32, StoredKeys(self.database))
        self.bus = EmbeddedBus(folder / "bus.db")
        self.bus.declare()
        self.ledger = LedgerStore(self.database, self.keyring)
        self.manifests = ManifestStore(self.database)
        self.guard = GuardStore(self.database)
        self.attachments = AttachmentStore(self.database, self.keyring)
        self.directory = InterfaceDirectory(self.registry.snapshot)
        self.authenticator = Authenticator(
            [
                Credential(
                    Principal("department", "", _rights(("permits", "other"))), "hmac", SECRET.encode()
                ),
                Credential(Principal("developer", "", _rights(("*",))), "bearer", BEARER.encode()),
                Credential(Principal("nobody"), "bearer", b"the-key-of-nobody"),
            ]
        )

    def register(self, declaration: dict[str, Any], state: str = "enabled") -> None:
        """Applies an interface and sees to it that the gateway knows."""
        self.registry.apply("interface", declaration["name"], declaration, "test")
        if state != "registered":
            self.registry.set_state("interface", declaration["name"], "enabled", "test")
        if state not in {"registered", "enabled"}:
            self.registry.set_state("interface", declaration["name"], state, "test")
        self.directory.refresh()

    def decided(self, receipt: UUID, interface: str, outcome: str = "new") -> None:
        """Writes a ledger row."""
        values = {
            "receipt": receipt, "interface": interface, "interface_revision": 1, "submission": uuid4(), "position": 0, "rows": 1,
            "collection": "incremental", "outcome": outcome, "stamp_us": 1, "decided_ms": 1,
        }  # fmt: skip
        with self.database.begin() as connection:
            connection.execute(insert(ledger).values(**values))

    def published(self) -> list[Chunk]:
        """The chunks on the bus, taken off it."""
        with self.bus.consumer(Channel.RECORDS, 1000) as consumer:
            deliveries = consumer.receive(1000, 0)
            consumer.settle([(delivery, Ack()) for delivery in deliveries])
        return [open_chunk(self.keyring, delivery.message) for delivery in deliveries]

    def close(self) -> None:
        self.bus.close()
        self.database.close()


def _rights(interfaces: tuple[str, ...]) -> tuple[Right, ...]:
    on_interfaces = frozenset({Action.PUSH, Action.RECEIPT_READ, Action.QUARANTINE_READ})
    on_types = frozenset({Action.LICENCE_READ, Action.LICENCE_FETCH, Action.VERIFY})
    return (Right(on_interfaces, interfaces), Right(on_types, (), ("*",)))


@asynccontextmanager
async def push_client(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the push route alone."""
    intake = GatewayIntake("test", store=hub, bus=hub.bus, keyring=hub.keyring)
    await intake.open()
    endpoint = PushEndpoint(
        hub.gateway,
        authenticator=hub.authenticator,
        directory=hub.directory,
        intake=intake,
        observer=Unobserved(),
    )

    async def nothing_else(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError(scope["path"])

    gate = Gate(
        nothing_else,
        lambda _method, path: endpoint if path.startswith(PREFIX) and path.endswith(SUFFIX) else None,
        in_flight_limit=hub.gateway.in_flight_limit,
        observer=Unobserved(),
    )
    transport = httpx.ASGITransport(app=gate)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield client
    await intake.aclose()


def encoded(value: object) -> bytes:
    """JSON as a sender would write it."""
    return json.dumps(value, ensure_ascii=False).encode()


def lines(values: Sequence[object]) -> bytes:
    """NDJSON."""
    return b"\n".join(encoded(value) for value in values)


def replaced(gateway: Gateway, **changes: Any) -> Gateway:
    """The section with other settings."""
    return msgspec.structs.replace(gateway, **changes)
