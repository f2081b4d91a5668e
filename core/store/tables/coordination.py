"""Registry, intake guard, manifests, leases, jobs, alerts, keys."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, text

from core.store.columns import Id
from core.store.tables.metadata import metadata

registry_entry = Table(
    "registry_entry",
    metadata,
    Column("kind", String(16), primary_key=True),  # interface | licence-type | style
    Column("name", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),  # registry revision of its last change
    Column("declaration", LargeBinary, nullable=False),  # JSON
    Column("changed_ms", BigInteger, nullable=False),
)

registry_version = Table(
    "registry_version",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("declaration", LargeBinary, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("actor", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

registry_revision = Table(
    "registry_revision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
)

guard_nonce = Table(
    "guard_nonce",
    metadata,
    Column("client", String(64), primary_key=True),
    Column("nonce", String(128), primary_key=True),
    Column("seen_ms", BigInteger, nullable=False),
    Index("ix_guard_nonce_seen", "seen_ms"),
)

guard_key = Table(
    "guard_key",
    metadata,
    Column("interface", String(64), primary_key=True),
    Column("client", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body_digest", LargeBinary(32), nullable=False),
    Column("first_seen_ms", BigInteger, nullable=False),
    Index("ix_guard_key_seen", "first_seen_ms"),
)

manifest = Table(  # what a gateway published per interval; reconciled with the ledger
    "manifest",
    metadata,
    Column("id", Id, primary_key=True),
    Column("gateway", String(64), nullable=False),
    Column("count", Integer, nullable=False),
    Column(
        "digest", LargeBinary(32), nullable=False
    ),  # XOR of SHA-256 of the receipts: order does not matter
    Column("receipts", LargeBinary, nullable=False),  # 16 bytes each
    Column("closed_ms", BigInteger, nullable=False),
    Column("reconciled_ms", BigInteger),
    Column("missing", Integer),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

job_run = Table(
    "job_run",
    metadata,
    Column("job", String(64), primary_key=True),
    Column("last_started_ms", BigInteger),
    Column("last_succeeded_ms", BigInteger),
    Column("runs", BigInteger, nullable=False, server_default="0"),
    Column("failures", BigInteger, nullable=False, server_default="0"),
    Column("detail", Text, nullable=False, server_default=""),
)

alert = Table(  # upload alerts (接收预警)
    "alert",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("interface", String(64), nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("detail", Text, nullable=False, server_default=""),
    Index("ix_alert_open", "closed_ms", "kind", "interface"),
    Index(
        "ux_alert_open",
        "kind",
        "interface",
        unique=True,
        postgresql_where=text("closed_ms IS NULL"),
        sqlite_where=text("closed_ms IS NULL"),
    ),
)

data_key = Table(  # data keys per period, wrapped by the master key
    "data_key",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("purpose", String(16), nullable=False),  # data | blind | receipt
    Column("wrapped", LargeBinary, nullable=False),
    Column("master_id", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("retired_ms", BigInteger),
)

hub_meta = Table(
    "hub_meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
