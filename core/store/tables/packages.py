"""Packages, blobs, files that came with records, and one-time links."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
    true,
)

from core.store.columns import Id
from core.store.tables.metadata import metadata

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
    Column("lasting", Boolean, nullable=False, server_default=true()),  # not for a received file alone
)

attachment = Table(  # a file in the blob table, and the receipt of the record it came with
    "attachment",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("receipt", Id, primary_key=True),
    Column("put_ms", BigInteger, nullable=False),
    Column("published", Boolean, nullable=False),  # the record is on the bus for good, or in the ledger
    Index("ix_attachment_receipt", "receipt"),
    Index(
        "ix_attachment_open",
        "put_ms",
        postgresql_where=text("NOT published"),
        sqlite_where=text("NOT published"),
    ),
)

one_time_link = Table(
    "one_time_link",
    metadata,
    Column("token", LargeBinary(32), primary_key=True),  # SHA-256 of the token
    Column("target", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)
