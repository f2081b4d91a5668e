"""Asking the library about a licence by its national identifier."""

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from contracts.record import LicenceRecord, Status


class LibraryStatus(msgspec.Struct, frozen=True):
    """What the library says of one version of a licence."""

    status: Status
    superseded: bool = False
    """A newer version of the licence exists; ``status`` is that of the licence."""


class LibraryLookup(Protocol):
    """The questions verification asks; any version's identifier is understood.

    All raise ``Unavailable`` when the library is out of reach.
    """

    def status_of(self, identifier: str) -> LibraryStatus | None:
        """The licence's state, or None when the library does not know the identifier."""
        ...

    def record_of(self, identifier: str) -> LicenceRecord | None:
        """The record at that version, or None when the library does not know the identifier."""
        ...

    def meanings_of(self, licence_type: str) -> Mapping[str, Mapping[str, Collection[str]]]:
        """For each item of the type that is bound to a code table: every text each code has had since it was declared."""
        ...
