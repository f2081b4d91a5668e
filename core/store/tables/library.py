"""The licence library: heads, versions, status events, identifiers, blind index."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from core.store.columns import Id
from core.store.tables.metadata import metadata

MAY_EXPIRE = "status IN ('valid', 'suspended', 'lost')"
"""Licences that an end of validity still changes; a query that wants the index says it in these very words."""

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
    Index("ix_licence_region", "region", "id"),  # with the id behind it the latest come first without sorting
    Index("ix_licence_department", "department", "id"),
    Index("ix_licence_status", "status", "id"),
    Index("ix_licence_issued", "issued_on", "id"),
    Index(
        "ix_licence_expiry", "valid_until", postgresql_where=text(MAY_EXPIRE), sqlite_where=text(MAY_EXPIRE)
    ),
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
