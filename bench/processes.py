"""Processes under measurement: Python modules of ours, ended with their children when the block ends."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Self

from services.process import guarded, kill_tree

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 30.0
STALLED_S = 20.0


class Processes:
    """Started in the block, ended in order of their start."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("ab")
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                kill_tree(process)
        self._log.close()

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Starts ``python arguments``; what it prints goes to the log."""
        self._start(name, arguments, self._log)

    def start_asking(self, name: str, arguments: Sequence[str]) -> bytes:
        """Starts ``python arguments`` and returns the first line it prints."""
        process = self._start(name, arguments, subprocess.PIPE)
        assert process.stdout is not None
        return process.stdout.readline()

    def _start(self, name: str, arguments: Sequence[str], out: IO[bytes] | int) -> "subprocess.Popen[bytes]":
        command = guarded([sys.executable, *arguments])
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=self._log, start_new_session=True)
        self._running[name] = process
        return process

    @property
    def roots(self) -> dict[str, int]:
        """Their process ids by name."""
        return {name: process.pid for name, process in self._running.items()}


def wait_for(what: str, count: Callable[[], int], wanted: int, *, every_s: float = 0.1) -> float:
    """The moment (monotonic) ``count`` reached ``wanted``; raises ``RuntimeError`` when it stops growing."""
    last, moved = -1, time.monotonic()
    while (found := count()) < wanted:
        if found != last:
            last, moved = found, time.monotonic()
        if time.monotonic() - moved > STALLED_S:
            raise RuntimeError(f"{what}: {found} of {wanted}, and nothing moves")
        time.sleep(every_s)
    return time.monotonic()
