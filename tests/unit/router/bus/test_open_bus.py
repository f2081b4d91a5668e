"""Opening a configured bus."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from router.bus import open_bus
from router.bus.embedded import EmbeddedBus
from router.bus.rabbitmq import RabbitBus


def test_the_kind_chooses_the_implementation_and_nothing_is_touched(tmp_path: Path) -> None:
    assert isinstance(open_bus("embedded", tmp_path / "bus.db"), EmbeddedBus)
    assert isinstance(open_bus("rabbitmq", "amqp://nobody:nothing@192.0.2.1:1/%2F"), RabbitBus)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["http://h/", "amqp://u:s3cret@host:port/", "amqp://u:s3cret@h/?heartbeat=soon", "s3cret"]
)
def test_a_url_that_cannot_be_read_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        open_bus("rabbitmq", url)
    assert refusal.value.faults[0].pointer == "/bus/url"
    assert "s3cret" not in str(refusal.value)
