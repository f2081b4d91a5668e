"""A small certificate authority on files, for development and for places that have none: not a replacement for a licensed one.

A folder holds ``root.crt`` and ``root.key``, and a pair of files per certificate issued; private files are mode 0600. The
certificate is written last: a key without one is what a failure left, counts as nothing and is replaced by the next attempt.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from pathlib import Path

from core.durable import PUBLIC, already_there, locked, make_folder, put_file
from core.errors import Refused
from core.gm import libcrypto
from core.ports.signer import Algorithm
from core.sealing.certificates import CertificateRequest, Purpose, build_certificate
from core.sealing.keyfiles import certificates_pem, load_signer, private_pem
from core.sealing.signers import PrivateKey, SoftwareSigner, generate_key, spki_of

ROOT_YEARS, LEAF_YEARS = 20, 5
ROOT = "root"
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
        """A new key and certificate as ``<name>.key`` and ``<name>.crt``; raises ``FileExistsError`` for a name in use."""
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
        _put_pair(self.folder, name, key, certificate, password)
        return SoftwareSigner(key, certificate)

    def has_issued(self, name: str) -> bool:
        """Whether there is a certificate of that name; its private file may be gone since."""
        return _certificate(self.folder, name).exists()

    def free_name(self, name: str) -> str:
        """``name``, or with the first number from 2 under which nothing was issued."""
        wanted = chain([name], (f"{name}-{number}" for number in count(2)))
        return next(free for free in wanted if not self.has_issued(free))

    def signer(self, name: str, password: bytes | None = None) -> SoftwareSigner:
        """The signer issued under ``name``; raises ``ConfigError``."""
        return load_signer(self.folder / f"{name}.key", _certificate(self.folder, name), password)


def create_authority(
    folder: Path, algorithm: Algorithm, *, organisation: str = "Licence Hub", password: bytes | None = None
) -> Authority:
    """A new root in ``folder``; raises ``FileExistsError`` when there is one and ``Sm2Unavailable``."""
    make_folder(folder, 0o700)
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
    _put_pair(folder, ROOT, key, certificate, password)
    return Authority(folder, SoftwareSigner(key, certificate), organisation)


def load_authority(
    folder: Path, *, organisation: str = "Licence Hub", password: bytes | None = None
) -> Authority:
    """The authority kept in ``folder``; raises ``ConfigError``."""
    return Authority(
        folder, load_signer(folder / f"{ROOT}.key", _certificate(folder, ROOT), password), organisation
    )


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
"""Names under which the development authorities issue what a hub needs."""
_NEEDED = (
    ("seals", SEAL_MAKER, Purpose.SEAL_MAKER, "seal maker"),
    ("seals", SEAL_SIGNER, Purpose.DOCUMENT_SIGNER, "seal"),
    ("documents", PDF_SIGNER, Purpose.DOCUMENT_SIGNER, "documents"),
    ("documents", JOURNAL, Purpose.JOURNAL, "journal"),
)
"""Folder of the authority, name, purpose and what the certificate is called."""


def create_development_authorities(
    folder: Path, *, seal_algorithm: Algorithm | None = None, organisation: str = "Licence Hub"
) -> DevelopmentAuthorities:
    """Roots and the four certificates a hub needs: seal maker, seal signer (SM2 where libcrypto has it), PDF signer, journal key.

    Raises ``Refused`` when the folder already holds all of them.
    """
    if all(_certificate(folder / kind, name).exists() for kind, name, *_ in _NEEDED):
        raise Refused(
            "authority-exists",
            f"{folder} already holds an authority",
            summary_zh=f"{folder} 中已有证书颁发机构",
        )
    return complete_development_authorities(folder, seal_algorithm=seal_algorithm, organisation=organisation)


def complete_development_authorities(
    folder: Path, *, seal_algorithm: Algorithm | None = None, organisation: str = "Licence Hub"
) -> DevelopmentAuthorities:
    """The same, whatever is there already: that stays as it is, and what a failure kept from being made is made.

    Raises ``ConfigError`` for a root that is there and cannot be read.
    """
    default = Algorithm.SM2_SM3 if libcrypto.available() else Algorithm.ECDSA_P256_SHA256
    seals = _root(folder / "seals", seal_algorithm or default, organisation)
    documents = _root(folder / "documents", Algorithm.ECDSA_P256_SHA256, organisation)
    authorities = {"seals": seals, "documents": documents}
    for kind, name, purpose, what in _NEEDED:
        if not authorities[kind].has_issued(name):
            authorities[kind].issue(name, purpose, common_name=f"{organisation} {what}")
    return DevelopmentAuthorities(seals, documents)


def _root(folder: Path, algorithm: Algorithm, organisation: str) -> Authority:
    if _certificate(folder, ROOT).exists():
        return load_authority(folder, organisation=organisation)
    return create_authority(folder, algorithm, organisation=organisation)


def _certificate(folder: Path, name: str) -> Path:
    return folder / f"{name}.crt"


def _put_pair(folder: Path, name: str, key: PrivateKey, certificate: bytes, password: bytes | None) -> None:
    """Raises ``FileExistsError`` when there is a certificate of that name.

    The lock keeps two issuers of one name from leaving the key of one with the certificate of the other.
    """
    place = _certificate(folder, name)
    with locked(folder):
        if place.exists():
            raise already_there(place)
        put_file(folder / f"{name}.key", private_pem(key, password), replace=True)
        put_file(place, certificates_pem(certificate), mode=PUBLIC)


def _from_now(years: int) -> tuple[datetime, datetime]:
    now = datetime.now(UTC).replace(microsecond=0)
    return now - _BACKDATED, now + timedelta(days=365 * years)
