"""A hub on either stack, for the tests that kill and replace parts of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_material import MadeHub
from licencehub.app import Hub


@pytest.fixture(params=["embedded", pytest.param("production", marks=pytest.mark.external)])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> MadeHub:
    if request.param == "embedded":
        return MadeHub(tmp_path)
    postgres, broker = request.getfixturevalue("fresh_database"), request.getfixturevalue("fresh_vhost")
    return MadeHub(tmp_path, postgres_url=postgres, amqp_url=broker)


@pytest.fixture
def hub(made: MadeHub) -> Iterator[Hub]:
    with made.hub() as opened:
        yield opened
