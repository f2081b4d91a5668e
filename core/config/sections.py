"""The sections of the configuration file. Secrets are named by reference (``file:PATH``, ``env:NAME``), never written here."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Reference = Annotated[str, msgspec.Meta(pattern=r"^(file|env):.+$")]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]

ActionName = Literal[
    "push", "receipt.read", "quarantine.read", "licence.read", "licence.fetch", "verify", "manage", "*"
]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every section has in common: nothing unknown is accepted, nothing changes after loading."""


class Hub(Section, frozen=True, kw_only=True):
    """[hub]: who this hub is."""

    name: Name = "licence-hub"
    """Name of this hub: part of manifests, leases and metrics."""
    library_name: str = "Electronic licence library"
    """Name of the licence library, written into every package."""
    library_code: str = ""
    """Code of the library, first part of the file numbers of packages."""
    region: str = ""
    """Administrative division the hub serves (six digits)."""
    data: str = "data"
    """Folder for drop folders and archives; relative to the configuration file."""


class StoreSection(Section, frozen=True, kw_only=True):
    """[store]: the licence library's database."""

    url: str = "sqlite:///data/hub.db"
    """``sqlite:///PATH`` or ``postgresql://USER@HOST:PORT/DATABASE``; a password only as ``${file:PATH}`` or ``${env:NAME}``."""
    migration_url: str = ""
    """URL of the role that owns the schema, where it is not the application's role (PostgreSQL)."""
    pool: Positive = 4
    """Database connections per process."""
    statement_timeout_s: Seconds = 30.0
    """Longest time a statement may take."""


class BusSection(Section, frozen=True, kw_only=True):
    """[bus]: what carries accepted records to the workers."""

    kind: Literal["embedded", "rabbitmq"] = "embedded"
    """``embedded`` (one SQLite file) or ``rabbitmq``."""
    url: str = "data/bus.db"
    """File of the embedded bus, or ``amqp://USER:${file:PATH}@HOST:PORT/VHOST``."""
    prefix: str = "hub"
    """First part of the names of queues and exchanges."""


class KeysSection(Section, frozen=True, kw_only=True):
    """[keys]: encryption of what is stored and carried."""

    master: Reference = "file:secrets/master.key"
    """Master key (32 random bytes in base64) that wraps the data keys."""


class Gateway(Section, frozen=True, kw_only=True):
    """[gateway]: the HTTP side and its limits."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8300
    """TCP port; 0 lets the system choose."""
    public_url: str = ""
    """URL under which callers reach the hub, for links it gives out; empty: made from host and port."""
    tls_certificate: str = ""
    """PEM file with the certificate, and those between it and its root, to serve HTTPS with; empty: HTTP, as behind a proxy."""
    tls_key: str = ""
    """PEM file with the certificate's private key, not encrypted, readable by the hub's user alone."""
    body_limit_bytes: Positive = 32 * 1024 * 1024
    """Largest request body."""
    spool_memory_bytes: Positive = 1024 * 1024
    """Bytes of a body kept in memory; the rest waits on disk until its digest is checked."""
    slow_body_s: Seconds = 10.0
    """Grace of a body; after it, it must keep up ``min_body_bytes_per_s``."""
    min_body_bytes_per_s: Positive = 4096
    """Slowest sender accepted, averaged over its body after the grace."""
    head_limit_bytes: Positive = 32 * 1024
    """Largest request line and headers together."""
    head_timeout_s: Seconds = 10.0
    """Longest time for request line and headers to arrive."""
    keep_alive_s: Positive = 30
    """How long an idle connection is kept."""
    records_limit: Positive = 10_000
    """Records in one push."""
    files_limit: Positive = 100
    """Files that come with one record of a multipart push."""
    file_limit_bytes: Positive = 16 * 1024 * 1024
    """Largest of these files; all of them together are limited by ``body_limit_bytes``."""
    in_flight_limit: Positive = 1000
    """Requests worked on at once; more are told to come back."""
    large_bodies: Positive = 4
    """Pushes above ``spool_memory_bytes`` decoded at once."""
    signature_window_s: Positive = 300
    """How far a signed request's clock may be off; its nonce is kept twice as long."""
    coalesce_ms: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 2.0
    """How long a request waits for others to share its guard transaction, and its records for others to share a bus message."""
    unavailable_after_s: Seconds = 5.0
    """Guard, registry or bus out of reach for so long is answered with 503."""
    manifest_s: Seconds = 10.0
    """Interval of the manifests that are reconciled with the ledger."""
    query_threads: Positive = 4
    """Threads that read the store for queries."""
    query_timeout_s: Seconds = 10.0
    """Longest time a query may take."""
    drain_s: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """After SIGTERM: seconds of refusing readiness before the listening socket closes."""
    shutdown_s: Seconds = 20.0
    """After that: seconds that requests in flight have left."""
    link_s: Positive = 600
    """Life of a one-time link."""


class Metrics(Section, frozen=True, kw_only=True):
    """[metrics]: who may scrape ``/metrics``."""

    key: Annotated[str, msgspec.Meta(pattern=r"^((file|env):.+)?$")] = ""
    """Reference of the bearer key a scraper sends; empty: only a scraper on the gateway's own host, connected without a proxy."""


class Worker(Section, frozen=True, kw_only=True):
    """[worker]: record workers."""

    processes: Positive = 1
    """Record worker processes (the embedded stack has one)."""
    batch_records: Positive = 500
    """Most records in one transaction."""
    batch_ms: Positive = 20
    """How long a batch waits to fill."""
    prefetch: Positive = 40
    """Bus messages in hand per worker."""
    tries: Positive = 8
    """Attempts before a record is parked."""


class Packager(Section, frozen=True, kw_only=True):
    """[packager]: package workers."""

    processes: Annotated[int, msgspec.Meta(ge=0)] = 1
    """Package worker processes."""
    batch: Positive = 20
    """Versions packaged per turn."""
    lease_s: Seconds = 120.0
    """How long a worker may hold a version before another takes it over."""


class Seal(Section, frozen=True, kw_only=True):
    """[seal]: the seal and the authority that packages are signed with."""

    folder: str = "seal"
    """Folder of the development seal: certificate authority, certificate, private key, picture."""
    trust: tuple[str, ...] = ()
    """Further certificate files that verification trusts."""


class Scheduler(Section, frozen=True, kw_only=True):
    """[scheduler]: what is done at set times, by one process at a time."""

    lease_s: Seconds = 15.0
    """Life of the leader's lease; after a crash the next leader starts within it."""
    alert_sweep_s: Seconds = 30.0
    """How often upload alerts are judged."""
    package_sweep_s: Seconds = 30.0
    """How often packages left over are put back on the bus."""
    expiry_sweep_s: Seconds = 3600.0
    """How often licences past their last day are marked expired."""
    reconcile_s: Seconds = 30.0
    """How often manifests are compared with the ledger."""
    guard_purge_s: Seconds = 300.0
    """How often old nonces are removed."""
    idempotency_days: Positive = 30
    """How long idempotency keys are remembered."""
    file_purge_s: Seconds = 3600.0
    """How often files are removed whose record was never published."""
    stray_file_days: Positive = 7
    """How long such a file is kept: longer than any sender takes to repeat its push."""


class Grant(Section, frozen=True, kw_only=True):
    """[[client.grants]]: what a client may do; nothing else is allowed."""

    actions: tuple[ActionName, ...]
    """Actions from the closed list; ``manage`` widens reading to all states and to history."""
    interfaces: tuple[str, ...] = ()
    """Interface names (``*`` at the end matches any rest) the actions on interfaces are for."""
    types: tuple[str, ...] = ()
    """Licence type codes (``*`` at the end matches any rest) the actions on licences are for."""


class Client(Section, frozen=True, kw_only=True):
    """[[client]]: a system that may call the hub."""

    id: Name
    """Identifier sent in ``X-Client-Id``."""
    kind: Literal["hmac", "bearer"] = "hmac"
    """``hmac`` signs each request; ``bearer`` sends its key as it is and is meant for development."""
    secret: Reference
    """Reference of the shared secret."""
    department: str = ""
    """Department the system belongs to."""
    grants: tuple[Grant, ...] = ()
    """Rights; none means none."""


class Subscriber(Section, frozen=True, kw_only=True):
    """[[subscriber]]: a webhook that receives the journal."""

    name: Name
    """Name of the subscription: its resume point is kept under it."""
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://.+")]
    """Where entries are posted."""
    secret: Reference
    """Reference of the secret the posts are signed with."""
    mode: Literal["realtime", "scheduled"] = "realtime"
    """At once, or every ``every_s`` seconds."""
    every_s: Seconds = 60.0
    """Interval of ``scheduled``."""
    batch: Positive = 500
    """Most entries in one post."""


class Log(Section, frozen=True, kw_only=True):
    """[log]: log lines on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level written."""
    format: Literal["json", "text"] = "json"
    """One JSON object per line, or text for people."""


class HubFile(Section, frozen=True, kw_only=True):
    """What stands in the file; each section and each setting has a default."""

    hub: Hub = Hub()
    store: StoreSection = StoreSection()
    bus: BusSection = BusSection()
    keys: KeysSection = KeysSection()
    gateway: Gateway = Gateway()
    metrics: Metrics = Metrics()
    worker: Worker = Worker()
    packager: Packager = Packager()
    seal: Seal = Seal()
    scheduler: Scheduler = Scheduler()
    log: Log = Log()
    clients: tuple[Client, ...] = msgspec.field(default=(), name="client")
    subscribers: tuple[Subscriber, ...] = msgspec.field(default=(), name="subscriber")


class HubConfig(HubFile, frozen=True, kw_only=True):
    """The configuration as loaded; relative paths in it count from ``folder``."""

    folder: str
    """Folder of the configuration file."""

    def path(self, relative: str) -> Path:
        """A path of the configuration as an absolute one."""
        return Path(self.folder, relative).absolute()

    @property
    def data(self) -> Path:
        """The folder for drop folders and archives."""
        return self.path(self.hub.data)

    @property
    def public_url(self) -> str:
        """The URL callers reach the hub under, without a slash at its end."""
        scheme = "https" if self.gateway.tls_certificate else "http"
        return (self.gateway.public_url or f"{scheme}://{self.gateway.host}:{self.gateway.port}").rstrip("/")

    @property
    def tls_files(self) -> tuple[Path, Path] | None:
        """Certificate and key of the gateway, where it serves HTTPS itself."""
        if not self.gateway.tls_certificate:
            return None
        return self.path(self.gateway.tls_certificate), self.path(self.gateway.tls_key)
