"""The drop folders of all enabled file interfaces, watched by one process."""

from threading import Event, Thread

from adapters.filedrop.poller import DropPoller
from adapters.filedrop.reading import FileIntake
from core.errors import TransientError
from core.interfaces import InterfaceDirectory, poll
from licencehub.app import Hub

MANIFEST_EVERY_S = 10.0


def poll_drops(hub: Hub, stop: Event) -> None:
    """Until ``stop``; the registry is followed and manifests are written beside the folders."""
    store = hub.store
    directory = InterfaceDirectory(store.registry.snapshot)
    intake = FileIntake(store.submissions, hub.intake(), store.keyring.receipt_key)
    poller = DropPoller(directory, hub.config.data, store=store, intake=intake, observer=hub.observer)
    beside = [
        Thread(target=poll, args=(directory, stop), name="drops-registry", daemon=True),
        Thread(target=write_manifests, args=(hub, stop), name="drops-manifest", daemon=True),
    ]
    for thread in beside:
        thread.start()
    poller.run(stop)
    write_manifests(hub, stop)


def write_manifests(hub: Hub, stop: Event) -> None:
    """Writes what this process has published, until ``stop`` and once then; a store that is away is waited for."""
    while True:
        ended = stop.wait(MANIFEST_EVERY_S)
        try:
            hub.manifest.write()
        except TransientError:
            if ended:
                return
        if ended:
            return
