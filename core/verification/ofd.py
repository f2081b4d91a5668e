"""The signatures of an OFD as its markup declares them (GB/T 33190, clause 18): nothing here is judged, only read."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from lxml import etree

from core.verification.container import Container
from core.verification.finding import Broken
from core.verification.markup import OFD, child, location, parse_markup, read_markup, text_of

ENTRY = "OFD.xml"
CONTAINER_PARAMETER = "container"
"""Name of the signed parameter with the digest of the container's bytes; only the hub's own files have it."""
_SCHEMA_DIGEST = "MD5"
"""What the schema means when CheckMethod is absent."""
_CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Reference:
    """One protected member."""

    member: str
    check_value: bytes


@dataclass(frozen=True, kw_only=True)
class OfdSignature:
    """One Signature.xml."""

    name: str
    kind: str
    """``Seal`` or ``Sign``."""
    member: str
    encoding: bytes
    """Signature.xml as it stands in the file."""
    signed_value: str
    """Member with the signature value."""
    seal: str
    """Member with the seal, or empty."""
    provider: str
    method: str
    """SignatureMethod: an algorithm's OID or name."""
    claimed_at: datetime | None
    check_method: str
    references: tuple[Reference, ...]
    parameters: dict[str, str]


@dataclass(frozen=True)
class OfdDocument:
    """What the entry of an OFD leads to."""

    entry: etree._Element
    bodies: tuple[etree._Element, ...]
    signature_lists: tuple[str, ...]
    """Members that list signatures (Signatures.xml), one per document body at most."""
    signatures: tuple[OfdSignature, ...]


def read_ofd(container: Container) -> OfdDocument:
    """The document with its signatures; raises ``Broken``."""
    entry = read_markup(container, ENTRY)
    if entry.tag != OFD + "OFD":
        raise Broken("not-ofd", "OFD.xml is not the entry of an OFD", "OFD.xml 不是 OFD 的入口")
    bodies = tuple(entry.findall(OFD + "DocBody"))
    places = [location(ENTRY, text_of(child(body, "Signatures"))) for body in bodies]
    lists = tuple(place for place in places if place)
    signatures = [signature for place in lists for signature in _listed(container, place)]
    return OfdDocument(entry, bodies, lists, tuple(signatures))


def _listed(container: Container, place: str) -> list[OfdSignature]:
    root = read_markup(container, place)
    entries = root.findall(OFD + "Signature")
    if root.tag != OFD + "Signatures" or len(entries) > container.limits.signatures:
        raise Broken("signature-list", f"{place} is not a list of signatures", f"{place} 不是签名列表")
    names = [entry.get("ID", "") for entry in entries]
    members = [_located(container, place, entry.get("BaseLoc", "")) for entry in entries]
    if len(set(names)) != len(names) or len(set(members)) != len(members):
        raise Broken("signature-twice", f"{place} lists a signature twice", f"{place} 中签名重复")
    return [
        _signature(container, name, entry.get("Type", "Seal"), member)
        for name, entry, member in zip(names, entries, members, strict=True)
    ]


def _signature(container: Container, name: str, kind: str, member: str) -> OfdSignature:
    encoding = container.read(member, container.limits.markup_bytes)
    root = parse_markup(encoding, member, container.limits.markup_nodes)
    info = child(root, "SignedInfo")
    if root.tag != OFD + "Signature" or info is None:
        raise Broken("signature-malformed", f"{member} is not a signature", f"{member} 不是签名描述文件")
    listed = child(info, "References")
    seal = child(info, "Seal")
    provider = child(info, "Provider")
    return OfdSignature(
        name=name,
        kind=kind,
        member=member,
        encoding=encoding,
        signed_value=_located(container, member, text_of(child(root, "SignedValue"))),
        seal=_located(container, member, text_of(child(seal, "BaseLoc"))) if seal is not None else "",
        provider=provider.get("ProviderName", "") if provider is not None else "",
        method=text_of(child(info, "SignatureMethod")),
        claimed_at=_moment(text_of(child(info, "SignatureDateTime"))),
        check_method=listed.get("CheckMethod", _SCHEMA_DIGEST) if listed is not None else _SCHEMA_DIGEST,
        references=_references(container, listed, member),
        parameters=_parameters(info),
    )


def _located(container: Container, base: str, place: str) -> str:
    """The member at ``place``: as the standard says, else from the root, as producers that forget the leading slash mean it."""
    member = location(base, place)
    from_root = member if member in container.members else location("", place)
    return from_root if from_root in container.members else member


def _references(container: Container, listed: etree._Element | None, member: str) -> tuple[Reference, ...]:
    entries = listed.findall(OFD + "Reference") if listed is not None else []
    if not entries or len(entries) > container.limits.references:
        raise Broken(
            "references", f"{member} protects nothing, or too much", f"{member} 没有或有过多的保护项"
        )
    return tuple(
        Reference(
            _located(container, member, entry.get("FileRef", "")),
            _base64(text_of(child(entry, "CheckValue")), member),
        )
        for entry in entries
    )


def _parameters(info: etree._Element) -> dict[str, str]:
    parameters = child(info, "Parameters")
    if parameters is None:
        return {}
    return {entry.get("Name", ""): text_of(entry) for entry in parameters.findall(OFD + "Parameter")}


def _base64(text: str, member: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Broken(
            "references", f"a check value in {member} is not base64", f"{member} 中的校验值不是 base64"
        ) from error


def _moment(text: str) -> datetime | None:
    """SignatureDateTime: ISO 8601, compact, or local Chinese time without a zone; None when it is none of these."""
    for form in ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%SZ", "%Y%m%d%H%M%S"):
        try:
            parsed = datetime.strptime(text, form)  # noqa: DTZ007  # the zone follows below
        except ValueError:
            continue
        return parsed.replace(tzinfo=timezone.utc if form.endswith("Z") else _CHINA)  # noqa: UP017  # one import for both
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=_CHINA)
