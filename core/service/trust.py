"""What this hub trusts: its own authorities, the certificates its configuration names, its journal key."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from core.sealing.keyfiles import read_certificates
from core.sealing.suites import SUITES, Suite
from core.store.journal import SignedHead
from core.verification.certificates import Certificate, certificate_of, verify_signature
from core.verification.finding import Undecided
from core.verification.trust import TrustStore

FRESH_S = 2.0
"""How long a reading of the trust store is good for."""


class CurrentTrust:
    """The trust store as its files say now, so that a mended one counts without a restart."""

    def __init__(
        self, read: Callable[[], TrustStore], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._reading: tuple[float, TrustStore] | None = None

    def __call__(self) -> TrustStore:
        """What is trusted; raises what the reading raises, until the files can be read again."""
        now = self._clock()
        if self._reading is None or now - self._reading[0] >= FRESH_S:
            self._reading = (now, self._read())
        return self._reading[1]


def trust_of(authority_folder: Path, further: Sequence[Path] = ()) -> TrustStore:
    """The roots of the hub's own authorities and further certificate files; raises ``ConfigError`` for one that is none."""
    files = [*sorted(authority_folder.glob("*/root.crt")), *further]
    return TrustStore.of(
        certificate for file in files for certificate in read_certificates(file.read_bytes())
    )


def checkpoint_check(certificates: Iterable[bytes]) -> Callable[[SignedHead, bytes], bool]:
    """Whether checkpoints carry the signature of one of the hub's journal keys, earlier ones included."""
    known = {found.key_id: found for found in map(certificate_of, certificates)}

    def check(signed: SignedHead, content: bytes) -> bool:
        signer = known.get(signed.key_id)
        return signer is not None and any(_signed_by(signer, suite, content, signed) for suite in SUITES)

    return check


def _signed_by(signer: Certificate, suite: Suite, content: bytes, signed: SignedHead) -> bool:
    try:
        return verify_signature(signer, suite.signature_oid, content, signed.signature)
    except Undecided:  # the algorithm of another kind of key
        return False
