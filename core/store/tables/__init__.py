"""The tables, once for both databases (ARCHITECTURE 4.5).

Mutable heads: ``licence``, ``package``, ``quarantine_case``, ``registry_entry``, leases and cursors. Insert-only, kept so by
triggers and grants: ``licence_version``, ``status_event``, ``ledger``, ``journal``, ``checkpoint``, ``registry_version``. Times
are Unix milliseconds (intake stamps: microseconds); documents are encrypted by ``core.keyring``; what stays clear is what a
column here names.
"""

from core.store.tables.coordination import (
    alert,
    data_key,
    guard_key,
    guard_nonce,
    hub_meta,
    job_run,
    lease,
    manifest,
    registry_entry,
    registry_revision,
    registry_version,
)
from core.store.tables.flow import ledger, quarantine_case, raw_frame, submission
from core.store.tables.journal import (
    checkpoint,
    counter,
    journal,
    journal_head,
    journal_pending,
    subscription,
)
from core.store.tables.library import blind_index, identifier, licence, licence_version, status_event
from core.store.tables.metadata import metadata
from core.store.tables.packages import attachment, blob, one_time_link, package

__all__ = [
    "INSERT_ONLY",
    "PARTITIONED",
    "alert",
    "attachment",
    "blind_index",
    "blob",
    "checkpoint",
    "counter",
    "data_key",
    "guard_key",
    "guard_nonce",
    "hub_meta",
    "identifier",
    "job_run",
    "journal",
    "journal_head",
    "journal_pending",
    "lease",
    "ledger",
    "licence",
    "licence_version",
    "manifest",
    "metadata",
    "one_time_link",
    "package",
    "quarantine_case",
    "raw_frame",
    "registry_entry",
    "registry_revision",
    "registry_version",
    "status_event",
    "submission",
    "subscription",
]

INSERT_ONLY = ("licence_version", "status_event", "ledger", "journal", "checkpoint", "registry_version")
"""Tables whose rows are never updated or deleted: triggers refuse it on both databases, grants too on PostgreSQL."""

PARTITIONED = {"ledger": "receipt", "raw_frame": "id", "journal": "number"}
"""Tables range-partitioned from the first migration on PostgreSQL, by the column named.

The package table stays whole: its rows are short, the blobs are apart."""
