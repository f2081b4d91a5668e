"""The expiry sweep: licences whose last day has passed get the status *expired* appended (REQUIREMENTS E2)."""

from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from contracts.record import Status
from core.store.engine import Database
from core.store.journal import pend
from core.store.leases import database_now_ms
from core.store.tables import licence, package, status_event
from core.store.tables.library import MAY_EXPIRE

BATCH = 200
ACTOR = "expiry-sweep"


class ExpiryStore:
    """Appends what the calendar brings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def expire(self, today: date) -> int:
        """Ends every licence whose ``valid_until`` lies before ``today``; counts them; in small batches, a rerun goes on."""
        total = 0
        while expired := self._batch(today):
            total += expired
        return total

    def _batch(self, today: date) -> int:
        over = select(licence.c.id, licence.c.status_events, licence.c.valid_until, licence.c.interface)
        over = over.where(text(MAY_EXPIRE), licence.c.valid_until < today, licence.c.current_version > 0)
        over = over.with_hint(
            licence, "INDEXED BY ix_licence_expiry", "sqlite"
        )  # it would take the one on status
        with self._database.begin() as connection:
            rows = connection.execute(
                over.order_by(licence.c.valid_until).limit(BATCH).with_for_update()
            ).all()
            now_ms = database_now_ms(connection)
            for row in rows:
                _append(connection, row, now_ms)
            return len(rows)


def _append(connection: Connection, row: Any, now_ms: int) -> None:
    seq = row.status_events + 1
    event = {
        "status": Status.EXPIRED.value,
        "cause": "validity-ended",
        "actor": ACTOR,
        "effective_on": row.valid_until,
    }
    connection.execute(insert(status_event).values(licence_id=row.id, seq=seq, created_ms=now_ms, **event))
    head = update(licence).where(licence.c.id == row.id)
    connection.execute(head.values(status=Status.EXPIRED.value, status_events=seq, updated_ms=now_ms))
    unsealed = update(package).where(
        package.c.licence_id == row.id, package.c.state.in_(("pending", "needs-glyph"))
    )
    connection.execute(
        unsealed.values(state="superseded", detail="expired before it was packaged", changed_ms=now_ms)
    )
    data = {
        "licence": str(row.id),
        "seq": seq,
        "status": "expired",
        "cause": "validity-ended",
        "interface": row.interface,
    }
    pend(connection, "licence.status", str(row.id), data, now_ms)
