"""Keys that follow one another under one name: ``journal``, then ``journal-2``, ``journal-3``; the last is in use.

Certificates of earlier keys stay beside it, because what they signed has to be verified for ever. Their private files are not
needed again once every process signs with the new key.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigError
from core.ports.signer import Signer
from core.sealing.authority import Authority
from core.sealing.certificates import Purpose
from core.sealing.keyfiles import load_signer, read_certificates
from core.sealing.signers import SoftwareSigner

log = logging.getLogger(__name__)

FRESH_S = 2.0
"""How long a process signs on before it looks for a newer key."""


@dataclass(frozen=True)
class Succession:
    """The keys of one name in the folder of the authority that issued them."""

    folder: Path
    name: str

    def names(self) -> list[str]:
        """Names of the keys so far, the one in use last."""
        form = re.compile(rf"{re.escape(self.name)}(?:-([1-9][0-9]*))?")
        found = ((form.fullmatch(file.stem), file.stem) for file in self.folder.glob(f"{self.name}*.crt"))
        return [stem for _, stem in sorted((int(match[1] or 1), stem) for match, stem in found if match)]

    def signer(self) -> SoftwareSigner:
        """The key in use; raises ``ConfigError``."""
        name = (self.names() or [self.name])[-1]
        return load_signer(self.folder / f"{name}.key", self.folder / f"{name}.crt")

    def certificates(self) -> list[bytes]:
        """DER certificates of all keys so far, the one in use last; raises ``ConfigError``."""
        files = [self.folder / f"{name}.crt" for name in self.names()]
        return [read_certificates(file.read_bytes())[0] for file in files]

    def renew(self, authority: Authority, purpose: Purpose, common_name: str) -> SoftwareSigner:
        """A further key, in use from now on; raises ``FileExistsError`` when somebody else renews at the same moment."""
        following = len(self.names()) + 1
        return authority.issue(f"{self.name}-{following}", purpose, common_name=common_name)


class CurrentSigner:
    """The key in use as a process sees it: looked up anew every ``FRESH_S``.

    A newer key that cannot be read (its files are still on their way to this host) leaves the one before in use.
    """

    def __init__(self, keys: Succession, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._looked = float("-inf")
        self._name = ""
        self._signer: SoftwareSigner | None = None

    def __call__(self) -> Signer:
        """The signer to use now; raises ``ConfigError`` when there is none."""
        if self._signer is None or self._clock() - self._looked >= FRESH_S:
            self._signer = self._found(self._signer)
            self._looked = self._clock()
        return self._signer

    def _found(self, before: SoftwareSigner | None) -> SoftwareSigner:
        name = (self._keys.names() or [""])[-1]
        if before is not None and name == self._name:
            return before
        try:
            signer = self._keys.signer()
        except ConfigError as error:
            if before is None:
                raise
            log.warning("%s stays in use: %s", self._name, error)
            return before
        self._name = name
        return signer
