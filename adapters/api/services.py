"""What the HTTP interface needs of the hub, put together by the composition root."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from adapters.http.gate import App
from adapters.http.server import Draining
from core.access import Authenticator
from core.config import Gateway
from core.interfaces import InterfaceDirectory
from core.ports.intake import Intake
from core.ports.observe import Observer, Unobserved


class GatewayIntake(Intake, Protocol):
    """The intake with its life: opened on the server's loop, closed after the last request."""

    async def open(self) -> None: ...

    async def write_manifest(self) -> None: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class GatewayServices:
    """The parts behind the routes; making them does no I/O."""

    gateway: Gateway
    public_url: str
    authenticator: Authenticator
    directory: InterfaceDirectory
    intake: GatewayIntake
    store: Any
    """``core.store.Store``: ledger, quarantine, licences, packages, blobs, links."""
    package_file: Callable[[UUID, int, str], bytes]
    """The assembled package of a version in a form (``ofd``, ``pdf``), its digest checked; raises ``NotFound``."""
    face_picture: Callable[[UUID, int], bytes]
    """PNG of the face of a packaged version; raises ``NotFound``."""
    verify: Callable[[bytes], Mapping[str, Any]]
    """The report on an uploaded package file as JSON, with its ``verdict``."""
    verify_statement: Callable[[str, Mapping[str, str]], Mapping[str, Any]]
    """The report on an identifier with items, without a file."""
    probes: Mapping[str, Callable[[], None]]
    """Each returns when its part works: ``store``, ``bus``, ``keys``."""
    roll_keys: Callable[[], None] = lambda: None
    """Makes the keyring use the key of the month."""
    observer: Observer = field(default_factory=Unobserved)
    draining: Draining = field(default_factory=Draining)
    mounts: Mapping[str, App] = field(default_factory=dict)
    """Further ASGI applications by path: ``/metrics``."""
