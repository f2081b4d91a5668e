"""The scheduler: one leader, explicit settings, missed runs made up for once."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from core.errors import Unavailable
from core.ports.observe import Unobserved
from core.store.engine import Database
from core.store.jobs import JobStore
from core.store.migrations import migrate
from scheduler.jobs import Job, JobRunner


@pytest.fixture
def history(tmp_path: Path) -> Iterator[JobStore]:
    database = Database(f"sqlite:///{tmp_path}/hub.db")
    migrate(database)
    yield JobStore(database)
    database.close()


class Counted(Unobserved):
    def __init__(self) -> None:
        self.counts: dict[tuple[str, ...], float] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        key = (name, *labels.values())
        self.counts[key] = self.counts.get(key, 0) + amount


def test_a_run_is_noted_with_its_end(history: JobStore) -> None:
    observer = Counted()
    runner = JobRunner([], history, observer)

    def away() -> None:
        raise Unavailable("store away")

    def defect() -> None:
        raise ZeroDivisionError

    runner.run_job(Job(name="good", every_s=60, run=lambda: None))
    runner.run_job(Job(name="away", every_s=60, run=away))
    runner.run_job(Job(name="defect", every_s=60, run=defect))
    assert {run.job: run.detail for run in history.all()} == {
        "good": "",
        "away": "unavailable",
        "defect": "ZeroDivisionError",
    }
    assert observer.counts == {
        ("scheduler_runs_total", "good", "ok"): 1,
        ("scheduler_runs_total", "away", "failed"): 1,
        ("scheduler_runs_total", "defect", "failed"): 1,
    }


def test_a_new_leader_runs_at_once_what_was_missed_and_only_once(history: JobStore) -> None:
    ran = Event()
    runs: list[float] = []

    def note() -> None:
        runs.append(time.time())
        ran.set()

    runner = JobRunner([Job(name="sweep", every_s=3600, run=note)], history, Unobserved())
    runner(1)
    assert ran.wait(5)
    runner(1)
    runner.stop()
    assert len(runs) == 1


def test_a_job_that_ran_lately_waits_for_its_time(history: JobStore) -> None:
    history.ran("sweep")
    ran = Event()
    runner = JobRunner([Job(name="sweep", every_s=3600, run=ran.set)], history, Unobserved())
    runner(1)
    assert not ran.wait(0.3)
    runner.stop()


def test_the_triggers_stop_with_the_lease(history: JobStore) -> None:
    ran = Event()
    stop = Event()
    turns: list[bool] = []

    def step() -> bool:
        if turns:
            stop.set()
        else:
            runner(1)
        turns.append(True)
        return False

    runner = JobRunner([Job(name="sweep", every_s=3600, run=ran.set)], history, Unobserved())
    runner.lead(step, lambda: len(turns) == 1, stop, idle_s=0.2)
    assert runner._scheduler is None
    assert ran.is_set()
