"""Upload alerts (接收预警): raised once, closed by themselves, both journaled."""

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import Row, Select, insert, select, update

from contracts.identity import uuid7
from core.store.engine import Database
from core.store.journal import pend
from core.store.leases import database_now_ms
from core.store.tables import alert


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that is or was open."""

    kind: str
    """``silent``, …"""
    interface: str
    raised_ms: int
    closed_ms: int | None
    detail: dict[str, object]


class AlertStore:
    """At most one open alert per (kind, interface)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def raise_once(self, kind: str, interface: str, detail: dict[str, object]) -> bool:
        """Opens an alert unless it is open already; True when it was opened now."""
        with self._database.begin() as connection:
            open_ = select(alert.c.id).where(
                alert.c.kind == kind, alert.c.interface == interface, alert.c.closed_ms.is_(None)
            )
            if connection.execute(open_).first() is not None:
                return False
            now_ms = database_now_ms(connection)
            row = {"id": uuid7(now_ms), "kind": kind, "interface": interface, "raised_ms": now_ms}
            connection.execute(insert(alert).values(**row, detail=orjson.dumps(detail).decode()))
            pend(
                connection,
                "alert.raised",
                interface,
                {"kind": kind, "interface": interface, **detail},
                now_ms,
            )
            return True

    def close(self, kind: str, interface: str) -> bool:
        """Closes the open alert, if there is one."""
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            closing = update(alert).where(
                alert.c.kind == kind, alert.c.interface == interface, alert.c.closed_ms.is_(None)
            )
            if connection.execute(closing.values(closed_ms=now_ms)).rowcount == 0:
                return False
            pend(connection, "alert.closed", interface, {"kind": kind, "interface": interface}, now_ms)
            return True

    def open(self) -> Sequence[Alert]:
        """Alerts that are open now, oldest first."""
        return self._select(select(alert).where(alert.c.closed_ms.is_(None)).order_by(alert.c.raised_ms))

    def recent(self, limit: int = 100) -> Sequence[Alert]:
        """The latest alerts, open or closed."""
        return self._select(select(alert).order_by(alert.c.raised_ms.desc()).limit(limit))

    def _select(self, statement: Select[Any]) -> list[Alert]:
        with self._database.read() as connection:
            return [_alert(row) for row in connection.execute(statement)]


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        kind=row.kind,
        interface=row.interface,
        raised_ms=row.raised_ms,
        closed_ms=row.closed_ms,
        detail=orjson.loads(row.detail or "{}"),
    )
