"""Readiness that tells the truth within seconds: each part is probed in a thread of its own, all the time (PROMISES H2)."""

import threading
import time
from collections.abc import Callable, Mapping

from adapters.http.server import Draining

PROBE_EVERY_S = 1.0
OLDEST_S = 4.0
"""A part whose last good probe is older is not ready: a probe that hangs is a probe that fails."""


class Readiness:
    """What the process needs to do its work, and whether it has it now."""

    def __init__(self, probes: Mapping[str, Callable[[], None]], draining: Draining) -> None:
        self._probes = dict(probes)
        self._draining = draining
        self._good_at: dict[str, float] = {}
        self._failed: set[str] = set()
        self._stop = threading.Event()

    def start(self) -> None:
        """Begins to probe."""
        for name, probe in self._probes.items():
            threading.Thread(
                target=self._watch, args=(name, probe), name=f"probe-{name}", daemon=True
            ).start()

    def stop(self) -> None:
        """Ends the threads after their present probe."""
        self._stop.set()

    def parts(self) -> dict[str, bool]:
        """Each part with whether it is there."""
        oldest = time.monotonic() - OLDEST_S
        found = {
            name: name not in self._failed and self._good_at.get(name, float("-inf")) >= oldest
            for name in self._probes
        }
        return {**found, "serving": not self._draining.begun}

    def _watch(self, name: str, probe: Callable[[], None]) -> None:
        while True:
            try:
                probe()
            except Exception:  # noqa: BLE001 whatever a probe raises means that the part is not ready
                self._failed.add(name)
            else:
                self._good_at[name] = time.monotonic()
                self._failed.discard(name)
            if self._stop.wait(PROBE_EVERY_S):
                return
