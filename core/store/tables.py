"""The tables, once for both databases (ARCHITECTURE 4.5).

Mutable heads: ``licence``, ``package``, ``quarantine_case``, ``registry_entry``, leases and cursors. Insert-only, kept so by
triggers and grants: ``licence_version``, ``status_event``, ``ledger``, ``journal``, ``checkpoint``, ``registry_version``. Times
are Unix milliseconds (intake stamps: microseconds); documents are encrypted by ``core.keyring``; what stays clear is what a
column here names.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from core.store.columns import Id

metadata = MetaData()

# --- the licence library -------------------------------------------------------------------------------------------

licence = Table(
    "licence",
    metadata,
    Column("id", Id, primary_key=True),
    Column("licence_key", LargeBinary(32), nullable=False, unique=True),
    Column("licence_type", String(64), nullable=False),
    Column("issuer_code", Text, nullable=False, server_default=""),
    Column("issuer_name", Text, nullable=False, server_default=""),
    Column("department", Text, nullable=False, server_default=""),
    Column("region", Text, nullable=False, server_default=""),
    Column("licence_name", Text, nullable=False, server_default=""),
    Column("licence_number", Text, nullable=False, server_default=""),
    Column("number_key", Text, nullable=False, server_default=""),  # normalised number, for look-ups
    Column("holder_name", Text, nullable=False, server_default=""),  # clear by default: substring search
    Column("issued_on", Date),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("status", String(16), nullable=False, server_default="valid"),
    Column("identifier", String(200), nullable=False, server_default=""),
    # the current version and the order that made it current
    Column(
        "current_version", Integer, nullable=False, server_default="0"
    ),  # 0: head inserted, no version yet
    Column("source_order", Text, nullable=False, server_default=""),
    Column("stamp_us", BigInteger, nullable=False, server_default="0"),
    Column("rank", Integer, nullable=False, server_default="0"),
    Column("interface", String(64), nullable=False, server_default=""),
    Column("interface_revision", Integer, nullable=False, server_default="0"),
    Column("rule_revision", Integer, nullable=False, server_default="0"),
    Column("source_digest", LargeBinary(32)),
    Column("content_digest", LargeBinary(32)),
    Column("versions", Integer, nullable=False, server_default="0"),
    Column("status_events", Integer, nullable=False, server_default="0"),
    Column(
        "sealed_version", Integer, nullable=False, server_default="0"
    ),  # last version with a sealed package
    Column("updated_ms", BigInteger, nullable=False, server_default="0"),
    Index("ix_licence_number", "number_key"),
    Index("ix_licence_holder", "holder_name", postgresql_ops={"holder_name": "text_pattern_ops"}),
    Index("ix_licence_place", "region", "licence_type", "status", "issued_on", "id"),
    Index("ix_licence_department", "department", "licence_type", "status", "id"),
    Index("ix_licence_issued", "issued_on", "id"),
    Index("ix_licence_expiry", "status", "valid_until"),
)

licence_version = Table(
    "licence_version",
    metadata,
    Column("licence_id", Id, ForeignKey("licence.id"), primary_key=True),
    Column("version_no", Integer, primary_key=True),  # 1, 2, … in order of arrival
    Column("identifier", String(200), nullable=False),
    Column("receipt", Id, nullable=False),
    Column("interface", String(64), nullable=False),
    Column("interface_revision", Integer, nullable=False),
    Column("rule_revision", Integer, nullable=False),
    Column("source_order", Text, nullable=False),
    Column("stamp_us", BigInteger, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("source_digest", LargeBinary(32), nullable=False),
    Column("content_digest", LargeBinary(32), nullable=False),
    Column("outcome", String(16), nullable=False),  # new | newer | stale | history
    Column("cause", Text, nullable=False, server_default=""),
    Column("document", LargeBinary, nullable=False),  # encrypted encode_record()
    Column("created_ms", BigInteger, nullable=False),
)

status_event = Table(
    "status_event",
    metadata,
    Column("licence_id", Id, ForeignKey("licence.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("cause", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("receipt", Id),
    Column("effective_on", Date),
    Column("created_ms", BigInteger, nullable=False),
)

identifier = Table(  # any version's national identifier resolves to its licence
    "identifier",
    metadata,
    Column("identifier", String(200), primary_key=True),
    Column("licence_id", Id, ForeignKey("licence.id"), nullable=False),
    Column("serial_key", Text, nullable=False),  # type . issuer . serial
    Column("version", Integer, nullable=False),  # part 4 of the identifier: counts re-issues
    Column("version_no", Integer, nullable=False),
    Column("assigned", Boolean, nullable=False),
    Index("ix_identifier_licence", "licence_id"),
    Index("ux_identifier_serial", "serial_key", "version", unique=True),
)

blind_index = Table(  # keyed hashes for exact match on encrypted fields
    "blind_index",
    metadata,
    Column("field", String(32), primary_key=True),  # holder_code
    Column("value", LargeBinary(16), primary_key=True),
    Column("licence_id", Id, primary_key=True),
    Column("key_id", String(32), nullable=False),
    Column(
        "version_no", Integer, nullable=False
    ),  # last version that held the value: sharing reads the current one only
    Index("ix_blind_licence", "licence_id"),
    sqlite_with_rowid=False,
)

# --- what became of every record -----------------------------------------------------------------------------------

submission = Table(
    "submission",
    metadata,
    Column("id", Id, primary_key=True),
    Column("interface", String(64), nullable=False),
    Column("protocol", String(16), nullable=False),
    Column("origin", Text, nullable=False, server_default=""),  # relative path of a file
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),
    Column("digest", LargeBinary(32), nullable=False),
    Column("state", String(16), nullable=False),  # reading | read | refused
    Column("rows", Integer, nullable=False, server_default="0"),
    Column("records", Integer, nullable=False, server_default="0"),  # receipts given
    Column("skipped", Integer, nullable=False, server_default="0"),
    Column(
        "detail", Text, nullable=False, server_default=""
    ),  # JSON: faults of a refused file, archive name, duplicate of
    Column("received_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger),
    Index("ix_submission_origin", "interface", "origin", "size_bytes", "digest"),
    Index("ix_submission_digest", "interface", "digest"),
)

ledger = Table(  # range-partitioned by receipt (UUIDv7) on PostgreSQL
    "ledger",
    metadata,
    Column("receipt", Id, primary_key=True),
    Column("interface", String(64), nullable=False),
    Column("interface_revision", Integer, nullable=False),
    Column("submission", Id, nullable=False),
    Column("position", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("collection", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("licence_id", Id),
    Column("version_no", Integer),
    Column("faults", LargeBinary),  # encrypted MessagePack of Fault[]; values seen may be personal
    Column(
        "rules", Text, nullable=False, server_default=""
    ),  # rule codes of the faults, for counting; the filter's name
    Column("cause", Text, nullable=False, server_default=""),
    Column("raw_frame", Id),
    Column("raw_index", Integer),
    Column("stamp_us", BigInteger, nullable=False),
    Column("decided_ms", BigInteger, nullable=False),
    Index("ix_ledger_submission", "submission", "position"),
    Index("ix_ledger_interface", "interface", "receipt"),
    postgresql_partition_by="RANGE (receipt)",
)

raw_frame = Table(
    "raw_frame",  # range-partitioned by id (UUIDv7) on PostgreSQL; one compressed, encrypted frame per batch
    metadata,
    Column("id", Id, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("frame", LargeBinary, nullable=False),
    postgresql_partition_by="RANGE (id)",
)

quarantine_case = Table(
    "quarantine_case",
    metadata,
    Column("receipt", Id, primary_key=True),
    Column("interface", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # quarantined | conflict
    Column("state", String(16), nullable=False),  # open | claimed | accepted | resubmitted | rejected
    Column("licence_id", Id),
    Column("document", LargeBinary, nullable=False),  # encrypted: record (if any), faults, field diff, raw
    Column("rules", Text, nullable=False, server_default=""),
    Column("opened_ms", BigInteger, nullable=False),
    Column("claimed_by", Text, nullable=False, server_default=""),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("decided_ms", BigInteger),
    Column("reason", Text, nullable=False, server_default=""),
    Column("resubmission", Id),  # receipt of the corrected record
    Index("ix_quarantine_state", "interface", "state", "opened_ms"),
)

# --- journal (one, dense, Merkle) ------------------------------------------------------------------------------------

journal_pending = Table(  # inserted in the state's own transaction, moved to the journal by the sequencer
    "journal_pending",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("data", LargeBinary, nullable=False),  # canonical JSON, no personal data
    Column("at_ms", BigInteger, nullable=False),
)

journal = Table(  # partitioned by number on PostgreSQL
    "journal",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Id, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
    Index("ix_journal_subject", "subject", "number"),
    postgresql_partition_by="RANGE (number)",
)

journal_head = Table(  # one row: size, and the frontier of the RFC 6962 tree
    "journal_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("fence", BigInteger, nullable=False),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

counter = Table(  # statistics "as of journal number N"
    "counter",
    metadata,
    Column("day", Date, primary_key=True),
    Column("interface", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("detail", String(32), primary_key=True),
    Column("n", BigInteger, nullable=False),
)

subscription = Table(
    "subscription",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("delivered", BigInteger, nullable=False),  # journal number acknowledged by the destination
    Column("fence", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("retry_ms", BigInteger, nullable=False, server_default="0"),
    Column("stopped", Text, nullable=False, server_default=""),  # why the feed stopped, if it did
    Column("updated_ms", BigInteger, nullable=False),
)

# --- packages --------------------------------------------------------------------------------------------------------

package = Table(
    "package",
    metadata,
    Column("licence_id", Id, primary_key=True),
    Column("version_no", Integer, primary_key=True),
    Column("form", String(8), primary_key=True),  # ofd | pdf
    Column(
        "state", String(16), nullable=False
    ),  # pending | claimed | packaged | superseded | needs-glyph | failed
    Column("bulk", Boolean, nullable=False),
    Column("lease_ms", BigInteger, nullable=False, server_default="0"),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("detail", Text, nullable=False, server_default=""),
    Column("file_number", String(100), nullable=False, server_default=""),
    Column("template", String(128), nullable=False, server_default=""),
    Column("digest", LargeBinary(32)),  # SHA-256 of the assembled file
    Column("size_bytes", BigInteger),
    Column("algorithm", String(32), nullable=False, server_default=""),
    Column("key_id", String(64), nullable=False, server_default=""),
    Column("blob", LargeBinary(32)),
    Column("thumbnail", LargeBinary(32)),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("ix_package_state", "state", "bulk", "created_ms"),
)

blob = Table(  # content-addressed; bytes are encrypted
    "blob",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # SHA-256 of the clear content
    Column("media", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

one_time_link = Table(
    "one_time_link",
    metadata,
    Column("token", LargeBinary(32), primary_key=True),  # SHA-256 of the token
    Column("target", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)

# --- registry, intake guard, coordination ------------------------------------------------------------------------------

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

INSERT_ONLY = ("licence_version", "status_event", "ledger", "journal", "checkpoint", "registry_version")
"""Tables whose rows are never updated or deleted: triggers refuse it on both databases, grants too on PostgreSQL."""

PARTITIONED = {"ledger": "receipt", "raw_frame": "id", "journal": "number"}
"""Tables range-partitioned from the first migration on PostgreSQL, by the column named.

The package table stays whole: its rows are short, the blobs are apart."""
