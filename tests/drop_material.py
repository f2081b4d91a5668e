"""A hub of real parts for file drops: SQLite store, embedded bus, blocking intake, record worker."""

import json
from pathlib import Path
from typing import Any

from adapters.filedrop import FileDrop, FileIntake
from adapters.filedrop.ingest import FileIngest
from contracts.outcome import Outcome
from core.interfaces import InterfaceDirectory, LiveInterface
from core.keyring import new_master, parse_master
from core.ports.bus import Channel
from core.ports.observe import Unobserved
from core.store import open_store, prepare_store
from core.store.ledger import LedgerRow
from router.bus.embedded import EmbeddedBus
from router.intake.blocking import BlockingIntake
from router.intake.manifest import ManifestLog
from router.prepare import Preparation
from router.terms import Terms
from router.worker import RecordWorker

TYPE = "11100000000013338W032"
ISSUER = "11100000000013338W"

LICENCE_TYPE: dict[str, Any] = {
    "code": TYPE,
    "name": {"en": "Permit", "zh-CN": "许可证"},
    "required": ["licence_number"],
}


def permits(**changes: Any) -> dict[str, Any]:
    """The declaration of a small CSV interface."""
    drop = {"folder": "drop/permits", "pattern": ["*.csv"], "min_free_bytes": 0, **changes.pop("drop", {})}
    return {
        "name": "permits",
        "department": "Development department",
        "licence_type": TYPE,
        "protocol": "file",
        "source": {"format": "csv"},
        "drop": drop,
        "fields": {
            "licence_number": {"source": "number", "required": True},
            "licence_name": {"source": "title"},
            "issuer_name": {"constant": "某局"},
            "issuer_code": {"constant": ISSUER},
            "holder.name": {"source": "holder"},
            "issued_on": {"source": "issued"},
        },
    } | changes


def table(*numbers: object) -> bytes:
    """A CSV of valid permits."""
    lines = "".join(f"{number},许可证,某公司,2024-01-02\n" for number in numbers)
    return ("number,title,holder,issued\n" + lines).encode()


class DropHub:
    """The parts in a folder; opened again on the same folder it is the hub after a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / 'hub.db'}"
        secret = folder / "master.key"
        if not secret.exists():
            secret.write_text(new_master())
            prepare_store(url)
        self.store = open_store(url, master=parse_master(secret.read_text()))
        self.bus = EmbeddedBus(folder / "bus.db")
        self.bus.declare()
        manifest = ManifestLog("drop", self.store.manifests)
        self.sink = BlockingIntake(self.bus, self.store.keyring, manifest)
        self.intake = FileIntake(self.store.submissions, self.sink, self.store.keyring.receipt_key)
        self.directory = InterfaceDirectory(self.store.registry.snapshot)

    def register(self, declaration: dict[str, Any], state: str = "enabled") -> None:
        """Applies the licence type and an interface, and enables it."""
        self.store.registry.apply("licence-type", TYPE, LICENCE_TYPE, "test")
        self.store.registry.apply("interface", declaration["name"], declaration, "test")
        self.store.registry.set_state("interface", declaration["name"], "enabled", "test")
        if state != "enabled":
            self.store.registry.set_state("interface", declaration["name"], state, "test")

    def live(self, name: str = "permits") -> LiveInterface:
        """The interface as registered now."""
        self.directory.refresh()
        return next(live for live in self.directory.all() if live.declaration.name == name)

    def drop(self, name: str = "permits", **options: Any) -> FileDrop:
        """The interface's drop folder, orphans taken up at once."""
        live = self.live(name)
        assert live.declaration.drop is not None
        drop = FileDrop(
            live,
            live.declaration.drop,
            self.folder,
            intake=self.intake,
            submissions=self.store.submissions,
            ledger=self.store.ledger,
            keyring=self.store.keyring,
            **({"lease_s": 0.0} | options),
        )
        drop.folder.prepare()
        return drop

    def ingest(self, name: str = "permits") -> FileIngest:
        """Ingest into the interface, orphans taken up at once."""
        made = FileIngest(self.live(name), self.folder, store=self.store, intake=self.intake)
        made._drop._lease_s = 0.0
        return made

    def work(self) -> None:
        """Runs the record worker until the bus is empty."""
        worker = RecordWorker(
            self.bus,
            self.store.records,
            Preparation(Terms(self.store.registry)),
            self.store.keyring,
            Unobserved(),
        )
        with self.bus.consumer(Channel.RECORDS, 40) as consumer:
            while worker.step(consumer, 0.05):
                pass

    def rows(self) -> list[LedgerRow]:
        """The whole ledger."""
        return self.store.ledger.page(limit=100_000, faults=True)

    def outcomes(self) -> dict[Outcome, int]:
        """Records by outcome."""
        return self.store.ledger.totals(interface="permits")

    def receipt(self, name: str, folder: str = "drop/permits") -> Any:
        """The receipt file beside a drop."""
        return json.loads((self.folder / folder / f"{name}.receipt.json").read_bytes())

    def close(self) -> None:
        """Closes store and bus."""
        self.bus.close()
        self.store.close()


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(hub: DropHub, *, clock: Clock | None = None, **drop: Any) -> FileDrop:
    hub.register(permits(drop=drop))
    options: dict[str, Any] = {"clock": clock} if clock else {}
    return hub.drop(**options)


def verdicts(drop: FileDrop) -> list[tuple[str, str]]:
    return [(taken.submission.origin, taken.verdict) for taken in drop.sweep().taken]


def names_in(place: Path) -> list[str]:
    return sorted(entry.name for entry in place.iterdir())


def kept(drop: FileDrop, place: str) -> list[str]:
    return sorted(name.partition("~")[2] for name in names_in(drop.folder.path / place))
