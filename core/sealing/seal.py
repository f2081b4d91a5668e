"""An electronic seal in use: its SES structure, the key that may apply it, and what it is bound to; makes signature values."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from asn1crypto import x509

from core.errors import Refused
from core.gm import der
from core.gm.sm3 import sm3
from core.ports.signer import Signer
from core.sealing.ses import SesSeal
from core.sealing.suites import Suite, suite_of

ANY = "*"
"""In a seal's binding: any licence type, or any issuer."""


class SealOrder(NamedTuple):
    """One document to be sealed."""

    data_hash: bytes
    """Digest (``seal.suite``) of Signature.xml as written."""
    property_info: str
    """Absolute path of Signature.xml inside the document."""
    sealed_at: datetime


@dataclass(frozen=True)
class Seal:
    """A seal with its signer; ``licence_types`` and ``issuers`` say what it may sign for (``ANY`` for all)."""

    name: str
    ses: SesSeal
    signer: Signer
    licence_types: frozenset[str]
    issuers: frozenset[str]
    retired: bool = False

    def __post_init__(self) -> None:
        certificate = self.signer.certificate
        if not self.ses.lists(certificate, (sm3(certificate), hashlib.sha256(certificate).digest())):
            raise Refused(
                "seal-foreign-key",
                f"seal {self.name} does not list the signer's certificate",
                summary_zh=f"印章 {self.name} 的证书列表中没有该签章人证书",
            )

    @property
    def der(self) -> bytes:
        """The SES seal as it stands in Seal.esl."""
        return self.ses.encoding

    @property
    def picture(self) -> bytes:
        """The seal's picture (``ses.info.picture_type``), for faces and PDFs."""
        return self.ses.info.picture

    @property
    def size_mm(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.ses.info.width_mm, self.ses.info.height_mm

    @property
    def suite(self) -> Suite:
        """Signature algorithm and the digest to use for members and Signature.xml."""
        return suite_of(self.signer.algorithm)

    @cached_property
    def valid_from(self) -> datetime:
        """The first moment of both the seal and its key's certificate."""
        begins: datetime = self._certificate.not_valid_before
        return max(self.ses.info.valid_from, begins)

    @cached_property
    def valid_until(self) -> datetime:
        """The last moment of both the seal and its key's certificate."""
        ends: datetime = self._certificate.not_valid_after
        return min(self.ses.info.valid_until, ends)

    @property
    def _certificate(self) -> x509.Certificate:
        return x509.Certificate.load(self.signer.certificate)

    def may_sign(self, licence_type: str, issuer: str) -> bool:
        """Whether the seal is in use and bound to this licence type and issuer (code)."""
        type_fits = ANY in self.licence_types or licence_type in self.licence_types
        return not self.retired and type_fits and (ANY in self.issuers or issuer in self.issuers)

    @cached_property
    def _before_time(self) -> bytes:
        return der.integer(self.ses.info.version) + self.der

    @cached_property
    def _after_content(self) -> bytes:
        return der.octets(self.signer.certificate) + der.oid(self.suite.signature_oid)


def signed_value(seal: Seal, data_hash: bytes, property_info: str, sealed_at: datetime) -> bytes:
    """SES_Signature version 4 (GB/T 38540) as DER; raises ``Refused`` like ``signed_values``."""
    return signed_values(seal, [SealOrder(data_hash, property_info, sealed_at)])[0]


def signed_values(seal: Seal, orders: Sequence[SealOrder]) -> list[bytes]:
    """SES_Signature values of a batch, in its order.

    Raises ``Refused`` when the seal is retired or not valid at a sealing time, and what ``Signer.sign`` raises.
    """
    to_sign = [_to_sign(seal, order) for order in orders]
    tail = seal._after_content  # noqa: SLF001  # the two halves of one hot path; kept on the seal because it is per seal
    return [
        der.sequence(tbs, tail, der.bits(signature))
        for tbs, signature in zip(to_sign, seal.signer.sign(to_sign), strict=True)
    ]


def _to_sign(seal: Seal, order: SealOrder) -> bytes:
    _refuse_unless_usable(seal, order.sealed_at)
    return der.sequence(
        seal._before_time,  # noqa: SLF001  # see signed_values
        der.generalized_time(order.sealed_at),
        der.bits(order.data_hash),
        der.ia5(order.property_info),
    )


def _refuse_unless_usable(seal: Seal, moment: datetime) -> None:
    if seal.retired:
        raise Refused("seal-retired", f"seal {seal.name} is retired", summary_zh=f"印章 {seal.name} 已停用")
    info = seal.ses.info
    if not info.valid_from <= moment.astimezone(UTC) <= info.valid_until:
        raise Refused(
            "seal-not-valid",
            f"seal {seal.name} is not valid at {moment.isoformat()}",
            summary_zh=f"印章 {seal.name} 在 {moment.isoformat()} 不在有效期内",
        )
