"""What becomes of a record: exactly one outcome per receipt, final once written to the ledger."""

from enum import StrEnum


class Outcome(StrEnum):
    """The ledger's outcomes."""

    NEW = "new"
    NEWER = "newer"
    """A newer version of a known licence."""
    REPEAT = "repeat"
    """The same content at the same order: nothing changed."""
    STALE = "stale"
    """Older than what is stored; kept as a version that never becomes current."""
    CONFLICT = "conflict"
    """Equal order but other content, or a lower-ranked source against a higher: held for a person with a field diff."""
    HISTORY = "history"
    """Genuine, but already expired or ended at import."""
    QUARANTINED = "quarantined"
    """A person here can mend or accept it."""
    REJECTED = "rejected"
    """Refused as what it is: the source must send something else."""
    FILTERED = "filtered"
    """Dropped by a filter its interface declares."""
    PARKED = "parked"
    """Could not be processed; lies in the dead letter channel until it is re-driven."""

    @property
    def held(self) -> bool:
        """Whether a person has to decide."""
        return self in (Outcome.QUARANTINED, Outcome.CONFLICT)

    @property
    def stored(self) -> bool:
        """Whether the licence library holds the record's content as a version."""
        return self in (Outcome.NEW, Outcome.NEWER, Outcome.REPEAT, Outcome.STALE, Outcome.HISTORY)


PENDING = "pending"
"""What a receipt answers before the ledger has its outcome."""
