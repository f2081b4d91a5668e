"""The journal feed: every change to every subscriber, in order; the cursor follows the acknowledgement.

Pattern: guaranteed delivery (EIP).
"""

import logging

from core.errors import PermanentError, TransientError
from core.ports.observe import Observer
from core.ports.subscriber import Subscriber
from core.store.journal import JournalStore
from core.store.subscriptions import SubscriptionStore

log = logging.getLogger(__name__)

BATCH = 200
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0


class Feed:
    """The work of one subscription's lease.

    At least once towards the destination, which drops numbers it has seen: one effect whoever is killed when.
    """

    def __init__(
        self,
        name: str,
        subscriber: Subscriber,
        journal: JournalStore,
        subscriptions: SubscriptionStore,
        observer: Observer,
        *,
        batch: int = BATCH,
    ) -> None:
        self.name = name
        self._subscriber = subscriber
        self._journal = journal
        self._subscriptions = subscriptions
        self._observer = observer
        self._batch = batch

    def __call__(self, fence: int) -> bool:
        """Delivers one batch under ``fence``; True when more is waiting."""
        progress = self._subscriptions.progress(self.name)
        if progress.stopped or not self._subscriptions.is_due(progress):
            return False
        changes = self._journal.entries(progress.delivered, self._batch)
        if not changes:
            return False
        try:
            self._subscriber.deliver(changes)
        except TransientError as error:
            delay_s = max(backoff_s(progress.failures), error.retry_after_s)
            log.warning("subscriber %s: %s; next attempt in %.0f s", self.name, error, delay_s)
            self._subscriptions.failed(self.name, fence, progress.failures + 1, delay_s)
            self._observer.count("exchange_requests_total", peer=self.name, outcome="failed")
            return False
        except PermanentError as error:
            log.warning("subscriber %s refuses: %s; its feed is stopped", self.name, error)
            self._subscriptions.stopped(self.name, fence, str(error))
            self._observer.count("exchange_requests_total", peer=self.name, outcome="refused")
            return False
        self._subscriptions.delivered(self.name, fence, changes[-1].number)
        self._observer.count("exchange_requests_total", peer=self.name, outcome="ok")
        return len(changes) == self._batch

    def drain(self, fence: int) -> None:
        """Delivers until nothing is waiting or an attempt fails: the periodic form of the exchange."""
        while self(fence):
            pass


def backoff_s(failures: int) -> float:
    """Seconds to wait after that many consecutive failures: doubling, at most five minutes."""
    return float(min(FIRST_DELAY_S * 2**failures, LONGEST_DELAY_S))
