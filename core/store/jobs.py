"""When each scheduled job last ran, for operators and alerts."""

import msgspec
from sqlalchemy import insert, select, update

from core.store.engine import Database
from core.store.leases import database_now_ms
from core.store.tables import job_run


class JobRun(msgspec.Struct, frozen=True, kw_only=True):
    """History of one job in short."""

    job: str
    last_started_ms: int | None
    last_succeeded_ms: int | None
    runs: int
    failures: int
    detail: str


class JobStore:
    """One row per job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ran(self, job: str, *, error: str = "") -> None:
        """Notes the end of a run: succeeded, or failed with a short reason."""
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            row = connection.execute(select(job_run).where(job_run.c.job == job)).first()
            if row is None:
                connection.execute(insert(job_run).values(job=job, runs=0, failures=0, detail=""))
            values: dict[str, object] = {
                "last_started_ms": now_ms,
                "runs": job_run.c.runs + 1,
                "detail": error,
            }
            if error:
                values["failures"] = job_run.c.failures + 1
            else:
                values["last_succeeded_ms"] = now_ms
            connection.execute(update(job_run).where(job_run.c.job == job).values(values))

    def all(self) -> list[JobRun]:
        """Every job's history."""
        with self._database.read() as connection:
            return [
                JobRun(**row._mapping) for row in connection.execute(select(job_run).order_by(job_run.c.job))
            ]
