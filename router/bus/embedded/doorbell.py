"""Wakes the consumers of this process when something was published here."""

import threading

from core.ports.bus import Channel


class Doorbell:
    """Counts rings per channel, so that a ring between looking and waiting is not missed."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._rings = dict.fromkeys(Channel, 0)

    def rings(self, channel: Channel) -> int:
        """How often the channel's bell has rung so far: ask before looking into the queue."""
        with self._rung:
            return self._rings[channel]

    def ring(self, channels: set[Channel]) -> None:
        with self._rung:
            for channel in channels:
                self._rings[channel] += 1
            self._rung.notify_all()

    def wait(self, channel: Channel, heard: int, timeout_s: float) -> None:
        """Returns when the bell has rung more than ``heard`` times, or after ``timeout_s``."""
        with self._rung:
            self._rung.wait_for(lambda: self._rings[channel] > heard, timeout_s)
