"""What the doctor looks at, and that it leaves everything as it found it."""

from pathlib import Path

import pytest

from core.config import load_config, write_default_config
from licencehub.app import Hub
from licencehub.examination import Finding, examine
from licencehub.foundation import found_hub


def bus_of(hub: Hub) -> Finding:
    (finding,) = [one for one in examine(hub) if one.part == "bus"]
    return finding


def test_a_bus_without_queues_is_a_fault_and_stays_without(tmp_path: Path) -> None:
    with Hub(load_config(write_default_config(tmp_path), {})) as hub:
        hub.prepare()
        assert not bus_of(hub).ok
        assert not (tmp_path / "data" / "bus.db").exists()
        found_hub(hub)
        assert bus_of(hub).ok


@pytest.mark.external
def test_a_broker_without_the_hubs_queues_is_a_fault_and_gets_none(tmp_path: Path, fresh_vhost: str) -> None:
    elsewhere = {
        "LICENCE_HUB__BUS__KIND": "rabbitmq",
        "LICENCE_HUB__BUS__URL": fresh_vhost.replace(":guest@", ":${env:TEST_BUS_PASSWORD}@"),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_BUS_PASSWORD", "guest")
        with Hub(load_config(write_default_config(tmp_path), elsewhere)) as hub:
            for _look in range(2):
                assert not bus_of(hub).ok
                assert "lacks" in bus_of(hub).text
            hub.bus.declare()
            assert bus_of(hub).ok
