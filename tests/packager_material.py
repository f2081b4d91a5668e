"""A package worker on a real store, bus and seal, with a signer that can be away."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from core.errors import NotFound, Unavailable
from core.packaging.style import Style
from core.packaging.style_loader import shipped_style
from core.packaging.typeface import FONTS, SHIPPED_FONT
from core.ports.bus import Bus
from core.ports.observe import Unobserved
from core.ports.signer import Signer
from core.sealing.authority import PDF_SIGNER, SEAL_MAKER, SEAL_SIGNER, create_development_authorities
from core.sealing.making import SealDesign, make_seal
from core.sealing.picture import SealText, draw_seal
from core.sealing.seal import ANY, Seal
from core.service.originals import Originals
from core.service.package_files import PackageFiles
from core.store import Store, open_store, prepare_store
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from router.bus import open_bus
from router.package_material import PackageMaterial
from router.packager import Library, PackageWorker
from store_material import candidate

Version = tuple[UUID, int]


class Reluctant:
    """A signer that is away as often as it is told to."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.away = 0

    @property
    def key_id(self) -> str:
        return self._signer.key_id

    @property
    def algorithm(self) -> object:
        return self._signer.algorithm

    @property
    def certificate(self) -> bytes:
        return self._signer.certificate

    @property
    def chain(self) -> Sequence[bytes]:
        return self._signer.chain

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        if self.away:
            self.away -= 1
            raise Unavailable("the seal service is away", retry_after_s=0.1)
        return self._signer.sign(messages)


class Sealing:
    """A seal and what it trusts, made once."""

    def __init__(self, folder: Path) -> None:
        authorities = create_development_authorities(folder)
        self.signer = Reluctant(authorities.seals.signer(SEAL_SIGNER))
        now = datetime.now(UTC).replace(microsecond=0)
        design = SealDesign(
            name="test",
            picture_png=draw_seal(SealText("测试"), FONTS / SHIPPED_FONT),
            signer_certificates=(self.signer.certificate,),
            created=now,
            valid_from=now - timedelta(days=1),
            valid_until=now + timedelta(days=1),
        )
        ses = make_seal(authorities.seals.signer(SEAL_MAKER), design)
        self.made = Seal("test", ses, self.signer, frozenset([ANY]), frozenset([ANY]))  # type: ignore[arg-type]  # a Signer
        self.documents = authorities.documents.signer(PDF_SIGNER)
        self.trust = TrustStore.of(authorities.roots)


class Wardrobe:
    def __init__(self, seal: Seal) -> None:
        self.bound = seal
        self.missing = False
        self.documents: Signer | None = None
        self.tables: dict[str, dict[str, str]] = {}

    def style(self, _licence_type: str) -> Style:
        return shipped_style("permit")

    def item_names(self, _licence_type: str) -> dict[str, str]:
        return {"KZ_XKNR": "许可内容"}

    def code_tables(self, _licence_type: str) -> dict[str, dict[str, str]]:
        return self.tables

    def document_signer(self) -> Signer | None:
        return self.documents

    def seal(self, licence_type: str, issuer: str) -> Seal:
        if self.missing:
            raise NotFound(f"no seal may sign {licence_type} of {issuer}")
        return self.bound


class Bench:
    def __init__(self, folder: Path, sealing: Sealing) -> None:
        url = f"sqlite:///{folder}/hub.db"
        prepare_store(url)
        self.store: Store = open_store(url, master=os.urandom(32))
        self.bus: Bus = open_bus("embedded", folder / "bus.db")
        self.bus.declare()
        self.dressing = Wardrobe(sealing.made)
        self.sealing = sealing
        sealing.signer.away = 0
        store = self.store
        self.trusted = sealing.trust
        """What the hub believes now; replace it to mend the trust store."""
        originals = Originals(lambda: self.trusted, store.licences.meanings_of)
        library = Library("测试证照库", "TEST")
        self.worker = PackageWorker(
            self.bus,
            store.packages,
            PackageMaterial(store.licences, store.blobs, originals),
            store.blobs,
            self.dressing,
            library,
            Unobserved(),
        )

    def stored(self, number: str, **changes: object) -> Version:
        (result,) = self.store.records.commit([candidate(number, **changes)], [])  # type: ignore[arg-type]  # shorthand
        assert result.licence_id is not None
        assert result.version_no is not None
        return result.licence_id, result.version_no

    def state(self, version: Version) -> tuple[str, str]:
        row = self.store.packages.get(*version)
        assert row is not None
        return row.state, row.detail

    def close(self) -> None:
        self.bus.close()
        self.store.close()

    def verdict(self, version: Version, form: str = "ofd") -> str:
        data = PackageFiles(self.store).file(*version, form)
        return verify_file(data, self.trusted, library=self.store.licences).verdict.value
