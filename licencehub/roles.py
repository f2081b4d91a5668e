"""The roles a process can play, each a set of parts that run until they are told to stop.

Embedded: one process plays all of them, because several SQLite writers would starve each other. Production: a process per
role and slot, on any number of hosts.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from threading import Event

import msgspec

from adapters.webhook.subscriber import WebhookSubscriber
from contracts.interface import Interface
from core.config import Subscriber
from core.secrets import resolve
from core.service.maintenance import Maintenance
from licencehub.app import Hub
from licencehub.gateway import serve_gateway
from licencehub.poller import poll_drops
from licencehub.presence import announce
from licencehub.supervision import Part
from monitoring.metrics import Snapshot
from monitoring.state import SCHEDULER_LEASE, SEQUENCER_LEASE
from monitoring.upload_alerts import SilenceWatch
from router.feed import Feed
from router.leadership import Leadership, holder_name
from router.package_material import PackageMaterial
from router.packager import Library, PackageSweep, PackageWorker
from router.prepare import Preparation
from router.sequencer import Sequencer
from router.terms import Terms
from router.worker import Limits, RecordWorker
from scheduler.jobs import Job, JobRunner

log = logging.getLogger(__name__)

SEQUENCER_IDLE_S = 0.1
FEED_IDLE_S = 0.5


def gateway_parts(hub: Hub) -> dict[str, Part]:
    """HTTP in."""
    return {"gateway": lambda stop: serve_gateway(hub, stop)}


def worker_parts(hub: Hub) -> dict[str, Part]:
    """Records: bus to store."""
    section = hub.config.worker
    limits = Limits(
        batch_records=section.batch_records,
        batch_ms=section.batch_ms,
        prefetch=section.prefetch,
        tries=section.tries,
    )

    def work(stop: Event) -> None:
        preparation = Preparation(Terms(hub.store.registry))
        store = hub.store
        RecordWorker(hub.bus, store.records, preparation, store.keyring, hub.observer, limits).run(stop)

    def announce_worker(stop: Event) -> None:
        announce(hub.store.leases, holder_name(), stop)

    return {"records": work, "worker-presence": announce_worker}


def packager_parts(hub: Hub) -> dict[str, Part]:
    """Packages: compose, seal, store."""
    section = hub.config.packager

    def work(stop: Event) -> None:
        store = hub.store
        library = Library(hub.config.hub.library_name, hub.config.hub.library_code)
        worker = PackageWorker(
            hub.bus,
            store.packages,
            PackageMaterial(store.licences, store.blobs, hub.originals),
            store.blobs,
            hub.dressing,
            library,
            hub.observer,
            batch=section.batch,
            lease_s=section.lease_s,
        )
        worker.run(stop)

    return {"packages": work}


def sequencer_parts(hub: Hub) -> dict[str, Part]:
    """The journal and its realtime subscribers, each under a lease of its own."""

    def sequence(stop: Event) -> None:
        work = Sequencer(hub.store.journal, hub.journal_signer, hub.observer)
        Leadership(hub.store.leases, SEQUENCER_LEASE, work, idle_s=SEQUENCER_IDLE_S).run(stop)

    realtime = [subscriber for subscriber in hub.config.subscribers if subscriber.mode == "realtime"]
    return {
        "sequencer": sequence,
        **{f"feed-{subscriber.name}": _feeding(hub, subscriber) for subscriber in realtime},
    }


def scheduler_parts(hub: Hub) -> dict[str, Part]:
    """What happens at set times, in whichever process leads."""

    def lead(stop: Event) -> None:
        runner = JobRunner(jobs(hub), hub.store.jobs, hub.observer)
        lease_s = hub.config.scheduler.lease_s
        leadership = Leadership(
            hub.store.leases, SCHEDULER_LEASE, runner, idle_s=lease_s / 5, lease_s=lease_s
        )
        runner.lead(leadership.step, lambda: leadership.leading, stop, idle_s=lease_s / 5)

    return {"scheduler": lead}


def poller_parts(hub: Hub) -> dict[str, Part]:
    """Drop folders."""
    return {"drops": lambda stop: poll_drops(hub, stop)}


ROLES: Mapping[str, Callable[[Hub], dict[str, Part]]] = {
    "gateway": gateway_parts,
    "worker": worker_parts,
    "packager": packager_parts,
    "poller": poller_parts,
    "scheduler": scheduler_parts,
    "sequencer": sequencer_parts,
}


def parts(hub: Hub, roles: Sequence[str]) -> dict[str, Part]:
    """The parts of those roles, and the one that publishes this process's metrics."""
    snapshot = Snapshot(hub.observer, hub.metrics_folder, hub.process)
    chosen = {name: part for role in roles for name, part in ROLES[role](hub).items()}
    return {**chosen, "metrics": snapshot.run}


def jobs(hub: Hub) -> list[Job]:
    """The scheduled duties of this hub."""
    section, store = hub.config.scheduler, hub.store
    maintenance = Maintenance(
        store, idempotency_days=section.idempotency_days, stray_file_days=section.stray_file_days
    )

    def partitions() -> None:
        hub.prepare()  # with the rights of the schema's owner; it makes the partitions of the months to come

    watch = SilenceWatch(lambda: enabled_interfaces(hub), maintenance.last_record_ms, store.alerts)
    sweep = PackageSweep(hub.bus, store.packages, idle_s=section.package_sweep_s)
    duties = [
        Job(name="upload-alerts", every_s=section.alert_sweep_s, run=watch.check),
        Job(name="package-sweep", every_s=section.package_sweep_s, run=sweep),
        Job(name="manifest-reconciliation", every_s=section.reconcile_s, run=maintenance.reconcile),
        Job(name="guard-purge", every_s=section.guard_purge_s, run=maintenance.purge_guard),
        Job(name="file-purge", every_s=section.file_purge_s, run=maintenance.purge_files),
        Job(name="partitions", every_s=86_400, run=partitions),
        Job(name="expiry", every_s=section.expiry_sweep_s, run=maintenance.expire),
    ]
    scheduled = [subscriber for subscriber in hub.config.subscribers if subscriber.mode == "scheduled"]
    return duties + [_exchange(hub, subscriber) for subscriber in scheduled]


def enabled_interfaces(hub: Hub) -> dict[str, tuple[Interface, int]]:
    """Enabled interfaces with the millisecond of their last change of state."""
    entries = hub.store.registry.list("interface")
    return {
        entry.name: (msgspec.convert(entry.declaration, Interface), entry.changed_ms)
        for entry in entries
        if entry.state == "enabled"
    }


def _feed(hub: Hub, subscriber: Subscriber) -> Feed:
    secret = resolve(subscriber.secret, hub.folder).encode()
    destination = WebhookSubscriber(subscriber.name, hub.url(subscriber.url), secret)
    store = hub.store
    return Feed(
        subscriber.name, destination, store.journal, store.subscriptions, hub.observer, batch=subscriber.batch
    )


def _feeding(hub: Hub, subscriber: Subscriber) -> Part:
    def run(stop: Event) -> None:
        lease = f"feed:{subscriber.name}"
        Leadership(hub.store.leases, lease, _feed(hub, subscriber), idle_s=FEED_IDLE_S).run(stop)

    return run


def _exchange(hub: Hub, subscriber: Subscriber) -> Job:
    """A periodic exchange: the scheduler's leader takes the feed's lease for one drain."""
    feed = _feed(hub, subscriber)

    def drain(fence: int) -> bool:
        feed.drain(fence)
        return False

    leadership = Leadership(hub.store.leases, f"feed:{subscriber.name}", drain, idle_s=1.0, lease_s=60.0)

    def drained() -> None:
        leadership.step()

    return Job(name=f"exchange-{subscriber.name}", every_s=subscriber.every_s, run=drained)
