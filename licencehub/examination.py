"""``doctor``: what is wrong with a hub, part by part."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec

from adapters.http.server import load_certificate
from core.errors import HubError
from core.ports.bus import Channel
from core.sealing.authority import JOURNAL, PDF_SIGNER
from core.store.schema import compare_schema
from core.verification.certificates import certificate_of
from licencehub.app import Hub
from licencehub.credentials import require_secrets
from licencehub.gateway import scrapers
from licencehub.roles import ROLES

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
        ("secrets", _secrets),
        ("store", _store),
        ("bus", _bus),
        ("keys", _keys),
        ("seals", _seals),
        ("interfaces", _interfaces),
        ("gateway", _gateway),
        ("metrics", _metrics),
    )
    return [finding for part, check in checks for finding in _guarded(part, check, hub)]


def _guarded(part: str, check: Callable[[Hub], Iterator[Finding]], hub: Hub) -> list[Finding]:
    try:
        return list(check(hub))
    except HubError as error:
        return [Finding(part, ok=False, text=str(error))]


def _secrets(hub: Hub) -> Iterator[Finding]:
    require_secrets(hub, tuple(ROLES))
    yield Finding("secrets", ok=True, text="all that the configuration names can be read")


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
    with closing(hub.bus_as_found()) as bus:  # what is missing is told, not made: it may be another bus
        for channel in Channel:
            bus.depth(channel)
        bus.probe()
    yield Finding("bus", ok=True, text=f"{hub.config.bus.kind}: all queues are there, takes messages")


def _keys(hub: Hub) -> Iterator[Finding]:
    sealed = hub.store.keyring.encrypt(b"doctor", b"doctor")
    opened = hub.store.keyring.decrypt(sealed, b"doctor") == b"doctor"
    yield Finding("keys", ok=opened, text="the master key opens the data keys")
    for name in (PDF_SIGNER, JOURNAL):
        certificate = certificate_of(hub.keys(name).signer().certificate)
        until = certificate.valid_until
        ok = until - datetime.now(UTC) > EXPIRES_SOON
        text = f"{name} {certificate.key_id[:16]}: valid until {until:%Y-%m-%d}"
        yield Finding("keys", ok=ok, text=text if ok else f"{text}; licence-hub ca renew {name}")


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


def _gateway(hub: Hub) -> Iterator[Finding]:
    files = hub.config.tls_files
    if files is None:
        yield Finding("gateway", ok=True, text="serves HTTP: TLS is a proxy's, or nobody's")
        return
    until = load_certificate(*files).not_valid_after_utc
    ok = until - datetime.now(UTC) > EXPIRES_SOON
    yield Finding("gateway", ok=ok, text=f"serves HTTPS: certificate valid until {until:%Y-%m-%d}")


def _metrics(hub: Hub) -> Iterator[Finding]:
    scrapers(hub.config)
    if hub.config.metrics.key:
        yield Finding("metrics", ok=True, text="given to scrapers with the key")
    elif hub.config.gateway.public_url:
        yield Finding(
            "metrics", ok=True, text="given to nobody: gateway.public_url is set and metrics.key is not"
        )
    else:
        yield Finding("metrics", ok=True, text="given to scrapers on this host alone")
