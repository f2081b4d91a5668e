"""``doctor``: what is wrong with a hub, part by part."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from core.errors import HubError
from core.store.schema import compare_schema
from licencehub.app import Hub

EXPIRES_SOON = timedelta(days=30)


class Finding(msgspec.Struct, frozen=True):
    """One part and its state."""

    part: str
    ok: bool
    text: str

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]  # a struct becomes a dict


def examine(hub: Hub) -> list[Finding]:
    """Every part in turn; one that fails does not hide the next."""
    checks: tuple[tuple[str, Callable[[Hub], Iterator[Finding]]], ...] = (
        ("store", _store),
        ("bus", _bus),
        ("keys", _keys),
        ("seals", _seals),
        ("interfaces", _interfaces),
    )
    return [finding for part, check in checks for finding in _guarded(part, check, hub)]


def _guarded(part: str, check: Callable[[Hub], Iterator[Finding]], hub: Hub) -> list[Finding]:
    try:
        return list(check(hub))
    except HubError as error:
        return [Finding(part, ok=False, text=str(error))]


def _store(hub: Hub) -> Iterator[Finding]:
    differences = compare_schema(hub.store.database)
    if not differences:
        yield Finding(
            "store",
            ok=True,
            text=f"{hub.store.database.dialect}: schema, triggers and rights as they should be",
        )
    for difference in differences:
        yield Finding("store", ok=False, text=difference)


def _bus(hub: Hub) -> Iterator[Finding]:
    hub.bus.probe()
    yield Finding("bus", ok=True, text=f"{hub.config.bus.kind}: takes messages")


def _keys(hub: Hub) -> Iterator[Finding]:
    sealed = hub.store.keyring.encrypt(b"doctor", b"doctor")
    opened = hub.store.keyring.decrypt(sealed, b"doctor") == b"doctor"
    yield Finding("keys", ok=opened, text="the master key opens the data keys")
    yield Finding("keys", ok=True, text=f"journal key {hub.journal_signer.key_id[:16]}")


def _seals(hub: Hub) -> Iterator[Finding]:
    in_use = [entry for entry in hub.seals.entries() if not entry.declaration.retired]
    if not in_use:
        yield Finding("seals", ok=False, text="no seal in use: packages wait unsealed")
    for entry in in_use:
        until = hub.seals.open(entry.name).valid_until
        ok = until - datetime.now(UTC) > EXPIRES_SOON
        yield Finding("seals", ok=ok, text=f"{entry.name}: valid until {until:%Y-%m-%d}")


def _interfaces(hub: Hub) -> Iterator[Finding]:
    entries = hub.store.registry.list("interface")
    enabled = sum(entry.state == "enabled" for entry in entries)
    yield Finding("interfaces", ok=True, text=f"{len(entries)} registered, {enabled} enabled")
