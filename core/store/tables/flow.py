"""What became of every record: submissions, ledger, raw frames, quarantine."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from core.store.columns import Id
from core.store.tables.metadata import metadata

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
    Column("state", String(16), nullable=False),  # CaseState of core.store.quarantine
    Column("licence_id", Id),
    Column("document", LargeBinary, nullable=False),  # encrypted: record (if any), faults, field diff, raw
    Column("rules", Text, nullable=False, server_default=""),
    Column("opened_ms", BigInteger, nullable=False),
    Column("claimed_by", Text, nullable=False, server_default=""),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("decided_ms", BigInteger),
    Column("reason", Text, nullable=False, server_default=""),
    Column("resubmission", Id),  # receipt of the corrected record
    Column("begun", String(16), nullable=False, server_default=""),  # Begun of core.store.quarantine
    Index("ix_quarantine_state", "interface", "state", "opened_ms"),
)
