"""Whether a record worker is alive: on the embedded stack a command that needs one runs its own otherwise."""

import contextlib
from threading import Event

from core.errors import TransientError
from core.store.leases import LeaseStore

WORKER_LEASE = "worker"
TTL_S = 10.0


def announce(leases: LeaseStore, process: str, stop: Event) -> None:
    """Says, until ``stop``, that a worker is alive; several workers take turns, which is all the same."""
    while not stop.is_set():
        with contextlib.suppress(TransientError):
            leases.acquire(WORKER_LEASE, process, TTL_S)
        stop.wait(TTL_S / 3)
    with contextlib.suppress(TransientError):
        leases.release(WORKER_LEASE, process)
