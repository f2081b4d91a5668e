"""What every test may ask for: the services in tests/services, and how their absence is told."""

import logging
from collections.abc import Iterator

import pytest

pytest_plugins = ["services.reporting", "services.fixtures"]


@pytest.fixture(autouse=True)
def logging_given_back() -> Iterator[None]:
    """A command called in a test sets up the process's logging; the next test must find it as this one did."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in list(root.handlers):
        if handler not in handlers:
            root.removeHandler(handler)
    root.setLevel(level)
