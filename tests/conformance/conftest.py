"""The stacks that the bus suite runs on."""

import uuid
from pathlib import Path

import pytest

from conformance.bus_stack import Stack, emptied
from services.broker import Vhosts


@pytest.fixture(scope="session")
def rabbitmq_stack(_shared_vhosts: Vhosts) -> Stack:
    """One declared topology for all tests: two dozen quorum queues for each would keep the broker busy with elections."""
    stack = Stack("rabbitmq", _shared_vhosts.fresh(), f"t{uuid.uuid4().hex[:6]}")
    with stack.bus() as bus:
        bus.declare()
    return stack


@pytest.fixture(params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.external)])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Stack:
    """Each bus in turn, empty."""
    if request.param == "rabbitmq":
        return emptied(request.getfixturevalue("rabbitmq_stack"))
    stack = Stack("embedded", str(tmp_path / "bus" / "bus.db"), "hub")
    with stack.bus() as bus:
        bus.declare()
    return stack
