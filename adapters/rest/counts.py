"""What a gateway received, told to the observer once a moment instead of with every request."""

import asyncio

from core.ports.observe import Observer

PROTOCOL = "rest"
TELL_EVERY_S = 0.5


class _Moment:
    """The counts of one interface since it was last told."""

    __slots__ = ("accepted", "refused", "retry", "size")

    def __init__(self) -> None:
        self.size = self.accepted = self.refused = self.retry = 0


class Counts:
    """Counts of the push route, on one event loop."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._moments: dict[str, _Moment] = {}

    def request(self, interface: str, size: int, accepted: int, refused: int, retry: int) -> None:
        """Notes one request."""
        moment = self._moments.get(interface)
        if moment is None:
            moment = self._moments[interface] = _Moment()
            asyncio.get_running_loop().call_later(TELL_EVERY_S, self._tell, interface)
        moment.size += size
        moment.accepted += accepted
        moment.refused += refused
        moment.retry += retry

    def _tell(self, interface: str) -> None:
        moment = self._moments.pop(interface)
        count = self._observer.count
        total = moment.accepted + moment.refused + moment.retry
        count("received_bytes_total", moment.size, adapter=interface, protocol=PROTOCOL)
        count("received_records_total", total, adapter=interface, protocol=PROTOCOL)
        for outcome in ("accepted", "refused", "retry"):
            if number := getattr(moment, outcome):
                count("records_total", number, adapter=interface, stage="receive", outcome=outcome)
