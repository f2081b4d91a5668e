"""Runs one role of a hub until it has nothing to do, and kills itself at its n-th step on request.

A step is a moment at which a crash could leave something half done: around a commit, a publish, a settlement, a delivery.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.config import load_config
from core.ports.bus import Channel
from core.store.engine import Database
from licencehub import roles
from licencehub.app import Hub
from router.feed import Feed
from router.package_material import PackageMaterial
from router.packager import Library, PackageSweep, PackageWorker
from router.prepare import Preparation
from router.sequencer import Sequencer
from router.terms import Terms
from router.worker import Limits, RecordWorker

IDLE_S = 0.4


class Fuse:
    """Counts steps and kills the process at the one it was set to; set to 0 it changes nothing."""

    def __init__(self, at: int) -> None:
        self._armed = at > 0
        self._left = at

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, name: str) -> None:
        """Makes a step before and after every call of a method."""
        if not self._armed:
            return
        original: Callable[..., Any] = getattr(owner, name)

        def stepped(*args: Any, **kwargs: Any) -> Any:
            self.step()
            result = original(*args, **kwargs)
            self.step()
            return result

        setattr(owner, name, stepped)

    def around_commits(self) -> None:
        """Makes a step before every commit, inside its transaction, and one after it."""
        if not self._armed:
            return
        original = Database.begin

        @contextmanager
        def begin(database: Database) -> Iterator[Any]:
            with original(database) as connection:
                yield connection
                self.step()
            self.step()

        setattr(Database, "begin", begin)  # noqa: B010 -- mypy knows a method cannot be assigned to


def work_until_idle(step: Callable[[], int]) -> None:
    """Calls ``step`` until it has done nothing for a while."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < IDLE_S:
        if step():
            quiet_since = time.monotonic()


def run_worker(hub: Hub, fuse: Fuse) -> None:
    store = hub.store
    worker = RecordWorker(
        hub.bus,
        store.records,
        Preparation(Terms(store.registry)),
        store.keyring,
        hub.observer,
        Limits(prefetch=5),
    )
    with hub.bus.consumer(Channel.RECORDS, 5) as consumer:
        fuse.around(consumer, "settle")
        fuse.around(hub.bus, "publish_many")
        fuse.around_commits()
        work_until_idle(lambda: worker.step(consumer, wait_s=0.2) or _waiting(hub, Channel.RECORDS))


def run_packager(hub: Hub, fuse: Fuse) -> None:
    store = hub.store
    worker = PackageWorker(
        hub.bus,
        store.packages,
        PackageMaterial(store.licences, store.blobs, hub.originals),
        store.blobs,
        hub.dressing,
        Library("L", "L"),
        hub.observer,
        lease_s=0.5,
    )
    sweep = PackageSweep(hub.bus, store.packages, idle_s=0.6)
    with hub.bus.consumer(Channel.PACKAGES, 2) as consumer:
        fuse.around(consumer, "settle")
        fuse.around(hub.bus, "publish_many")
        fuse.around_commits()

        def step() -> int:
            sweep()
            states = store.packages.states()
            return worker.step(consumer, 0.2) + states.get("pending", 0) + states.get("claimed", 0)

        work_until_idle(step)


def run_sequencer(hub: Hub, fuse: Fuse) -> None:
    fuse.around_commits()
    work = Sequencer(hub.store.journal, hub.journal_signer, hub.observer, checkpoint_s=0)
    fence = hub.store.leases.acquire("sequencer", f"test-{os.getpid()}", 0.0)
    assert fence is not None
    work_until_idle(lambda: int(work(fence)) or hub.store.journal.pending())


def run_feed(hub: Hub, fuse: Fuse) -> None:
    (subscriber,) = hub.config.subscribers
    feed: Feed = roles._feed(hub, subscriber)
    fuse.around(feed._subscriber, "deliver")
    fuse.around_commits()
    store = hub.store
    fence = store.leases.acquire(f"feed:{subscriber.name}", f"test-{os.getpid()}", 0.0)
    assert fence is not None

    def step() -> int:
        feed(fence)
        progress = store.subscriptions.progress(subscriber.name)
        if progress.failures:
            return 0  # the destination is dead
        return store.journal.head().size - 1 - progress.delivered

    store.subscriptions.resume(subscriber.name)  # nobody waits out a back-off here
    work_until_idle(step)


def _waiting(hub: Hub, channel: Channel) -> int:
    depth = hub.bus.depth(channel)
    return depth.ready + depth.delayed + depth.in_hand


ROLES = {"worker": run_worker, "packager": run_packager, "sequencer": run_sequencer, "feed": run_feed}

if __name__ == "__main__":
    config, role, kill_at = sys.argv[1:4]
    with Hub(load_config(Path(config)), f"fault-{role}") as opened:
        ROLES[role](opened, Fuse(int(kill_at)))
