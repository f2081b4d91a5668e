"""Use cases of seals: make one under the development authority, take one in that an authority made elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from os.path import relpath
from pathlib import Path

from contracts.identifier import type_code_fault
from core.errors import Refused
from core.packaging.typeface import typeface
from core.sealing.authority import SEAL_MAKER, Authority
from core.sealing.certificates import Purpose
from core.sealing.making import SealDesign, make_seal
from core.sealing.picture import SealText, draw_seal
from core.sealing.seal import ANY, Seal
from core.sealing.store import KeyReference, SealDeclaration, SealEntry, SealStore, read_seal
from core.verification.certificates import certificate_of
from core.verification.finding import Finding
from core.verification.signed_values import maker_coverage

_LONGEST_OWNER = 60
"""Characters; from some forty on they are too narrow to be read."""
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

    Raises ``Refused`` for a name in use or unfit, a text that cannot be drawn and what is no type code, ``ConfigError`` when the
    authority has no seal maker.
    """
    _check_types(wanted.licence_types)
    _check_drawable(wanted.text, font_file)
    place = store.free_place(wanted.name)
    maker = authority.signer(SEAL_MAKER)
    picture = draw_seal(wanted.text, font_file)
    issued = authority.free_name(f"seal-{wanted.name}")  # an attempt that failed may have left a key
    validity = (now - _BACKDATED, now + wanted.validity)
    signer = authority.issue(
        issued, Purpose.DOCUMENT_SIGNER, common_name=wanted.text.owner, validity=validity
    )
    design = SealDesign(
        name=wanted.text.owner,
        picture_png=picture,
        signer_certificates=(signer.certificate,),
        created=now,
        valid_from=validity[0],
        valid_until=validity[1],
    )
    folder = relpath(authority.folder, place.parent)
    key = KeyReference(pem=f"{folder}/{issued}.key", certificate=f"{folder}/{issued}.crt")
    declaration = SealDeclaration(key, wanted.licence_types, wanted.issuers)
    return store.add(wanted.name, make_seal(maker, design).encoding, declaration)


def _check_drawable(text: SealText, font_file: Path) -> None:
    if not text.owner.strip():
        raise Refused(
            "seal-owner", "a seal needs the name of its owner", status=400, summary_zh="印章须有持有单位名称"
        )
    if len(text.owner) > _LONGEST_OWNER:
        raise Refused(
            "seal-owner",
            f"the owner's name has {len(text.owner)} characters, the ring has room for {_LONGEST_OWNER}",
            status=400,
            summary_zh=f"持有单位名称有 {len(text.owner)} 个字符，印章环上最多 {_LONGEST_OWNER} 个",
        )
    if missing := "".join(typeface(font_file).missing_glyphs(text.owner + text.line)):
        raise Refused(
            "seal-glyph", f"the font lacks {missing}", status=400, summary_zh=f"字体中没有字符 {missing}"
        )


def _check_types(licence_types: Sequence[str]) -> None:
    for code in licence_types:
        if code != ANY and (fault := type_code_fault(code)):
            raise Refused(
                "seal-type",
                f"{code!r} is no licence type: {fault.message} ({fault.remedy})",
                status=400,
                summary_zh=f"{code!r} 不是证照类型代码：{fault.message_zh}（{fault.remedy_zh}）",
            )


def import_seal(
    store: SealStore, name: str, ses: bytes, declaration: SealDeclaration, now: datetime
) -> SealEntry:
    """Takes in a seal after opening its key and checking that packages sealed with it can be valid.

    Raises ``ConfigError`` for what cannot be read and a certificate of another key, and ``Refused`` for a name in use, what is no
    type code, a key the seal does not list, a certificate that may not sign documents, and a seal or certificate that has ended.
    """
    _check_types(declaration.licence_types)
    store.free_place(name)
    signer = store.signer(declaration.key)
    bound = (frozenset(declaration.licence_types), frozenset(declaration.issuers))
    seal = Seal(name, read_seal(name, ses), signer, *bound)  # refuses a key that is not listed
    try:
        certificate_of(signer.certificate).check_document_purpose()
        maker_coverage(seal.ses)
    except Finding as found:
        reason = found.reason
        code = reason.code if reason.code.startswith("seal-") else f"seal-{reason.code}"
        raise Refused(code, reason.en, status=400, summary_zh=reason.zh) from found
    if seal.valid_until < now:
        raise Refused(
            "seal-ended",
            f"seal {name}, or the certificate of its key, ended {seal.valid_until.isoformat()}",
            status=400,
            summary_zh=f"印章 {name} 或其密钥证书已于 {seal.valid_until.isoformat()} 到期",
        )
    if seal.valid_from > seal.valid_until:
        raise Refused(
            "seal-never-valid",
            f"seal {name} and the certificate of its key are never valid together",
            status=400,
            summary_zh=f"印章 {name} 与其密钥证书的有效期没有重叠",
        )
    return store.add(name, ses, declaration)


def retire_seal(store: SealStore, name: str, now: datetime, *, leave_gap: bool = False) -> SealEntry:
    """Takes a seal out of use for good; what it has sealed stays valid.

    Raises ``NotFound``, and ``Refused`` (409) when no other seal can take over all that it signs for: those licences would wait
    unsealed. ``leave_gap`` retires it all the same, as for a key in the wrong hands.
    """
    entry = store.entry(name)
    if not (leave_gap or entry.declaration.retired) and not _followed(store, entry, now):
        raise Refused(
            "seal-last",
            f"no other seal signs for all that {name} signs for: make or import its successor first, or leave a gap",
            status=409,
            summary_zh=f"没有其他印章可完全接替 {name}：请先制作或导入后继印章，或明确允许空缺",
        )
    return store.retire(name)


def _followed(store: SealStore, leaving: SealEntry, now: datetime) -> bool:
    """Whether one seal in use, its key at hand, is bound to all that ``leaving`` is bound to."""
    others = [
        entry for entry in store.entries() if entry.name != leaving.name and not entry.declaration.retired
    ]
    covering = [entry.name for entry in others if entry.declaration.covers_all(leaving.declaration)]
    return any(seal.valid_from <= now <= seal.valid_until for seal in map(store.open, covering))
