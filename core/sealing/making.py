"""Making a seal: picture, properties and certificate list under the seal maker's signature (GB/T 38540, version 4)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.gm import der
from core.ports.signer import Signer
from core.sealing.picture import LIMIT_BYTES
from core.sealing.ses import VERSION, SealInfo, SesSeal, build_info, parse_seal
from core.sealing.suites import suite_of

VENDOR = "LicenceHub"
UNIT_SEAL = 1


@dataclass(frozen=True, kw_only=True)
class SealDesign:
    """What a new seal shows and who may use it."""

    name: str
    picture_png: bytes
    signer_certificates: Sequence[bytes]
    created: datetime
    valid_from: datetime
    valid_until: datetime
    width_mm: int = 40
    height_mm: int = 40
    kind: int = UNIT_SEAL


def make_seal(maker: Signer, design: SealDesign) -> SesSeal:
    """A version 4 seal signed by ``maker`` over information, certificate and algorithm; ValueError for a picture too large."""
    if len(design.picture_png) > LIMIT_BYTES:
        raise ValueError(f"the picture has {len(design.picture_png)} bytes, {LIMIT_BYTES} are allowed")
    info = build_info(_info(design))
    tail = der.octets(maker.certificate) + der.oid(suite_of(maker.algorithm).signature_oid)
    signature = maker.sign([der.sequence(info, tail)])[0]
    return parse_seal(der.sequence(info, tail, der.bits(signature)))


def _info(design: SealDesign) -> SealInfo:
    return SealInfo(
        version=VERSION,
        vendor=VENDOR,
        seal_id=secrets.token_hex(16),
        kind=design.kind,
        name=design.name,
        certificates=tuple(design.signer_certificates),
        certificate_digests=(),
        created=design.created,
        valid_from=design.valid_from,
        valid_until=design.valid_until,
        picture_type="PNG",
        picture=design.picture_png,
        width_mm=design.width_mm,
        height_mm=design.height_mm,
    )
