"""The trust store: which certificates a verifier believes, and the way from a signer up to one of them (RFC 5280, offline)."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from contracts.fault import Rule
from core.errors import ConfigError
from core.sealing.keyfiles import read_certificates
from core.verification.certificates import Certificate, certificate_of
from core.verification.constraints import chain_doubt
from core.verification.finding import Broken, Finding, Undecided
from core.verification.report import Text
from core.verification.revocation import RevocationList, check_not_revoked, read_revocation_list

LONGEST_CHAIN = 6
CLOCK_SKEW = timedelta(minutes=5)
MOST_OTHERS = 16
"""Certificates of the file itself that are tried as a way up."""
UNREADABLE = Rule(
    code="trust.unreadable",
    en="the file of the trust store cannot be read: {reason}",
    zh="信任库文件无法读取：{reason}",
    remedy_en="put certificates and revocation lists in PEM or DER into the trust store",
    remedy_zh="请在信任库中放入 PEM 或 DER 格式的证书与吊销列表",
)
_Parsed = TypeVar("_Parsed")
_SUFFIXES = {".crt", ".cer", ".pem", ".der"}


@dataclass(frozen=True)
class TrustStore:
    """Certificates believed as they are (``anchors``) and others that may stand between (``intermediates``).

    An anchor need not be an authority: a signer's own certificate among the anchors is believed for itself alone.
    """

    anchors: tuple[Certificate, ...] = ()
    intermediates: tuple[Certificate, ...] = ()
    revocations: tuple[RevocationList, ...] = ()

    @classmethod
    def of(cls, anchors: Iterable[bytes], intermediates: Iterable[bytes] = ()) -> "TrustStore":
        """A store of DER certificates."""
        return cls(tuple(map(certificate_of, anchors)), tuple(map(certificate_of, intermediates)))

    @classmethod
    def load(cls, folder: Path) -> "TrustStore":
        """Certificates and revocation lists (``*.crl``) of a folder; raises ``ConfigError``.

        Certificates under ``intermediates/`` only help to find the way.
        """
        return cls(_certificates(folder), _certificates(folder / "intermediates"), _revocations(folder))

    def chain(self, leaf: Certificate, others: Sequence[Certificate] = ()) -> tuple[Certificate, ...]:
        """The way from ``leaf`` to an anchor, both included; ``others`` came with the file.

        Raises ``Undecided`` when no way leads to an anchor.
        """
        doubts: list[Text] = []
        if found := self._climb(leaf, [*self.intermediates, *others[:MOST_OTHERS]], doubts):
            return found
        why = doubts[0] if doubts else Text("", "")
        raise Undecided(
            "untrusted",
            f"the certificate of {leaf.subject} does not lead to a trusted one{why.en}",
            f"{leaf.subject} 的证书无法追溯到受信任的证书{why.zh}",
        )

    def _climb(
        self, leaf: Certificate, between: list[Certificate], doubts: list[Text]
    ) -> tuple[Certificate, ...] | None:
        """The shortest way up; each certificate is visited once, so cross-signed ones cost no more than their number squared.

        ``doubts`` gathers why a way that seemed to lead up does not.
        """
        paths: deque[tuple[Certificate, ...]] = deque([(leaf,)])
        seen = {leaf}
        while paths:
            path = paths.popleft()
            if path[-1] in self.anchors:
                return path
            for anchor in self.anchors:
                if _may_follow(path, anchor, doubts):
                    if not (doubt := chain_doubt((*path, anchor))):
                        return (*path, anchor)
                    doubts.append(doubt)
            if len(path) < LONGEST_CHAIN:
                further = [
                    other for other in between if other not in seen and _may_follow(path, other, doubts)
                ]
                seen.update(further)
                paths.extend((*path, other) for other in further)
        return None


def check_claimed_time(name: str, signed_at: datetime | None, now: datetime) -> datetime:
    """The signing time a signature claims; raises ``Undecided`` without one and ``Broken`` when it lies in the future."""
    if signed_at is None:
        raise Undecided("no-signing-time", f"signature {name} states no time", f"签名 {name} 没有时间")
    if signed_at > now + CLOCK_SKEW:
        raise Broken(
            "signed-in-future", f"signature {name} is dated in the future", f"签名 {name} 的时间在未来"
        )
    return signed_at


def check_valid_at(trust: TrustStore, chain: Sequence[Certificate], moment: datetime) -> None:
    """Raises ``Broken`` for the first certificate of ``chain`` that is not valid at ``moment``, or was revoked by then."""
    check_not_revoked(chain, trust.revocations, moment)
    for certificate in chain:
        if moment < certificate.valid_from:
            raise Broken(
                "certificate-not-yet-valid",
                f"the certificate of {certificate.subject} begins {certificate.valid_from.isoformat()}, "
                f"after the signing time {moment.isoformat()}",
                f"{certificate.subject} 的证书自 {certificate.valid_from.isoformat()} 起有效，晚于签署时间 {moment.isoformat()}",
            )
        if moment > certificate.valid_until:
            raise Broken(
                "certificate-ended",
                f"the certificate of {certificate.subject} ended {certificate.valid_until.isoformat()}, "
                f"before the signing time {moment.isoformat()}",
                f"{certificate.subject} 的证书已于 {certificate.valid_until.isoformat()} 到期，早于签署时间 {moment.isoformat()}",
            )


def _may_follow(path: tuple[Certificate, ...], issuer: Certificate, doubts: list[Text]) -> bool:
    """Whether ``issuer`` issued the last certificate and its path length allows the authorities already below it."""
    below = len(path) - 1
    try:
        issued = path[-1].was_issued_by(issuer)
        if issued and issuer.path_length is not None and below > issuer.path_length:
            doubts.append(
                Text(
                    f": {issuer.subject} allows {issuer.path_length} authorities below it, there are {below}",
                    f"：{issuer.subject} 之下只允许 {issuer.path_length} 级机构，实有 {below} 级",
                )
            )
            return False
    except Finding as finding:
        doubts.append(Text(f": {finding.reason.en}", f"：{finding.reason.zh}"))
        return False
    return issued


def _certificates(folder: Path) -> tuple[Certificate, ...]:
    files = (file for file in sorted(folder.glob("*")) if file.suffix.lower() in _SUFFIXES)
    return tuple(certificate_of(data) for file in files for data in _read(file, read_certificates))


def _revocations(folder: Path) -> tuple[RevocationList, ...]:
    return tuple(_read(file, read_revocation_list) for file in sorted(folder.glob("*.crl")))


def _read(file: Path, parse: Callable[[bytes], _Parsed]) -> _Parsed:
    try:
        return parse(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(str(file), [UNREADABLE.at("", reason=str(error))]) from error
