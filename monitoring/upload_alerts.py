"""Upload alerts (接收预警): a department that is silent past its expected interval is noticed, and the alert closes itself."""

import time
from collections.abc import Callable, Iterable, Mapping

from contracts.interface import Interface
from core.store.alerts import AlertStore

SILENT = "silent"


class SilenceWatch:
    """Compares every enabled interface's last record with the interval it declares (``expects.interval_s``)."""

    def __init__(
        self,
        interfaces: Callable[[], Mapping[str, tuple[Interface, int]]],
        last_record_ms: Callable[[str], int | None],
        alerts: AlertStore,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``interfaces``: the enabled ones with the millisecond they were enabled at; ``last_record_ms``: one's last intake."""
        self._interfaces = interfaces
        self._last_record_ms = last_record_ms
        self._alerts = alerts
        self._clock = clock

    def check(self) -> None:
        """One look at every interface: raises what is silent, closes what is not (any more)."""
        now_ms = int(self._clock() * 1000)
        expected = {
            name: (interface.expects.interval_s, since_ms)
            for name, (interface, since_ms) in self._interfaces().items()
            if interface.expects.interval_s > 0
        }
        for name, (interval_s, since_ms) in expected.items():
            last_ms = max(self._last_record_ms(name) or 0, since_ms)
            if now_ms - last_ms > interval_s * 1000:
                self._alerts.raise_once(SILENT, name, {"last_record_ms": last_ms, "expected_s": interval_s})
            else:
                self._alerts.close(SILENT, name)
        self._close_forgotten(expected)

    def _close_forgotten(self, expected: Iterable[str]) -> None:
        """An interface that was paused or expects nothing any more has no silence to report."""
        for alert in self._alerts.open():
            if alert.kind == SILENT and alert.interface not in set(expected):
                self._alerts.close(SILENT, alert.interface)
