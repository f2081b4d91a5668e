"""SES electronic seals and their signature values: versions 1 (GM/T 0031-2014), 4 (GB/T 38540-2020) and 5 (GM/T 0031-2025).

Reading is strict DER, times apart; building is version 4 alone.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from core.gm import der
from core.gm.der import DerError, Tlv

CERTIFICATES, CERTIFICATE_DIGESTS = 1, 2
VERSION = 4
_CONTEXT_0 = 0xA0
_LOOSE_TIME = re.compile(r"(\d{14})(?:[.,]\d{1,9})?(Z|[+-]\d{4})")


@dataclass(frozen=True, kw_only=True)
class SealInfo:
    """SES_SealInfo: what the seal maker signs."""

    version: int
    vendor: str
    """vid: who made the sealing software."""
    seal_id: str
    kind: int
    """1 unit seal, 2 personal, others by the maker."""
    name: str
    certificates: tuple[bytes, ...]
    """DER certificates that may use the seal (empty when the list holds digests)."""
    certificate_digests: tuple[bytes, ...]
    created: datetime
    valid_from: datetime
    valid_until: datetime
    picture_type: str
    picture: bytes
    width_mm: int
    height_mm: int


@dataclass(frozen=True, kw_only=True)
class SesSeal:
    """SESeal with the encodings that matter to signatures kept as they were."""

    info: SealInfo
    info_encoding: bytes
    maker_certificate: bytes
    signature_algorithm: str
    signature: bytes
    timestamped: bool
    encoding: bytes

    def signed_forms(self) -> dict[str, bytes]:
        """What the maker may have signed: the standards cover certificate and algorithm too, some producers the info alone."""
        tail = der.octets(self.maker_certificate) + der.oid(self.signature_algorithm)
        return {
            "info, certificate and algorithm": der.sequence(self.info_encoding, tail),
            "info alone": self.info_encoding,
        }

    def lists(self, certificate: bytes, digests: tuple[bytes, ...] = ()) -> bool:
        """Whether the seal's list names ``certificate``, by itself or by one of its ``digests``."""
        return certificate in self.info.certificates or any(
            d in self.info.certificate_digests for d in digests
        )


@dataclass(frozen=True, kw_only=True)
class SesSignature:
    """SES_Signature: a seal applied to a document."""

    version: int
    seal: SesSeal
    signed_at: datetime | None
    """timeInfo; None in version 1 when it is not a plain time."""
    data_hash: bytes
    property_info: str
    to_sign: bytes
    """DER of TBS_Sign, the bytes signed."""
    certificate: bytes
    signature_algorithm: str
    signature: bytes
    timestamp: bytes | None
    encoding: bytes


def parse_seal(data: bytes) -> SesSeal:
    """The seal in ``data``; raises ``DerError``. Versions are told apart by their element counts and header."""
    parts = der.children(der.read_one(data, der.SEQUENCE).content)
    if len(parts) == 2:
        signing = _parts(parts[1], 3, 3)
        maker, algorithm, signature = signing
    elif len(parts) in (4, 5):
        maker, algorithm, signature = parts[1:4]
        if len(parts) == 5 and parts[4].tag != _CONTEXT_0:
            raise DerError("fifth element of a seal is its timestamp")
    else:
        raise DerError("a seal has two, four or five elements")
    info = _seal_info(parts[0])
    if (len(parts) == 2) != (info.version < VERSION) or (len(parts) == 5 and info.version == VERSION):
        raise DerError("the seal's structure is not that of its version")
    return SesSeal(
        info=info,
        info_encoding=parts[0].encoding,
        maker_certificate=der.read_octets(maker),
        signature_algorithm=der.read_oid(algorithm),
        signature=der.read_bits(signature),
        timestamped=len(parts) == 5,
        encoding=data,
    )


def parse_signature(data: bytes) -> SesSignature:
    """The signature value in ``data``; raises ``DerError``."""
    parts = der.children(der.read_one(data, der.SEQUENCE).content)
    if len(parts) not in (2, 4, 5):
        raise DerError("a signature value has two, four or five elements")
    if len(parts) == 5 and parts[4].tag != _CONTEXT_0:
        raise DerError("fifth element of a signature value is its timestamp")
    signed = _parts(parts[0], 7, 7) if len(parts) == 2 else _parts(parts[0], 5, 6)
    version = der.read_integer(signed[0])
    seal = parse_seal(signed[1].encoding)
    old = len(parts) == 2
    if old != (seal.info.version < VERSION):
        raise DerError("the signature value and its seal are of different versions")
    certificate, algorithm = signed[5:7] if old else parts[1:3]
    return SesSignature(
        version=version,
        seal=seal,
        signed_at=_time_in_bits(signed[2]) if old else _time(signed[2]),
        data_hash=der.read_bits(signed[3]),
        property_info=der.read_text(signed[4]),
        to_sign=parts[0].encoding,
        certificate=der.read_octets(certificate),
        signature_algorithm=der.read_oid(algorithm),
        signature=der.read_bits(parts[1] if old else parts[3]),
        timestamp=der.read_bits(der.read_one(parts[4].content)) if len(parts) == 5 else None,
        encoding=data,
    )


def build_info(info: SealInfo) -> bytes:
    """DER of SES_SealInfo, version 4, with certificates (not digests) in its list."""
    return der.sequence(
        der.sequence(der.ia5("ES"), der.integer(VERSION), der.ia5(info.vendor)),
        der.ia5(info.seal_id),
        der.sequence(
            der.integer(info.kind),
            der.utf8(info.name),
            der.integer(CERTIFICATES),
            der.sequence(*(der.octets(certificate) for certificate in info.certificates)),
            *(der.generalized_time(moment) for moment in (info.created, info.valid_from, info.valid_until)),
        ),
        der.sequence(
            der.ia5(info.picture_type),
            der.octets(info.picture),
            der.integer(info.width_mm),
            der.integer(info.height_mm),
        ),
    )


def _seal_info(element: Tlv) -> SealInfo:
    header, seal_id, properties, picture = _parts(element, 4, 5)[:4]
    mark, version_part, vendor = _parts(header, 3, 3)
    version = der.read_integer(version_part)
    if der.read_text(mark) != "ES" or not 1 <= version <= 5:
        raise DerError("not an electronic seal of version 1 to 5")
    kind, name, *listed, created, valid_from, valid_until = _parts(
        properties, 6 if version < VERSION else 7, 7
    )
    picture_type, data, width, height = _parts(picture, 4, 4)
    certificates, digests = _certificate_list(listed)
    return SealInfo(
        version=version,
        vendor=der.read_text(vendor),
        seal_id=der.read_text(seal_id),
        kind=der.read_integer(kind),
        name=der.read_text(name),
        certificates=certificates,
        certificate_digests=digests,
        created=_time(created),
        valid_from=_time(valid_from),
        valid_until=_time(valid_until),
        picture_type=der.read_text(picture_type),
        picture=der.read_octets(data),
        width_mm=der.read_integer(width),
        height_mm=der.read_integer(height),
    )


def _certificate_list(listed: list[Tlv]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Certificates, or digests of certificates (CertDigestObj), of the seal's list; version 1 has certificates alone."""
    kind = der.read_integer(listed[0]) if len(listed) == 2 else CERTIFICATES
    entries = der.children(der.read_one(listed[-1].encoding, der.SEQUENCE).content)
    if kind == CERTIFICATES:
        return tuple(entry.content for entry in entries if entry.tag == der.OCTET_STRING), ()
    if kind == CERTIFICATE_DIGESTS:
        return (), tuple(der.read_octets(_parts(entry, 2, 2)[1]) for entry in entries)
    raise DerError("unknown kind of certificate list")


def _time_in_bits(element: Tlv) -> datetime | None:
    try:
        return _time(der.read_one(der.read_bits(element)))
    except DerError:
        return None


def _time(element: Tlv) -> datetime:
    """A time in DER, or with the fractions and offsets some producers write."""
    text = element.content.decode("ascii", "replace")
    match = _LOOSE_TIME.fullmatch(text) if element.tag == der.GENERALIZED_TIME else None
    if match is None:
        return der.read_time(element)
    try:
        return datetime.strptime(match[1] + match[2].replace("Z", "+0000"), "%Y%m%d%H%M%S%z")
    except ValueError as error:
        raise DerError("no such time") from error


def _parts(element: Tlv, least: int, most: int) -> list[Tlv]:
    parts = der.children(der.read_one(element.encoding, der.SEQUENCE).content)
    if not least <= len(parts) <= most:
        raise DerError(f"{len(parts)} elements where {least} to {most} are due")
    return parts
