"""Duties that keep the store fit: manifests reconciled, guard and stray files purged, validity ended by its date."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from uuid import UUID

from contracts.identity import uuid7_ms
from core.store import Store

log = logging.getLogger(__name__)

NONCE_KEPT_MS = 2 * 5 * 60 * 1000
"""Twice the window of a signed request."""
DAY_MS = 86_400_000
SETTLED_MS = 10_000
"""Age of a manifest before it is compared: its records are given time to be stored."""
CHINA = timezone(timedelta(hours=8))


class Maintenance:
    """The scheduled duties on the store; every one may be repeated at any time."""

    def __init__(
        self,
        store: Store,
        *,
        idempotency_days: int = 30,
        stray_file_days: int = 7,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._idempotency_days = idempotency_days
        self._stray_file_days = stray_file_days
        self._clock = clock

    def reconcile(self) -> None:
        """Compares settled manifests with the ledger; what is missing stays visible until it is found."""
        for manifest in self._store.manifests.unreconciled(self._now_ms() - SETTLED_MS):
            missing = self._store.manifests.reconcile(manifest, self._now_ms())
            if missing:
                log.warning("manifest %s: %d receipts have no outcome yet", manifest.id, len(missing))

    def purge_guard(self) -> None:
        """Forgets nonces outside twice the window and idempotency keys past their time."""
        now_ms = self._now_ms()
        self._store.guard.purge(now_ms - NONCE_KEPT_MS, now_ms - self._idempotency_days * DAY_MS)

    def purge_files(self) -> None:
        """Removes files whose record was never published: their sender was cut off and did not come back."""
        purged = self._store.attachments.purge(self._now_ms() - self._stray_file_days * DAY_MS)
        if purged:
            log.info("%d files without a record were removed", purged)

    def expire(self) -> None:
        """Appends the status *expired* to licences whose last day has passed."""
        today = datetime.fromtimestamp(self._clock(), CHINA).date()
        expired = self._store.expiry.expire(today)
        if expired:
            log.info("%d licences have expired", expired)

    def last_record_ms(self, interface: str) -> int | None:
        """When the interface's last record was accepted, as far as the ledger knows."""
        last: UUID | None = self._store.ledger.last_receipt(interface)
        return None if last is None else uuid7_ms(last)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
