"""Revocation lists (RFC 5280, section 5) kept in the trust store: a certificate revoked before the signing time signs nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

from asn1crypto import crl, pem

from core.gm import der
from core.verification.certificates import Certificate, verify_signature
from core.verification.finding import Broken, Finding


@dataclass(frozen=True)
class RevocationList:
    """A DER certificate revocation list."""

    encoding: bytes

    @cached_property
    def parsed(self) -> Any:
        """asn1crypto's view; raises ``ValueError`` when it is no revocation list."""
        return crl.CertificateList.load(self.encoding, strict=True)

    @cached_property
    def revoked(self) -> dict[int, datetime]:
        """When each serial number was revoked."""
        entries = self.parsed["tbs_cert_list"]["revoked_certificates"]
        return {entry["user_certificate"].native: entry["revocation_date"].native for entry in entries}

    def is_of(self, issuer: Certificate) -> bool:
        """Whether ``issuer`` signed this list."""
        if self.parsed.issuer.dump() != issuer.parsed.subject.dump():
            return False
        tbs, algorithm, signature = der.children(der.read_one(self.encoding, der.SEQUENCE).content)
        dotted = der.read_oid(der.children(algorithm.content)[0])
        try:
            return verify_signature(issuer, dotted, tbs.encoding, der.read_bits(signature))
        except Finding:
            return False


def read_revocation_list(data: bytes) -> RevocationList:
    """The list of a PEM or DER file; raises ``ValueError``."""
    found = RevocationList(pem.unarmor(data)[2] if pem.detect(data) else data)
    der.read_one(found.encoding, der.SEQUENCE)
    _ = found.revoked  # parsed now, so that a bad file is named when the store is read
    return found


def check_not_revoked(
    chain: Sequence[Certificate], lists: Iterable[RevocationList], moment: datetime
) -> None:
    """Raises ``Broken`` when a certificate of ``chain`` had been revoked by its issuer at ``moment``."""
    for certificate, issuer in pairwise(chain):
        for listed in lists:
            when = listed.revoked.get(certificate.parsed.serial_number)
            if when is not None and when <= moment and listed.is_of(issuer):
                raise Broken(
                    "certificate-revoked",
                    f"the certificate of {certificate.subject} was revoked {when.isoformat()}, before the signing time",
                    f"{certificate.subject} 的证书已于 {when.isoformat()}（签署时间之前）被吊销",
                )
