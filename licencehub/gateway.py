"""The gateway process: the HTTP application with everything behind it, served until it is told to stop."""

import signal
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from adapters.api.app import build_app
from adapters.api.services import GatewayServices
from adapters.http.server import Draining, GatewayServer, load_certificate
from contracts.fault import Rule
from core.access import load_authenticator
from core.access.clients import SECRET_BYTES
from core.config import HubConfig
from core.errors import ConfigError
from core.interfaces import InterfaceDirectory
from core.secrets import resolve
from core.service.faces import FacePictures
from core.service.package_files import PackageFiles
from core.verification.statement import verify_statement
from licencehub.app import Hub
from monitoring.endpoint import MetricsEndpoint, Scrapers
from monitoring.metrics import Snapshot
from router.intake import GatewayIntake

WEAK_KEY = Rule(
    code="metrics.weak-key",
    en="the key of the scrapers is shorter than {least} bytes",
    zh="采集器密钥少于 {least} 字节",
    remedy_en="Use at least 32 random characters.",
    remedy_zh="请使用至少 32 个随机字符。",
)

LOOK_S = 0.5
"""How long after a server has ended its watcher ends."""


def serve_gateway(hub: Hub, stop: Event) -> None:
    """Serves until ``stop``: then readiness is withdrawn at once, and the socket closes after the drain time."""
    draining = Draining()
    tls_files = hub.config.tls_files
    if tls_files is not None:
        load_certificate(*tls_files)
    app = build_app(gateway_services(hub, draining))
    server = GatewayServer(app, hub.config.gateway, draining, tls_files)
    ended = Event()
    watcher = Thread(target=lambda: _end_with(stop, ended, server), name="gateway-stop", daemon=True)
    watcher.start()
    try:
        server.run()
    finally:
        ended.set()
    if not stop.is_set():
        raise RuntimeError("the gateway ended by itself")


def gateway_services(hub: Hub, draining: Draining) -> GatewayServices:
    """The parts behind the routes."""
    store, gateway = hub.store, hub.config.gateway
    snapshot = Snapshot(hub.observer, hub.metrics_folder, hub.process)
    return GatewayServices(
        gateway=gateway,
        public_url=hub.config.public_url,
        authenticator=load_authenticator(hub.config),
        directory=InterfaceDirectory(store.registry.snapshot, stale_after_s=gateway.unavailable_after_s),
        intake=GatewayIntake(
            f"{hub.config.hub.name}/{hub.process}",
            store=store,
            bus=hub.bus,
            keyring=store.keyring,
            coalesce_s=gateway.coalesce_ms / 1000,
            give_up_s=gateway.unavailable_after_s,
        ),
        store=store,
        package_file=PackageFiles(store).file,
        face_picture=FacePictures(store, hub.wardrobe, hub.config.hub.library_name).picture,
        verify=lambda data: hub.verify(data).as_dict(),
        verify_statement=lambda identifier, items: verify_statement(
            identifier, items, store.licences
        ).as_dict(),
        probes=_probes(hub),
        roll_keys=store.keyring.roll,
        observer=hub.observer,
        draining=draining,
        mounts={
            "/metrics": MetricsEndpoint(
                hub.metrics_folder, snapshot, hub.state_gauges().exposition, scrapers(hub.config)
            )
        },
    )


def scrapers(config: HubConfig) -> Scrapers:
    """Who may scrape; raises ``ConfigError`` for a key that is missing or too short to be one."""
    if not config.metrics.key:
        return Scrapers(proxied=bool(config.gateway.public_url))
    key = resolve(config.metrics.key, Path(config.folder))
    if len(key.encode()) < SECRET_BYTES:
        raise ConfigError(config.metrics.key, [WEAK_KEY.at("/metrics/key", least=SECRET_BYTES)])
    return Scrapers(key)


def _probes(hub: Hub) -> dict[str, Callable[[], None]]:
    def store() -> None:
        hub.store.registry.revision()

    def keys() -> None:
        hub.store.keyring.encrypt(b"", b"")

    return {"store": store, "bus": hub.bus.probe, "keys": keys}


def _end_with(stop: Event, ended: Event, server: GatewayServer) -> None:
    """Ends the server with ``stop``; one that could not listen has ended before, and the next has a watcher of its own."""
    while not stop.wait(LOOK_S):
        if ended.is_set():
            return
    if not ended.is_set():
        server.handle_exit(signal.SIGTERM, None)
