"""What this hub trusts: its own authorities, the certificates its configuration names, its journal key."""

from collections.abc import Callable, Sequence
from pathlib import Path

from core.ports.signer import Signer
from core.sealing.keyfiles import read_certificates
from core.sealing.suites import suite_of
from core.store.journal import SignedHead
from core.verification.certificates import certificate_of, verify_signature
from core.verification.trust import TrustStore


def trust_of(authority_folder: Path, further: Sequence[Path] = ()) -> TrustStore:
    """The roots of the hub's own authorities and further certificate files; raises ``ConfigError`` for one that is none."""
    files = [*sorted(authority_folder.glob("*/root.crt")), *further]
    return TrustStore.of(
        certificate for file in files for certificate in read_certificates(file.read_bytes())
    )


def checkpoint_check(signer: Signer) -> Callable[[SignedHead, bytes], bool]:
    """Whether checkpoints carry the signature of the hub's journal key."""
    certificate = certificate_of(signer.certificate)
    algorithm = suite_of(signer.algorithm).signature_oid

    def check(signed: SignedHead, content: bytes) -> bool:
        if signed.key_id != signer.key_id:
            return False
        return verify_signature(certificate, algorithm, content, signed.signature)

    return check
