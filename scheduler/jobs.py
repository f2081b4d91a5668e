"""Jobs that exactly one process runs: the leader by lease; APScheduler runs the triggers inside it.

APScheduler 3 job stores cannot be shared by processes and its one-second misfire grace drops late runs silently, so jobs
live in memory, every setting is explicit, and a new leader runs at once what the last one missed.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event

import msgspec
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from core.errors import HubError
from core.ports.observe import Observer
from core.store.jobs import JobStore

log = logging.getLogger(__name__)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A periodic duty. ``run`` is idempotent: a takeover may repeat it."""

    name: str
    every_s: float
    run: Callable[[], None]


class JobRunner:
    """The work of the ``scheduler`` lease."""

    def __init__(
        self,
        jobs: Sequence[Job],
        history: JobStore,
        observer: Observer,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._jobs = jobs
        self._history = history
        self._observer = observer
        self._clock = clock
        self._scheduler: BackgroundScheduler | None = None
        self._fence = 0

    def __call__(self, fence: int) -> bool:
        """Keeps the triggers running under ``fence``; a new fence starts them afresh."""
        if self._scheduler is None or fence != self._fence:
            self.stop()
            self._fence = fence
            self._start()
        return False

    def stop(self) -> None:
        """Stops the triggers and waits for the job that is running."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None

    def lead(
        self, step: Callable[[], bool], leading: Callable[[], bool], stop: Event, idle_s: float = 2.0
    ) -> None:
        """Runs until ``stop``: ``step`` takes or renews the lease; losing it stops the triggers."""
        try:
            while not stop.is_set():
                step()
                if not leading():
                    self.stop()
                stop.wait(idle_s)
        finally:
            self.stop()

    def run_job(self, job: Job) -> None:
        """Runs one job and notes how it ended."""
        try:
            job.run()
        except HubError as error:
            log.warning("job %s failed: %s", job.name, error)
            self._ended(job, "failed", error.code)
        except Exception as error:
            log.exception("job %s failed", job.name)
            self._ended(job, "failed", type(error).__name__)
        else:
            self._ended(job, "ok", "")

    def _start(self) -> None:
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults)
        scheduler.add_listener(self._skipped, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        last_ms = {run.job: run.last_succeeded_ms or 0 for run in self._history.all()}
        for job in self._jobs:
            trigger = IntervalTrigger(seconds=max(1, round(job.every_s)), timezone=UTC)
            first = self._first_run(job, last_ms.get(job.name, 0))
            scheduler.add_job(
                self.run_job, trigger, (job,), id=job.name, next_run_time=first, replace_existing=True
            )
        scheduler.start()
        self._scheduler = scheduler

    def _first_run(self, job: Job, last_ms: int) -> datetime:
        """Now when a run was missed, else when the next one is due."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        due = datetime.fromtimestamp(last_ms / 1000, UTC) + timedelta(seconds=job.every_s)
        return max(now, due)

    def _ended(self, job: Job, outcome: str, error: str) -> None:
        self._observer.count("scheduler_runs_total", job=job.name, outcome=outcome)
        try:
            self._history.ran(job.name, error=error)
        except HubError as failure:
            log.warning("job %s: its history could not be written: %s", job.name, failure)

    def _skipped(self, event: JobExecutionEvent) -> None:
        outcome = "missed" if event.code == EVENT_JOB_MISSED else "skipped"
        self._observer.count("scheduler_runs_total", job=event.job_id, outcome=outcome)
