"""A served hub that departments push permits to."""

from collections.abc import Iterator

import pytest

from gateway_parts import permits
from licencehub.app import Hub
from served_hub import Served, served_hub


def prepare(hub: Hub) -> None:
    hub.store.registry.apply("interface", "permits", permits(), "test")
    hub.store.registry.set_state("interface", "permits", "enabled", "test")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_hub(tmp_path_factory.mktemp("hub"), prepare) as served:
        yield served
