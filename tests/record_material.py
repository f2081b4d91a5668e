"""Records in a configured hub, taken in by its own parts without a process of their own."""

from pathlib import Path
from typing import Any
from uuid import UUID

from adapters.filedrop.ingest import FileIngest
from adapters.filedrop.reading import FileIntake
from core.config import load_config
from core.ports.bus import Channel
from core.ports.observe import Unobserved
from drop_material import LICENCE_TYPE, TYPE
from licencehub.app import Hub
from licencehub.ingestion import live_interface
from router.prepare import Preparation
from router.terms import Terms
from router.worker import RecordWorker


def taken_in(
    config: Path,
    declaration: dict[str, Any],
    content: bytes,
    items: dict[str, Any] | None = None,
    *,
    file: str = "a.csv",
) -> UUID:
    """Registers the interface, takes ``content`` in through it and works it off; returns the submission."""
    name = declaration["name"]
    source = config.parent / file
    source.write_bytes(content)
    with Hub(load_config(config)) as hub:
        store = hub.store
        store.registry.apply("licence-type", TYPE, LICENCE_TYPE | {"items": items or {}}, "test")
        store.registry.apply("interface", name, declaration, "test")
        store.registry.set_state("interface", name, "enabled", "test")
        intake = FileIntake(store.submissions, hub.intake(), store.keyring.receipt_key)
        ingest = FileIngest(live_interface(hub, name), hub.config.data, store=store, intake=intake)
        taken = ingest.take(source)
        hub.manifest.write()
        terms = Preparation(Terms(store.registry))
        worker = RecordWorker(hub.bus, store.records, terms, store.keyring, Unobserved())
        with hub.bus.consumer(Channel.RECORDS, 40) as consumer:
            while worker.step(consumer, 0.05):
                pass
        ingest.write_receipts()
    return taken.submission.id
