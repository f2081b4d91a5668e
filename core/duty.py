"""A duty: something a process does again and again beside its work, and that no failed round may end."""

import logging
from types import TracebackType

from core.errors import TransientError

log = logging.getLogger(__name__)


class Duty:
    """``with duty:`` is one round; it raises nothing that is an ``Exception``, and its caller sets the pace of the rounds.

    A failure is told when it begins, again when it becomes one of another kind, and when it is over: an outage of hours is two
    lines, not one for each round.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._failing: type[Exception] | None = None

    def __enter__(self) -> None:
        """Begins a round."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception):
            if type(error) is not self._failing:
                self._tell(error)
            self._failing = type(error)
            return True
        if self._failing is not None and error is None:
            self._failing = None
            log.info("%s goes on", self._name)
        return False

    def _tell(self, error: Exception) -> None:
        if isinstance(error, TransientError):
            log.warning("%s waits: %s", self._name, error)
        else:
            log.error("%s fails, and is tried again", self._name, exc_info=error)
