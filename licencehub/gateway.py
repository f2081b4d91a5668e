"""The gateway process: the HTTP application with everything behind it, served until it is told to stop."""

import signal
from collections.abc import Callable
from threading import Event, Thread

from adapters.api.app import build_app
from adapters.api.services import GatewayServices
from adapters.http.server import Draining, GatewayServer
from core.access import load_authenticator
from core.interfaces import InterfaceDirectory
from core.service.faces import FacePictures
from core.service.package_files import PackageFiles
from core.verification.statement import verify_statement
from licencehub.app import Hub
from monitoring.endpoint import MetricsEndpoint
from monitoring.metrics import Snapshot
from router.intake import GatewayIntake


def serve_gateway(hub: Hub, stop: Event) -> None:
    """Serves until ``stop``: then readiness is withdrawn at once, and the socket closes after the drain time."""
    draining = Draining()
    server = GatewayServer(build_app(gateway_services(hub, draining)), hub.config.gateway, draining)
    watcher = Thread(target=lambda: _end_with(stop, server), name="gateway-stop", daemon=True)
    watcher.start()
    server.run()
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
        mounts={"/metrics": MetricsEndpoint(hub.metrics_folder, snapshot, hub.state_gauges().exposition)},
    )


def _probes(hub: Hub) -> dict[str, Callable[[], None]]:
    def store() -> None:
        hub.store.registry.revision()

    def keys() -> None:
        hub.store.keyring.encrypt(b"", b"")

    return {"store": store, "bus": hub.bus.probe, "keys": keys}


def _end_with(stop: Event, server: GatewayServer) -> None:
    stop.wait()
    server.handle_exit(signal.SIGTERM, None)
