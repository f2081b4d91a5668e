"""Work that only one process may do at a time: kept by a lease, done under its fence."""

import logging
import os
import socket
import time
from collections.abc import Callable
from threading import Event
from uuid import uuid4

from core.errors import FenceLost, TransientError
from core.store.leases import LeaseStore

log = logging.getLogger(__name__)

LEASE_S = 10.0
"""How long a lease lives without renewal: the longest pause after a leader's death."""
RENEWED_AFTER = 0.1
"""Part of a lease's life after which the next turn renews it."""


def holder_name() -> str:
    """A name for this process that no other process has, now or after a restart."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


class Leadership:
    """Runs ``work(fence)`` while this process holds the lease ``name``.

    ``work`` does one bounded step and returns whether there is more to do at once. A process that was frozen past its lease
    finds its writes refused (``FenceLost``) and goes back to waiting.
    """

    def __init__(
        self,
        leases: LeaseStore,
        name: str,
        work: Callable[[int], bool],
        *,
        idle_s: float,
        lease_s: float = LEASE_S,
    ) -> None:
        self._leases = leases
        self._name = name
        self._work = work
        self._idle_s = idle_s
        self._lease_s = lease_s
        self._holder = holder_name()
        self._fence: int | None = None
        self._renewed_s = 0.0
        self.leading = False

    def run(self, stop: Event) -> None:
        """Until ``stop`` is set; gives the lease back at the end."""
        while not stop.is_set():
            if not self.step():
                stop.wait(self._idle_s)
        if self.leading:
            self._quietly(lambda: self._leases.release(self._name, self._holder))

    def step(self) -> bool:
        """One turn: take or renew the lease, work once; True when there is more to do at once."""
        try:
            fence = self._held()
            return fence is not None and self._work(fence)
        except FenceLost as lost:
            log.warning("%s: %s", self._name, lost)
            self.leading = False
        except TransientError as error:
            log.warning("%s waits: %s", self._name, error)
        return False

    def _held(self) -> int | None:
        """The fence of the lease, renewed when a part of its life has passed: the work is refused by its fence, not by this."""
        now_s = time.monotonic()
        if not self.leading or now_s - self._renewed_s >= self._lease_s * RENEWED_AFTER:
            self._fence = self._leases.acquire(self._name, self._holder, self._lease_s)
            self._renewed_s = now_s
            self.leading = self._fence is not None
        return self._fence

    def _quietly(self, action: Callable[[], None]) -> None:
        try:
            action()
        except TransientError as error:
            log.info("%s: the lease runs out by itself: %s", self._name, error)
