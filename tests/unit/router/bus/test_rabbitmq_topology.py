"""What the broker is asked to declare."""

import pytest

from core.ports.bus import Channel
from router.bus.rabbitmq.topology import DELAYS, Topology, delay_step


@pytest.mark.parametrize(
    ("delay_s", "step"),
    [
        (0, "1s"),
        (1, "1s"),
        (1.01, "10s"),
        (10, "10s"),
        (45, "1m"),
        (61, "10m"),
        (601, "1h"),
        (3600, "1h"),
        (7200, "1h"),
    ],
)
def test_a_delay_is_rounded_up_to_the_next_step_or_the_longest(delay_s: float, step: str) -> None:
    assert delay_step(delay_s) == step


def test_every_channel_has_its_work_its_delays_and_its_dead_letters() -> None:
    queues = list(Topology("p").queues())
    assert len(queues) == len(Channel) * (2 + len(DELAYS))
    assert len({queue.name for queue in queues}) == len(queues)
    assert all(queue.name.startswith("p.") for queue in queues)


def test_every_queue_is_a_quorum_queue_and_dead_letters_at_least_once_to_an_exchange_that_exists() -> None:
    topology = Topology("p")
    for queue in topology.queues():
        assert queue.arguments["x-queue-type"] == "quorum"
        assert queue.exchange in topology.exchanges
        if "x-dead-letter-exchange" in queue.arguments:
            assert queue.arguments["x-dead-letter-exchange"] in topology.exchanges
            assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
            assert queue.arguments["x-overflow"] == "reject-publish"  # required by at-least-once


def test_a_dead_letter_queue_never_gives_up_a_message() -> None:
    topology = Topology("p")
    dead = [queue for queue in topology.queues() if queue.exchange == topology.dead]
    assert len(dead) == len(Channel)
    for queue in dead:
        assert not {"x-message-ttl", "x-max-length", "x-dead-letter-exchange", "x-expires"} & set(
            queue.arguments
        )
        assert int(queue.arguments["x-delivery-limit"]) > 10**8  # brokers from 4.0 on would else delete at 20


def test_work_that_kills_its_consumers_has_a_fuse() -> None:
    topology = Topology("p")
    for queue in topology.queues():
        if queue.exchange == topology.work:
            assert queue.arguments["x-delivery-limit"] == 20
            assert queue.arguments["x-dead-letter-exchange"] == topology.dead
