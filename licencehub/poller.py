"""The drop folders of all enabled file interfaces, watched by one process."""

from contextlib import ExitStack
from functools import partial
from threading import Event, Thread

from adapters.filedrop.poller import DropPoller
from adapters.filedrop.reading import FileIntake
from core.duty import Duty
from core.interfaces import InterfaceDirectory, poll
from licencehub.app import Hub

MANIFEST_EVERY_S = 10.0


def poll_drops(hub: Hub, stop: Event) -> None:
    """Until ``stop``; the registry is followed and manifests are written beside the folders."""
    store = hub.store
    directory = InterfaceDirectory(store.registry.snapshot)
    intake = FileIntake(store.submissions, hub.intake(), store.keyring.receipt_key)
    poller = DropPoller(directory, hub.config.data, store=store, intake=intake, observer=hub.observer)
    ended = Event()  # not ``stop``: after a defect this part is started again, with threads of its own
    with ExitStack() as beside:
        for name, duty in (
            ("registry", partial(poll, directory)),
            ("manifest", partial(write_manifests, hub)),
        ):
            thread = Thread(target=duty, args=(ended,), name=f"drops-{name}", daemon=True)
            thread.start()
            beside.callback(thread.join)
            beside.callback(ended.set)
        poller.run(stop)


def write_manifests(hub: Hub, stop: Event) -> None:
    """Writes what this process has published, until ``stop`` and once then; what cannot be written is kept for the next time."""
    duty = Duty("writing the poller's manifests")
    ended = False
    while not ended:
        ended = stop.wait(MANIFEST_EVERY_S)
        with duty:
            hub.manifest.write()
