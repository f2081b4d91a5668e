"""Use cases of seals: make one under the development authority, take one in that an authority made elsewhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from os.path import relpath
from pathlib import Path

from core.sealing.authority import SEAL_MAKER, Authority
from core.sealing.certificates import Purpose
from core.sealing.making import SealDesign, make_seal
from core.sealing.picture import SealText, draw_seal
from core.sealing.seal import ANY, Seal
from core.sealing.store import KeyReference, SealDeclaration, SealEntry, SealStore, read_seal

_BACKDATED = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class NewSeal:
    """A seal to be drawn and made."""

    name: str
    """In the store: a-z, 0-9 and hyphens."""
    text: SealText
    licence_types: tuple[str, ...] = (ANY,)
    issuers: tuple[str, ...] = (ANY,)
    validity: timedelta = timedelta(days=5 * 365)


def create_seal(
    store: SealStore, authority: Authority, wanted: NewSeal, font_file: Path, now: datetime
) -> SealEntry:
    """Draws the seal, issues its key under ``authority`` and takes it into the store.

    Raises ``Refused`` for a name in use or unfit and ``ConfigError`` when the authority has no seal maker.
    """
    place = store.free_place(wanted.name)
    maker = authority.signer(SEAL_MAKER)
    issued = f"seal-{wanted.name}"
    validity = (now - _BACKDATED, now + wanted.validity)
    signer = authority.issue(
        issued, Purpose.DOCUMENT_SIGNER, common_name=wanted.text.owner, validity=validity
    )
    design = SealDesign(
        name=wanted.text.owner,
        picture_png=draw_seal(wanted.text, font_file),
        signer_certificates=(signer.certificate,),
        created=now,
        valid_from=validity[0],
        valid_until=validity[1],
    )
    folder = relpath(authority.folder, place.parent)
    key = KeyReference(pem=f"{folder}/{issued}.key", certificate=f"{folder}/{issued}.crt")
    declaration = SealDeclaration(key, wanted.licence_types, wanted.issuers)
    return store.add(wanted.name, make_seal(maker, design).encoding, declaration)


def import_seal(store: SealStore, name: str, ses: bytes, declaration: SealDeclaration) -> SealEntry:
    """Takes in a seal after opening its key.

    Raises ``ConfigError`` for what cannot be read, ``Refused`` for a key the seal does not list and for a name in use.
    """
    store.free_place(name)
    signer = store.signer(declaration.key)
    bound = (frozenset(declaration.licence_types), frozenset(declaration.issuers))
    Seal(name, read_seal(name, ses), signer, *bound)  # refuses a key that is not listed
    return store.add(name, ses, declaration)
