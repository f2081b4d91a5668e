"""A configured hub with its gateway on a free port, served from a thread, for tests that talk HTTP to it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from adapters.api.app import build_app
from adapters.http.server import Draining, GatewayServer
from core.config import load_config, write_default_config
from described import as_described
from licencehub.app import Hub
from licencehub.gateway import gateway_services
from licencehub.roles import worker_parts

WAIT_S = 20.0


@dataclass(frozen=True)
class Served:
    """The hub, and where it listens."""

    hub: Hub
    port: int
    draining: Draining
    stop: Callable[[], None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def secret(self, client: str) -> str:
        """A client's secret."""
        return (self.hub.folder / "secrets" / f"client-{client}.key").read_text().strip()

    def client(self, name: str = "developer") -> httpx.Client:
        """An HTTP client with the bearer key of ``name``; each answer it gets is held against the hub's description."""
        return self.visitor({"Authorization": f"Bearer {self.secret(name)}"})

    def visitor(self, headers: dict[str, str] | None = None) -> httpx.Client:
        """An HTTP client without a credential."""
        hooks = {"response": [as_described]}
        return httpx.Client(base_url=self.url, headers=headers, timeout=15, event_hooks=hooks)

    def register(self, kind: Any, name: str, declaration: dict[str, Any]) -> None:
        """Registers and enables, and waits until the gateway knows."""
        self.hub.store.registry.apply(kind, name, declaration, "test")
        if kind == "interface":
            self.hub.store.registry.set_state(kind, name, "enabled", "test")

    def work_off(self, receipts: list[UUID]) -> None:
        """Runs a record worker until every receipt has its outcome."""
        stop = threading.Event()
        workers = [threading.Thread(target=part, args=(stop,)) for part in worker_parts(self.hub).values()]
        for worker in workers:
            worker.start()
        try:
            wait_for(lambda: len(self.hub.store.ledger.outcomes(receipts)) == len(receipts))
        finally:
            stop.set()
            for worker in workers:
                worker.join()


def wait_for(holds: Callable[[], bool], seconds: float = WAIT_S) -> None:
    """Returns when ``holds`` does; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@contextmanager
def served_hub(
    folder: Path,
    prepare: Callable[[Hub], None],
    clients: str = "",
    *,
    real_packages: bool = False,
    **settings: object,
) -> Iterator[Served]:
    """A hub in ``folder``; ``settings`` of ``[gateway]``, ``clients`` in TOML; ``prepare`` registers what is needed.

    Unless ``real_packages`` the route of packages answers with made-up bytes.
    """
    path = write_default_config(folder)
    path.write_text(path.read_text() + clients)
    environment = {f"LICENCE_HUB__GATEWAY__{name.upper()}": str(value) for name, value in settings.items()}
    config = load_config(path, {"LICENCE_HUB__GATEWAY__PORT": "0", **environment})
    with Hub(config, "test") as hub:
        hub.prepare()
        prepare(hub)
        draining = Draining()
        services = gateway_services(hub, draining)
        if not real_packages:
            services = replace(services, package_file=_any_package)
        server = GatewayServer(build_app(services), config.gateway, draining, config.tls_files)
        thread = threading.Thread(target=server.run)
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join(WAIT_S)

        try:
            wait_for(lambda: server.started)
            yield Served(hub, server.port, draining, stop)
        finally:
            stop()


def _any_package(licence_id: UUID, version_no: int, form: str) -> bytes:
    """The bytes of a package, for tests of the route alone: composing and sealing have tests of their own."""
    return f"{form} package {licence_id} {version_no}".encode()
