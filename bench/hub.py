"""The hub under measurement: made in a folder by its own means, its roles running as processes, packaging left out."""

import secrets
import tomllib
from pathlib import Path

import tomli_w

from bench import material
from bench.processes import Processes, wait_for
from bench.servers import Servers
from core.config import HubConfig, load_config, write_default_config
from core.service.registration import Registration
from licencehub.app import Hub
from licencehub.foundation import found_hub
from services.process import free_port, is_listening

CLIENT = "department"
SUBSCRIBER = "neighbour"
PRODUCTION = (("gateway",), ("worker",), ("sequencer",))
EMBEDDED = (("gateway", "worker", "sequencer"),)


class HubUnderTest:
    """A made hub, and what it has stored."""

    name = "hub"

    def __init__(self, folder: Path, servers: Servers | None, pushed: str = material.PUSHED) -> None:
        """``pushed`` is the interface that records come by."""
        folder.mkdir(parents=True)
        self.folder = folder
        self.port = free_port()
        self._servers = servers
        self._pushed = pushed
        self.path = write_default_config(folder, "production" if servers else "embedded")
        self._adapt(servers)
        self._hub = Hub(self.config, "bench")
        found_hub(self._hub)
        registration = Registration(self._hub.store.registry)
        for entry in registration.apply([material.declaration(pushed)], "bench", self._hub.styles):
            if entry.kind == "interface":
                registration.set_state(entry.name, "enabled", "bench")

    @property
    def config(self) -> HubConfig:
        """Its configuration as it stands now."""
        return load_config(self.path)

    def start(self, processes: Processes) -> dict[str, int]:
        """Starts roles and subscriber; returns the roots to measure."""
        sink = int(processes.start_asking("subscriber", ["-m", "bench.sink"]))
        self._subscribe(sink)
        groups = PRODUCTION if self._servers else EMBEDDED
        for group in groups:
            slot = "+".join(group)
            processes.start(slot, ["-m", "bench.hub_process", str(self.path), group[0], *group])
        wait_for("the gateway", lambda: int(is_listening(self.port)), 1)
        roots = {name: pid for name, pid in processes.roots.items() if name != "subscriber"}
        return {**roots, **(self._servers.roots if self._servers else {})}

    def target(self, records_each: int) -> str:
        """Where records are pushed to."""
        return f"/v1/interfaces/{self._pushed}/records"

    def credential(self, kind: str) -> dict[str, str]:
        """The load generator's share of the plan: a secret to sign with, or a bearer key."""
        name = CLIENT if kind == "hmac" else "developer"
        secret = (self.folder / "secrets" / f"client-{name}.key").read_text().strip()
        return {"client": CLIENT, "secret": secret} if kind == "hmac" else {"bearer": secret}

    def stored(self) -> int:
        """Entries of the journal, numbered and waiting: one for each record, and asked without counting rows."""
        journal = self._hub.store.journal
        return journal.head().size + journal.pending()

    def wrong(self) -> int:
        """Rows in the ledger that are no new licence."""
        return sum(n for outcome, n in self._hub.store.ledger.totals().items() if outcome.value != "new")

    def sealed(self) -> int:
        """Licences whose package is there, in both forms."""
        return self._hub.store.packages.states().get("packaged", 0) // 2

    def package_bytes(self) -> dict[str, int]:
        """Bytes in the blob store by media type, as encrypted."""
        return self._hub.store.blobs.sizes()

    def settled(self) -> int:
        """Journal entries that the subscriber has acknowledged (one for each record)."""
        return self._hub.store.subscriptions.progress(SUBSCRIBER).delivered + 1

    def close(self) -> None:
        """Closes this process's connections."""
        self._hub.close()

    def _adapt(self, servers: Servers | None) -> None:
        settings = self._settings()
        settings["gateway"]["port"] = self.port
        if servers:
            settings["store"]["url"] = servers.database.databases.fresh()
            address = servers.broker.vhosts.fresh().replace(
                "guest:guest@", "guest:${file:secrets/bus-password}@"
            )
            settings["bus"]["url"] = address
        self.path.write_text(tomli_w.dumps(settings), "utf-8")

    def _subscribe(self, port: int) -> None:
        settings = self._settings()
        secret = self.folder / "secrets" / f"{SUBSCRIBER}.key"
        secret.write_text(secrets.token_urlsafe(32))
        url = f"http://127.0.0.1:{port}/"
        settings["subscriber"] = [
            {"name": SUBSCRIBER, "url": url, "secret": f"file:secrets/{SUBSCRIBER}.key"}
        ]
        self.path.write_text(tomli_w.dumps(settings), "utf-8")

    def _settings(self) -> dict[str, dict[str, object]]:
        return tomllib.loads(self.path.read_text("utf-8"))
