"""Which style and which seal a licence is packaged with, as the registry and the seal store say now."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from contracts.licence_type import LicenceType
from core.errors import ConfigError, HubError, NotFound, Unavailable
from core.packaging.style import Style
from core.ports.signer import Signer
from core.sealing.seal import Seal
from core.sealing.store import SealEntry, SealStore
from core.service.styles import StyleRegistry
from core.store.registry import RegistryStore

log = logging.getLogger(__name__)

FRESH_S = 2.0
"""How long an answer of the registry or the seal store is good for."""


class Dressing:
    """Fulfils the package worker's port; styles are read once per revision, seals again when the folder may have changed.

    One seal that cannot be used, because its key or its declaration is broken, keeps no other from being used.
    """

    def __init__(
        self,
        registry: RegistryStore,
        seals: SealStore,
        styles: StyleRegistry,
        *,
        document_signer: Callable[[], Signer] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._registry = registry
        self._seal_store = seals
        self._style_registry = styles
        self._document_signer = document_signer
        self._clock = clock
        self._now = now
        self._styles_checked = self._seals_checked = float("-inf")
        self._revision = -1
        self._entries: dict[str, SealEntry] = {}
        self._seals: dict[str, Seal] = {}
        self._styles: dict[str, Style] = {}
        self._item_names: dict[str, dict[str, str]] = {}
        self._code_tables: dict[str, dict[str, dict[str, str]]] = {}

    def style(self, licence_type: str) -> Style:
        """The style the licence type names; raises ``NotFound``."""
        self._refresh_styles()
        if licence_type not in self._styles:
            entry = self._registry.show("licence-type", licence_type)
            declared = msgspec.convert(entry.declaration, LicenceType)
            self._item_names[licence_type] = {
                code: item.label.get("zh-CN", code) for code, item in declared.items.items()
            }
            self._code_tables[licence_type] = {
                code: item.codes for code, item in declared.items.items() if item.codes
            }
            self._styles[licence_type] = self._style_registry.load(declared.style)
        return self._styles[licence_type]

    def item_names(self, licence_type: str) -> dict[str, str]:
        """What the type's extended items are called on a face, by code; raises ``NotFound`` as ``style`` does."""
        self.style(licence_type)
        return self._item_names[licence_type]

    def code_tables(self, licence_type: str) -> dict[str, dict[str, str]]:
        """Code -> meaning of the type's items that are bound to a code table; raises ``NotFound`` as ``style`` does."""
        self.style(licence_type)
        return self._code_tables[licence_type]

    def seal(self, licence_type: str, issuer: str) -> Seal:
        """The first seal in use that may sign for type and issuer today.

        Raises ``NotFound`` when none is bound to them, ``Unavailable`` when those that are cannot be used now.
        """
        self._refresh_seals()
        bound = [
            name for name, entry in self._entries.items() if entry.declaration.covers(licence_type, issuer)
        ]
        now = self._now()
        for name in bound:
            seal = self._seals.get(name)
            if seal is not None and seal.valid_from <= now <= seal.valid_until:
                return seal
        if bound:
            names = ", ".join(bound)
            raise Unavailable(f"no seal of {names} can be used now", summary_zh=f"印章 {names} 目前无法使用")
        raise NotFound(
            f"no seal may sign type {licence_type} of {issuer}",
            f"没有可用于 {issuer} 的 {licence_type} 的印章",
        )

    def seal_picture(self, licence_type: str, issuer: str) -> bytes:
        """The picture of that seal, without touching its key; empty when no seal in use may sign for them."""
        for entry in self._seal_store.entries():
            if entry.declaration.covers(licence_type, issuer):
                return entry.ses.info.picture
        return b""

    def document_signer(self) -> Signer | None:
        """The key that signs the PDF form now, if the hub has one; raises ``Unavailable`` when it cannot be used."""
        try:
            return self._document_signer() if self._document_signer else None
        except ConfigError as error:
            raise Unavailable(f"the key of PDF packages cannot be used: {error}") from error

    def _refresh_styles(self) -> None:
        if self._clock() - self._styles_checked < FRESH_S:
            return
        revision = self._registry.revision()
        if revision != self._revision:
            self._styles.clear()
            self._revision = revision
        self._styles_checked = self._clock()

    def _refresh_seals(self) -> None:
        if self._clock() - self._seals_checked < FRESH_S:
            return
        entries: dict[str, SealEntry] = {}
        seals: dict[str, Seal] = {}
        for name in self._seal_store.names():
            try:
                entry = self._seal_store.entry(name)
                if entry.declaration.retired:
                    continue
                entries[name] = entry
                same = name in self._seals and self._entries[name] == entry
                seals[name] = self._seals[name] if same else self._seal_store.open(name)
            except HubError as error:
                log.warning("seal %s cannot be used: %s", name, error)
        self._entries, self._seals = entries, seals
        self._seals_checked = self._clock()
