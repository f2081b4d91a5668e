"""A small certificate authority on files, for development and for places that have none: not a replacement for a licensed one.

A folder holds ``root.crt`` and ``root.key``, and a pair of files per certificate issued; private files are mode 0600.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.errors import Refused
from core.gm import libcrypto
from core.ports.signer import Algorithm
from core.sealing.certificates import CertificateRequest, Purpose, build_certificate
from core.sealing.keyfiles import certificates_pem, load_signer, private_pem, write_private
from core.sealing.signers import SoftwareSigner, generate_key, spki_of

ROOT_YEARS, LEAF_YEARS = 20, 5
_BACKDATED = timedelta(minutes=5)
"""Certificates begin a little in the past, so that a clock slightly behind does not refuse them."""


@dataclass(frozen=True)
class Authority:
    """A root key with its certificate, able to issue others into its folder."""

    folder: Path
    root: SoftwareSigner
    organisation: str

    def issue(
        self,
        name: str,
        purpose: Purpose,
        *,
        common_name: str = "",
        algorithm: Algorithm | None = None,
        validity: tuple[datetime, datetime] | None = None,
        password: bytes | None = None,
    ) -> SoftwareSigner:
        """A new key and certificate as ``<name>.key`` and ``<name>.crt``; raises ``FileExistsError``."""
        key = generate_key(algorithm or self.root.algorithm)
        valid_from, valid_until = validity or _from_now(LEAF_YEARS)
        request = CertificateRequest(
            spki=spki_of(key),
            common_name=common_name or name,
            organisation=self.organisation,
            purpose=purpose,
            valid_from=valid_from,
            valid_until=valid_until,
        )
        certificate = build_certificate(request, self.root)
        write_private(self.folder / f"{name}.key", private_pem(key, password))
        (self.folder / f"{name}.crt").write_bytes(certificates_pem(certificate))
        return SoftwareSigner(key, certificate)

    def signer(self, name: str, password: bytes | None = None) -> SoftwareSigner:
        """The signer issued under ``name``; raises ``ConfigError``."""
        return load_signer(self.folder / f"{name}.key", self.folder / f"{name}.crt", password)


def create_authority(
    folder: Path, algorithm: Algorithm, *, organisation: str = "Licence Hub", password: bytes | None = None
) -> Authority:
    """A new root in ``folder``; raises ``FileExistsError`` when there is one and ``Sm2Unavailable``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = generate_key(algorithm)
    valid_from, valid_until = _from_now(ROOT_YEARS)
    request = CertificateRequest(
        spki=spki_of(key),
        common_name=f"{organisation} Root {algorithm.value}",
        organisation=organisation,
        purpose=Purpose.AUTHORITY,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    certificate = build_certificate(request, SoftwareSigner(key, b""))
    write_private(folder / "root.key", private_pem(key, password))
    (folder / "root.crt").write_bytes(certificates_pem(certificate))
    return Authority(folder, SoftwareSigner(key, certificate), organisation)


def load_authority(
    folder: Path, *, organisation: str = "Licence Hub", password: bytes | None = None
) -> Authority:
    """The authority kept in ``folder``; raises ``ConfigError``."""
    return Authority(folder, load_signer(folder / "root.key", folder / "root.crt", password), organisation)


@dataclass(frozen=True)
class DevelopmentAuthorities:
    """Two roots under one folder: one for seals, one for PDF and journal signatures, which readers without SM2 must follow."""

    seals: Authority
    documents: Authority

    @property
    def roots(self) -> Iterable[bytes]:
        """DER certificates to put into a trust store."""
        return (self.seals.root.certificate, self.documents.root.certificate)


SEAL_MAKER, SEAL_SIGNER, PDF_SIGNER, JOURNAL = "seal-maker", "seal-signer", "pdf-signer", "journal"
"""Names under which ``create_development_authorities`` issues."""


def create_development_authorities(
    folder: Path, *, seal_algorithm: Algorithm | None = None, organisation: str = "Licence Hub"
) -> DevelopmentAuthorities:
    """Roots and the four certificates a hub needs: seal maker, seal signer (SM2 where libcrypto has it), PDF signer, journal key.

    Raises ``Refused`` when the folder already holds authorities.
    """
    if (folder / "seals" / "root.key").exists():
        raise Refused(
            "authority-exists",
            f"{folder} already holds an authority",
            summary_zh=f"{folder} 中已有证书颁发机构",
        )
    default = Algorithm.SM2_SM3 if libcrypto.available() else Algorithm.ECDSA_P256_SHA256
    seals = create_authority(folder / "seals", seal_algorithm or default, organisation=organisation)
    documents = create_authority(folder / "documents", Algorithm.ECDSA_P256_SHA256, organisation=organisation)
    seals.issue(SEAL_MAKER, Purpose.SEAL_MAKER, common_name=f"{organisation} seal maker")
    seals.issue(SEAL_SIGNER, Purpose.DOCUMENT_SIGNER, common_name=f"{organisation} seal")
    documents.issue(PDF_SIGNER, Purpose.DOCUMENT_SIGNER, common_name=f"{organisation} documents")
    documents.issue(JOURNAL, Purpose.JOURNAL, common_name=f"{organisation} journal")
    return DevelopmentAuthorities(seals, documents)


def _from_now(years: int) -> tuple[datetime, datetime]:
    now = datetime.now(UTC).replace(microsecond=0)
    return now - _BACKDATED, now + timedelta(days=365 * years)
