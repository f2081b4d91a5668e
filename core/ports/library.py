"""Asking the library about a licence by its national identifier."""

from typing import Protocol

import msgspec

from contracts.record import LicenceRecord, Status


class LibraryStatus(msgspec.Struct, frozen=True):
    """What the library says of one version of a licence."""

    status: Status
    superseded: bool = False
    """A newer version of the licence exists; ``status`` is that of the licence."""


class LibraryLookup(Protocol):
    """The two questions verification asks; any version's identifier is understood.

    Both raise ``Unavailable`` when the library is out of reach.
    """

    def status_of(self, identifier: str) -> LibraryStatus | None:
        """The licence's state, or None when the library does not know the identifier."""
        ...

    def record_of(self, identifier: str) -> LicenceRecord | None:
        """The record at that version, or None when the library does not know the identifier."""
        ...
