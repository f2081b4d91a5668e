"""The secrets a process will need, read before anything starts: a wrong reference ends ``serve`` and shows in ``doctor``."""

from collections.abc import Callable, Collection, Iterator

import msgspec

from contracts.fault import Fault, pointer
from core.access import load_authenticator
from core.errors import ConfigError
from core.keyring import parse_master
from core.secrets import resolve
from licencehub.app import Hub
from licencehub.gateway import scrapers

SUBSCRIBER_ROLES = {"realtime": "sequencer", "scheduled": "scheduler"}
"""Which role signs what a subscriber of a mode is sent; hosts of other roles need not have its secret."""


def require_secrets(hub: Hub, roles: Collection[str]) -> None:
    """Raises ``ConfigError`` with every secret of these roles that is missing or unfit, each at its place."""
    faults = [fault for place, check in _checks(hub, roles) for fault in _faults(place, check)]
    if faults:
        raise ConfigError("secrets", faults)


def _checks(hub: Hub, roles: Collection[str]) -> Iterator[tuple[str, Callable[[], object]]]:
    config = hub.config
    yield "/keys/master", lambda: parse_master(resolve(config.keys.master, hub.folder))
    for place, url in (
        ("/store/url", config.store.url),
        ("/store/migration_url", config.store.migration_url),
        ("/bus/url", config.bus.url),
    ):
        yield place, _reading(hub, url)
    if "gateway" in roles:
        yield "/client", lambda: load_authenticator(config)
        yield "/metrics/key", lambda: scrapers(config)
    for index, subscriber in enumerate(config.subscribers):
        if SUBSCRIBER_ROLES[subscriber.mode] in roles:
            place = pointer("subscriber", index)
            yield f"{place}/secret", _resolving(hub, subscriber.secret)
            yield f"{place}/url", _reading(hub, subscriber.url)


def _reading(hub: Hub, url: str) -> Callable[[], object]:
    return lambda: hub.url(url)


def _resolving(hub: Hub, reference: str) -> Callable[[], object]:
    return lambda: resolve(reference, hub.folder)


def _faults(place: str, check: Callable[[], object]) -> list[Fault]:
    try:
        check()
    except ConfigError as error:
        return [msgspec.structs.replace(fault, pointer=fault.pointer or place) for fault in error.faults]
    return []
