"""Verifies other libraries' originals under what this hub trusts, for the package worker."""

from collections.abc import Callable

from contracts.record import LicenceRecord
from core.errors import ConfigError
from core.verification.originals import NotKept, Original, judged
from core.verification.record_data import Meanings
from core.verification.trust import TrustStore
from core.verification.verify import verify_file


class Originals:
    """Fulfils the package worker's port of that name."""

    def __init__(self, trust: Callable[[], TrustStore], meanings: Callable[[str], Meanings]) -> None:
        """``trust`` gives what is trusted at the moment of each question, ``meanings`` the code tables of a licence type."""
        self._trust = trust
        self._meanings = meanings

    def judge(self, data: bytes, record: LicenceRecord, identifier: str) -> Original | NotKept:
        """Whether ``data`` may stand as the package of this record; raises ``Unavailable`` when the store is away."""
        try:
            trust = self._trust()
        except (ConfigError, OSError, ValueError) as error:
            return NotKept(f"the trust store cannot be read: {error} (信任库无法读取)")
        return judged(verify_file(data, trust), record, identifier, self._meanings(record.licence_type))
