"""Which style and which seal a licence is packaged with, as the registry and the seal store say now."""

import time
from collections.abc import Callable

import msgspec

from contracts.licence_type import LicenceType
from core.errors import NotFound
from core.packaging.style import Style
from core.ports.signer import Signer
from core.sealing.seal import Seal
from core.sealing.store import SealStore
from core.service.styles import StyleRegistry
from core.store.registry import RegistryStore

FRESH_S = 2.0
"""How long an answer of the registry or the seal store is good for."""


class Dressing:
    """Fulfils the package worker's port; styles are read once per revision, seals again when the folder may have changed."""

    def __init__(
        self,
        registry: RegistryStore,
        seals: SealStore,
        styles: StyleRegistry,
        *,
        document_signer: Signer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._seal_store = seals
        self._style_registry = styles
        self._document_signer = document_signer
        self._clock = clock
        self._styles_checked = self._seals_checked = float("-inf")
        self._revision = -1
        self._seals: list[Seal] = []
        self._styles: dict[str, Style] = {}
        self._item_names: dict[str, dict[str, str]] = {}

    def style(self, licence_type: str) -> Style:
        """The style the licence type names; raises ``NotFound``."""
        self._refresh_styles()
        if licence_type not in self._styles:
            entry = self._registry.show("licence-type", licence_type)
            declared = msgspec.convert(entry.declaration, LicenceType)
            self._item_names[licence_type] = {
                code: item.label.get("zh-CN", code) for code, item in declared.items.items()
            }
            self._styles[licence_type] = self._style_registry.load(declared.style)
        return self._styles[licence_type]

    def item_names(self, licence_type: str) -> dict[str, str]:
        """What the type's extended items are called on a face, by code; raises ``NotFound`` as ``style`` does."""
        self.style(licence_type)
        return self._item_names[licence_type]

    def seal(self, licence_type: str, issuer: str) -> Seal:
        """The first seal in use that may sign for type and issuer; raises ``NotFound``."""
        self._refresh_seals()
        for seal in self._seals:
            if seal.may_sign(licence_type, issuer):
                return seal
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
        """The key that signs the PDF form, if the hub has one."""
        return self._document_signer

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
        in_use = [entry.name for entry in self._seal_store.entries() if not entry.declaration.retired]
        if in_use != [seal.name for seal in self._seals]:
            self._seals = [self._seal_store.open(name) for name in in_use]
        self._seals_checked = self._clock()
