"""Submissions: a dropped file, a push, a pull page: what came in as one piece, and how far its reading got."""

import time
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, insert, select, update

from contracts.identity import uuid7
from core.errors import NotFound
from core.store.engine import Database
from core.store.tables import submission

SubmissionState = Literal["reading", "read", "refused"]


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """One submission; ``detail`` is JSON of what only its kind has (archive name, faults of a refused file, duplicate of)."""

    id: UUID
    interface: str
    protocol: str
    origin: str
    size_bytes: int
    digest: bytes
    state: SubmissionState
    rows: int
    records: int
    skipped: int
    detail: dict[str, Any]
    received_ms: int
    finished_ms: int | None


class SubmissionStore:
    """Submissions by interface."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self,
        interface: str,
        protocol: str,
        digest: bytes,
        *,
        origin: str = "",
        size_bytes: int = 0,
        detail: dict[str, Any] | None = None,
        submission_id: UUID | None = None,
    ) -> Submission:
        """Opens a submission in state ``reading``. ``digest``: SHA-256 of the content; ``origin``: relative path of a file."""
        now_ms = time.time_ns() // 1_000_000
        opened = Submission(
            id=submission_id or uuid7(now_ms),
            interface=interface,
            protocol=protocol,
            origin=origin,
            size_bytes=size_bytes,
            digest=digest,
            state="reading",
            rows=0,
            records=0,
            skipped=0,
            detail=detail or {},
            received_ms=now_ms,
            finished_ms=None,
        )
        with self._database.begin() as connection:
            connection.execute(insert(submission).values(**_values(opened)))
        return opened

    def progress(self, submission_id: UUID, *, rows: int, records: int, skipped: int = 0) -> None:
        """Notes how far the reading got (totals, not increments); nothing once it is finished, by whichever reader."""
        self._change(
            submission_id, submission.c.state == "reading", rows=rows, records=records, skipped=skipped
        )

    def finish(
        self,
        submission_id: UUID,
        state: SubmissionState,
        *,
        rows: int = 0,
        records: int = 0,
        skipped: int = 0,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Closes a submission as ``read`` or ``refused``; ``detail`` is merged into what is there."""
        merged = {**self.get(submission_id).detail, **(detail or {})}
        totals = {"rows": rows, "records": records, "skipped": skipped}
        now_ms = time.time_ns() // 1_000_000
        self._change(submission_id, state=state, finished_ms=now_ms, detail=_json(merged), **totals)

    def get(self, submission_id: UUID) -> Submission:
        """The submission; raises ``NotFound``."""
        found = self._select(select(submission).where(submission.c.id == submission_id))
        if not found:
            raise NotFound(f"no submission {submission_id}", f"没有提交 {submission_id}")
        return found[0]

    def same_content(self, interface: str, digest: bytes) -> list[Submission]:
        """Submissions of the interface with this very content, oldest first."""
        where = (submission.c.interface == interface, submission.c.digest == digest)
        return self._select(
            select(submission).where(*where).order_by(submission.c.received_ms, submission.c.id)
        )

    def same_file(self, interface: str, origin: str, size_bytes: int, digest: bytes) -> Submission | None:
        """The last submission of this very file: same place, size and content."""
        columns = submission.c
        place = (columns.interface == interface, columns.origin == origin)
        where = (*place, columns.size_bytes == size_bytes, columns.digest == digest)
        found = self._select(
            select(submission).where(*where).order_by(columns.received_ms.desc(), columns.id.desc()).limit(1)
        )
        return found[0] if found else None

    def recent(self, interface: str = "", limit: int = 50) -> list[Submission]:
        """The latest submissions, newest first."""
        query = select(submission).order_by(submission.c.id.desc()).limit(limit)
        return self._select(query.where(submission.c.interface == interface) if interface else query)

    def _select(self, query: Select[Any]) -> list[Submission]:
        with self._database.read() as connection:
            return [_read(row) for row in connection.execute(query).mappings()]

    def _change(self, submission_id: UUID, *where: ColumnElement[bool], **values: object) -> None:
        with self._database.begin() as connection:
            connection.execute(
                update(submission).where(submission.c.id == submission_id, *where).values(**values)
            )


def _values(opened: Submission) -> dict[str, Any]:
    return {**msgspec.structs.asdict(opened), "detail": _json(opened.detail)}


def _read(row: Any) -> Submission:
    values = dict(row)
    values["detail"] = msgspec.json.decode(values["detail"] or "{}")
    values["digest"] = bytes(values["digest"])
    return Submission(**values)


def _json(detail: dict[str, Any]) -> str:
    return msgspec.json.encode(detail).decode()
