"""Keeping the parts of a hub running: threads inside a process, processes under a supervisor.

A part that fails is started again after a pause that grows; a supervisor that dies takes its children with it.
"""

import gc
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from threading import Event, Thread
from types import FrameType

from core.errors import HubError

log = logging.getLogger(__name__)

Part = Callable[[Event], None]
"""A part of the hub: runs until the event is set."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
"""A part that has run so long starts afresh with the first pause."""
GRACE_S = 30.0
"""Time children have to end after they were asked to."""
COLLECT_AFTER = 20_000
"""Objects made before the collector looks for cycles: looking at every 700 took a tenth of the time."""
PARENT = "LICENCE_HUB_SUPERVISOR"
"""Environment variable with the supervisor's process id."""


def stop_on_signals() -> Event:
    """An event that SIGTERM and SIGINT set; a second signal ends the process at once, if it has no supervisor.

    One that has gets both as a rule, the signal of its process group (Ctrl-C, systemd) and its supervisor's, which also puts
    an end to a drain that takes too long.
    """
    stop = Event()
    # Handlers run within whatever the main thread is at: one that takes the event's lock stands still for ever when the main
    # thread, or a handler below it, has that lock. Putting into this queue takes none.
    signals: SimpleQueue[int] = SimpleQueue()

    def attend() -> None:
        signals.get()
        stop.set()
        while True:
            number = signals.get()
            if PARENT not in os.environ:
                os._exit(128 + number)

    def asked(number: int, _frame: FrameType | None) -> None:
        signals.put(number)

    Thread(target=attend, name="signals", daemon=True).start()
    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)
    return stop


def run_threads(parts: Mapping[str, Part], stop: Event) -> None:
    """Runs each part in a thread of its own until ``stop``, then waits for them; ends the process when one is stuck."""
    collect_seldom()
    threads = [
        Thread(target=kept_running, args=(name, part, stop), name=name) for name, part in parts.items()
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(1.0):
        if _orphaned():
            log.warning("the supervisor is gone: stopping")
            stop.set()
    until = time.monotonic() + GRACE_S
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0.0))
    stuck = [thread.name for thread in threads if thread.is_alive()]
    if stuck:
        log.error("%s did not end in time: the process ends without", ", ".join(stuck))
        # Not by returning: the interpreter waits for threads without limit, for those of executors even where they are daemons.
        os._exit(1)


def collect_seldom() -> None:
    """Tells the collector of cycles that what is loaded by now stays, and that records make hardly any."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)


def kept_running(name: str, part: Part, stop: Event) -> None:
    """Runs a part until ``stop``; one that fails or ends before is started again after a pause that grows."""
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        started = time.monotonic()
        try:
            part(stop)
        except HubError as error:  # it says in words what is out of reach or wrong: its stack would say less
            log.error("%s failed: %s; it starts again in %.1f s", name, error, pause_s)  # noqa: TRY400 -- see above
        except Exception:
            log.exception("%s failed; it starts again in %.1f s", name, pause_s)
        if stop.is_set():
            return
        if time.monotonic() - started > STEADY_S:
            pause_s = FIRST_PAUSE_S
        stop.wait(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _orphaned() -> bool:
    supervisor = os.environ.get(PARENT)
    return supervisor is not None and os.getppid() != int(supervisor)


class Child:
    """One supervised process in its slot."""

    def __init__(
        self, slot: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """``environment`` is added to this process's own."""
        self.slot = slot
        self._arguments = arguments
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._pause_s = FIRST_PAUSE_S
        self._started = 0.0
        self._due = 0.0

    def tend(self) -> None:
        """Starts the process, or starts it again when it has ended and its pause is over."""
        now = time.monotonic()
        if self._process is not None and (status := self._process.poll()) is not None:
            self._process = None
            self._pause(now, f"ended with status {status}", steady=now - self._started > STEADY_S)
        if self._process is None and now >= self._due:
            environment = {**os.environ, **self._environment, PARENT: str(os.getpid())}
            command = [sys.executable, "-P", "-m", "licencehub", *self._arguments]
            try:
                self._process = subprocess.Popen(command, env=environment)  # noqa: S603 -- our own program and arguments
            except OSError as error:  # memory or processes are short for the moment: the other children go on
                self._pause(now, f"cannot be started ({error})", steady=False)
            self._started = now

    def _pause(self, now: float, why: str, *, steady: bool) -> None:
        self._pause_s = FIRST_PAUSE_S if steady else min(self._pause_s * 2, LONGEST_PAUSE_S)
        self._due = now + self._pause_s
        log.warning("%s %s; it starts again in %.1f s", self.slot, why, self._pause_s)

    def ask_to_end(self) -> None:
        """SIGTERM, when it is running."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, until: float) -> None:
        """Waits for the end; kills what is left at ``until`` (monotonic seconds)."""
        if self._process is None:
            return
        try:
            self._process.wait(max(until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            log.warning("%s did not end in time", self.slot)
            self._process.kill()
            self._process.wait()


def run_processes(children: Sequence[Child], stop: Event) -> None:
    """Keeps the children running until ``stop``; ends them in the order given (the gateway first, so that it drains)."""
    try:
        while not stop.wait(0.2) and not _orphaned():
            for child in children:
                child.tend()
    finally:  # after a defect, too: no child stays behind without a supervisor
        until = time.monotonic() + GRACE_S
        for child in children:
            child.ask_to_end()
        for child in children:
            child.wait(until)
