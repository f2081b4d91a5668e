"""Delivering journal entries to somebody outside."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import msgspec


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One journal entry as subscribers see it (no personal data)."""

    number: int
    """Dense journal number: the subscriber's resume token and its idempotency key."""
    id: UUID
    kind: str
    """``licence.version``, ``licence.status``, ``licence.packaged``, ``quarantine.opened`` …"""
    subject: str
    """Licence id, receipt or interface name the entry is about."""
    at_ms: int
    data: Mapping[str, Any]


class Subscriber(Protocol):
    """A destination of the journal feed."""

    def deliver(self, changes: Sequence[Change]) -> None:
        """Returns when the destination has acknowledged all of them, in order.

        Raises ``TransientError`` to be called again with the same changes (the destination drops numbers it has seen), or
        ``PermanentError`` when the destination refuses for good: the feed stops there, visibly.
        """
        ...
