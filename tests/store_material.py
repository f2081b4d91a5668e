"""Records, candidates and stores for tests of the store: one licence type, distinct numbers, planted personal codes."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import func, select

from contracts.fault import Fault
from contracts.identity import licence_key, uuid7
from contracts.outcome import Outcome
from contracts.record import Collection, Holder, LicenceRecord, Status, content_digest
from contracts.text import normalise_licence_number
from core.identity import Candidate
from core.store import Store, open_store, prepare_store, tables
from core.store.licences import LicenceQuery

MASTER = bytes(range(32))
TYPE = "11100000000013338W032"
ISSUER = "11220000013544541J"
SUBMISSION = uuid7(1_700_000_000_000)


def record(number: str, note: str = "", **changes: Any) -> LicenceRecord:
    """A record of the type; ``note`` makes contents differ."""
    values: dict[str, Any] = {
        "licence_type": TYPE,
        "licence_name": "食品经营许可证",
        "licence_number": number,
        "holders": (Holder(name="甲公司", code="91110000600037341L", code_type="001"),),
        "issuer_name": "某省市场监督管理局",
        "issuer_code": ISSUER,
        "region": "220100",
        "issued_on": date(2024, 5, 1),
        "valid_until": date(2034, 4, 30),
        "items": {"KZ_NOTE": note},
    }
    return LicenceRecord(**{**values, **changes})


def candidate(
    number: str,
    *,
    order: str = "1",
    note: str = "",
    stamp_us: int = 1_700_000_000_000_000,
    fields: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Candidate:
    """A candidate for ``number`` at ``order``; ``fields`` change the record, ``changes`` the candidate."""
    made = record(number, note, **(fields or {}))
    key = normalise_licence_number(number)
    values: dict[str, Any] = {
        "receipt": uuid7(),
        "submission": SUBMISSION,
        "position": 0,
        "interface": "food",
        "interface_revision": 1,
        "rule_revision": 1,
        "collection": Collection.INCREMENTAL,
        "department": "市场监督管理局",
        "rank": 100,
        "stamp_us": stamp_us,
        "source_order": order,
        "source_digest": hashlib.sha256(f"{number}\0{order}\0{note}".encode()).digest(),
        "record": made,
        "number_key": key,
        "licence_key": licence_key(TYPE, ISSUER, key),
        "content_digest": content_digest(made),
    }
    return Candidate(**{**values, **changes})


def refused(outcome: Outcome, faults: tuple[Fault, ...] = (), **changes: Any) -> Candidate:
    """A candidate decided before identity."""
    return candidate("none", fixed=outcome, faults=faults, licence_key=None, **changes)


def ended(number: str, status: Status = Status.EXPIRED, **changes: Any) -> Candidate:
    """A candidate that had come to its end before it was taken in."""
    return candidate(number, ended=status, **changes)


def fresh_store(url: str) -> Store:
    """A migrated, opened store."""
    prepare_store(url)
    return open_store(url, master=MASTER)


def empty(url: str) -> None:
    """Takes everything out of a PostgreSQL store, which its triggers would refuse to anyone but an administrator."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(f"TRUNCATE {', '.join(tables.metadata.tables)} CASCADE")
        connection.execute("INSERT INTO journal_head (id, size, frontier, fence) VALUES (1, 0, '', 0)")
        connection.execute("INSERT INTO registry_revision (id, revision) VALUES (1, 0)")


def outcomes(store: Store, batch: list[Candidate], raws: list[bytes] | None = None) -> list[str]:
    """Commits and gives the outcomes' words."""
    return [result.outcome.value for result in store.records.commit(batch, raws or [])]


def licence_id_of(store: Store, number: str) -> UUID:
    """Id of the one licence with this number."""
    (view,) = store.licences.find(LicenceQuery(scope="management", number=number)).licences
    return view.id


def count(store: Store, table: str) -> int:
    """Rows of a table."""
    with store.database.read() as connection:
        return int(
            connection.execute(select(func.count()).select_from(tables.metadata.tables[table])).scalar_one()
        )


def mixed_batch() -> list[Candidate]:
    """A batch that touches every table, the same in every process, for a library that holds ``A-1`` at order 1."""
    receipts = [uuid7(1_700_000_000_000, bytes([number] * 10)) for number in range(7)]
    person = Holder(name="张三", code="11010519491231002X", code_type="111")
    return [
        candidate("A-1", order="2", note="b", receipt=receipts[0], raw_index=0),
        candidate("A-1", order="2", note="c", receipt=receipts[1], raw_index=0),
        candidate("B-1", receipt=receipts[2], fields={"holders": (person,)}),
        candidate("B-1", order="2", note="x", receipt=receipts[3], fields={"status": Status.LOST}),
        ended("C-1", receipt=receipts[4]),
        refused(Outcome.QUARANTINED, receipt=receipts[5]),
        refused(Outcome.REJECTED, receipt=receipts[6]),
    ]


MIXED_OUTCOMES = ["newer", "conflict", "new", "newer", "history", "quarantined", "rejected"]
