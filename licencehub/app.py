"""The composition root: knows everybody, connects them, holds no logic of its own.

``Hub`` is one process's share of a configured hub. Its parts are made when they are first asked for, so that a command
touches only what it needs; ``close`` ends them in the reverse order.
"""

import logging
import re
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from core.config import HubConfig
from core.keyring import parse_master
from core.ports.bus import Bus
from core.sealing.authority import JOURNAL, PDF_SIGNER
from core.sealing.store import SealStore
from core.sealing.succession import CurrentSigner, Succession
from core.secrets import resolve
from core.service.dressing import Dressing
from core.service.originals import Originals
from core.service.styles import StyleRegistry
from core.service.trust import CurrentTrust, trust_of
from core.store import Store, open_store, prepare_store
from core.verification.report import VerificationReport
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from licencehub import __version__
from monitoring.metrics import PrometheusObserver
from monitoring.state import StateGauges
from router.bus import open_bus
from router.intake import BlockingIntake, ManifestLog

log = logging.getLogger(__name__)

_REFERENCE = re.compile(r"\$\{([^}]+)\}")


class Hub:
    """One process of a hub."""

    def __init__(self, config: HubConfig, process: str = "command") -> None:
        """``process`` names this process's slot in metrics and manifests."""
        self.config = config
        self.process = process
        self.observer = PrometheusObserver()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes what was opened."""
        self._open.close()

    @property
    def folder(self) -> Path:
        """Folder of the configuration: secrets and relative paths count from it."""
        return Path(self.config.folder)

    @property
    def metrics_folder(self) -> Path:
        """Where the processes of this hub on this host leave their metrics."""
        return self.config.data / "metrics"

    def prepare(self) -> str:
        """Brings the store's schema to this release; returns its revision. Safe from several processes at once."""
        section = self.config.store
        owner = self._placed(self.url(section.migration_url)) if section.migration_url else ""
        return prepare_store(self._placed(self.url(section.url)), owner)

    @cached_property
    def store(self) -> Store:
        """The store; ``prepare`` has made its schema. Raises ``ConfigError`` for a master key that is not the store's."""
        section = self.config.store
        store = open_store(
            self._placed(self.url(section.url)),
            master=parse_master(resolve(self.config.keys.master, self.folder)),
            pool_size=section.pool,
            statement_timeout_s=section.statement_timeout_s,
            application_name=f"licence-hub {self.process}",
        )
        self._open.callback(store.close)
        return store

    @cached_property
    def bus(self) -> Bus:
        """The bus, its topology declared."""
        bus = self.bus_as_found()
        try:
            bus.declare()
        except BaseException:
            bus.close()
            raise
        self._open.callback(bus.close)
        return bus

    def bus_as_found(self) -> Bus:
        """The bus as it is: nothing is made where something is missing. The caller closes it."""
        section = self.config.bus
        url = self.url(section.url)
        place = self.config.path(url) if section.kind == "embedded" else url
        return open_bus(section.kind, place, prefix=section.prefix)

    @cached_property
    def seals(self) -> SealStore:
        """The seal store."""
        return SealStore(self.config.path(self.config.seal.folder) / "seals")

    @cached_property
    def styles(self) -> StyleRegistry:
        """Registered and shipped styles."""
        return StyleRegistry(self.store, self.config.data / "styles")

    @cached_property
    def dressing(self) -> Dressing:
        """Styles and seals by licence type."""
        document_signer = CurrentSigner(self.keys(PDF_SIGNER))
        return Dressing(self.store.registry, self.seals, self.styles, document_signer=document_signer)

    @cached_property
    def originals(self) -> Originals:
        """Who judges other libraries' originals."""
        return Originals(lambda: self.trust, self.store.licences.meanings_of)

    @cached_property
    def wardrobe(self) -> Dressing:
        """Styles and pictures of seals, for processes that have no keys."""
        return Dressing(self.store.registry, self.seals, self.styles)

    @cached_property
    def journal_signer(self) -> CurrentSigner:
        """Gives the key that signs the journal's checkpoints now."""
        return CurrentSigner(self.keys(JOURNAL))

    def keys(self, name: str) -> Succession:
        """The keys that the hub's document authority has issued under a name."""
        return Succession(self.authority_folder / "documents", name)

    @property
    def authority_folder(self) -> Path:
        """The development authorities and the certificates they issued."""
        return self.config.path(self.config.seal.folder) / "authority"

    @cached_property
    def manifest(self) -> ManifestLog:
        """What this process has published since the last manifest was written."""
        return ManifestLog(f"{self.config.hub.name}/{self.process}", self.store.manifests)

    def intake(self) -> BlockingIntake:
        """A blocking way in; one per thread."""
        return BlockingIntake(self.bus, self.store.keyring, self.manifest)

    @property
    def trust(self) -> TrustStore:
        """What verification believes now: the hub's own authorities and those the configuration names; raises ``ConfigError``."""
        return self._current_trust()

    @cached_property
    def _current_trust(self) -> CurrentTrust:
        further = [self.config.path(file) for file in self.config.seal.trust]
        return CurrentTrust(lambda: trust_of(self.authority_folder, further))

    def verify(self, data: bytes) -> VerificationReport:
        """The report on a package file, asked of this library too."""
        return verify_file(data, self.trust, library=self.store.licences)

    def state_gauges(self) -> StateGauges:
        """The gauges that a scrape reads."""
        return StateGauges(self.store, self.bus, __version__)

    def url(self, url: str) -> str:
        """A URL of the configuration with its secrets in place."""
        return _REFERENCE.sub(lambda found: resolve(found.group(1), self.folder), url)

    def _placed(self, url: str) -> str:
        """A relative SQLite path counts from the configuration's folder."""
        prefix = "sqlite:///"
        if url.startswith(prefix) and not url.startswith(prefix + "/"):
            return prefix + str(self.config.path(url.removeprefix(prefix)))
        return url
