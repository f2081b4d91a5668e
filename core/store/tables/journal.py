"""The journal: pending entries, the dense log with its Merkle tree, counters, feeds."""

from sqlalchemy import BigInteger, Column, Date, Index, Integer, LargeBinary, String, Table, Text

from core.store.columns import Id
from core.store.tables.metadata import metadata

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
