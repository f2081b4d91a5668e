"""What the domain tells its observers; ``monitoring`` turns it into metrics."""

from typing import Protocol


class Observer(Protocol):
    """Counts per process and per batch; label values come from closed lists (never an id, a holder or a file name).

    Names are metric names without the ``hub_`` prefix and unit suffixes as PEERS section 4 lists them, e.g.
    ``count("records_total", 40, adapter="sf-permits", stage="store", outcome="new")``.
    """

    def count(self, name: str, amount: float = 1, **labels: str) -> None: ...

    def observe(self, name: str, value: float, count: int = 1, **labels: str) -> None:
        """``count`` observations of ``value`` (seconds or bytes, by the metric's unit)."""
        ...

    def gauge(self, name: str, value: float, **labels: str) -> None: ...


class Unobserved:
    """The observer of tests and one-off commands: nobody looks."""

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Nothing."""

    def observe(self, name: str, value: float, count: int = 1, **labels: str) -> None:
        """Nothing."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Nothing."""
