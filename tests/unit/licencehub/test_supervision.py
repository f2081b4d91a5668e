"""A supervisor whose child cannot be started keeps the others, and leaves none behind when it meets a defect itself."""

import errno
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

import pytest

from licencehub import supervision
from licencehub.supervision import Child, run_processes


class Process:
    """A process that runs until it is told to end."""

    def __init__(self) -> None:
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        self.returncode = 0

    def wait(self, _timeout_s: float | None = None) -> None:
        assert self.returncode is not None


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[str, Process]]]:
    """Replaces starting: each error is met by the start at its place, counted from 0; gives what was started, by slot."""

    def with_faults(faults: dict[int, Exception], stop_after: int, stop: Event) -> list[tuple[str, Process]]:
        tried: list[str] = []
        running: list[tuple[str, Process]] = []

        def start(command: Sequence[str], **_options: Any) -> Process:
            tried.append(command[-1])
            if (fault := faults.get(len(tried) - 1)) is not None:
                raise fault
            running.append((command[-1], Process()))
            if len(running) == stop_after:
                stop.set()
            return running[-1][1]

        monkeypatch.setattr("licencehub.supervision.subprocess.Popen", start)
        return running

    monkeypatch.setattr(supervision, "FIRST_PAUSE_S", 0.001)
    return with_faults


def children() -> list[Child]:
    return [Child(slot, [slot]) for slot in ("gateway", "worker", "poller")]


def test_a_child_that_cannot_be_started_is_tried_again_and_the_others_run(
    started: Callable[..., list[tuple[str, Process]]], caplog: pytest.LogCaptureFixture
) -> None:
    stop = Event()
    running = started({1: OSError(errno.ENOMEM, "Cannot allocate memory")}, 3, stop)
    run_processes(children(), stop)
    assert [slot for slot, _process in running] == ["gateway", "poller", "worker"]
    assert [process.returncode for _slot, process in running] == [0, 0, 0]
    assert "worker cannot be started" in caplog.text


def test_a_supervisor_that_meets_a_defect_ends_its_children_first(
    started: Callable[..., list[tuple[str, Process]]],
) -> None:
    stop = Event()
    running = started({1: MemoryError()}, 3, stop)
    with pytest.raises(MemoryError):
        run_processes(children(), stop)
    assert [(slot, process.returncode) for slot, process in running] == [("gateway", 0)]
