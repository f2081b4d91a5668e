"""The dead letter channel on RabbitMQ: one queue per channel, looked at without taking anything away.

AMQP has no browsing. Copies are taken without being acknowledged and given back at the end, which keeps them and marks them as
redelivered. The broker hands out what was given back before what was never handed out, so a listing reaches the ``BROWSED``
copies at the head; order is made by the time in their ids. While one listing runs, another sees fewer copies.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec
from pika.adapters.blocking_connection import BlockingChannel

from core.ports.bus import Channel, Parked
from router.bus.rabbitmq import envelope
from router.bus.rabbitmq.topology import Topology

BROWSED = 10_000
"""Copies per channel that a listing or a re-drive can reach."""
_GROUP = 100


class _Taken(NamedTuple):
    tag: int
    copy: Parked


def parked(amqp: BlockingChannel, topology: Topology, limit: int, after: str) -> list[Parked]:
    """The ``limit`` oldest copies with an id greater than ``after``."""
    everything = (taken.copy for channel in Channel for taken in _taken(amqp, topology, channel))
    page = heapq.nsmallest(limit, (copy for copy in everything if copy.id > after), key=lambda copy: copy.id)
    _give_back(amqp)
    return page


def remove(
    amqp: BlockingChannel,
    topology: Topology,
    ids: Sequence[str] | None,
    limit: int,
    copied: Callable[[Sequence[Parked]], None],
) -> int:
    """Takes up to ``limit`` chosen copies away, each group after ``copied`` has returned; how many.

    ``copied`` raising, or the process dying, leaves a group where it is; what it had copied by then is delivered twice.
    """
    wanted = None if ids is None else set(ids)
    everything = (taken for channel in Channel for taken in _taken(amqp, topology, channel))
    chosen = islice((taken for taken in everything if wanted is None or taken.copy.id in wanted), limit)
    removed = 0
    while group := list(islice(chosen, _GROUP)):
        copied([taken.copy for taken in group])
        for taken in group:
            amqp.basic_ack(taken.tag)
        removed += len(group)
    _give_back(amqp)
    return removed


def _taken(amqp: BlockingChannel, topology: Topology, channel: Channel) -> Iterator[_Taken]:
    """Copies in the broker's order, each taken off the queue until it is given back or the connection ends."""
    twins: Counter[str] = Counter()
    for _ in range(BROWSED):
        method, properties, body = amqp.basic_get(topology.dead_queue(channel))
        if method is None or properties is None or body is None:
            return
        copy = envelope.parked(properties, body, channel)
        twins[copy.id] += 1
        if twins[copy.id] > 1:  # copies the broker itself made of one message
            copy = msgspec.structs.replace(copy, id=f"{copy.id}.{twins[copy.id]}")
        yield _Taken(method.delivery_tag or 0, copy)


def _give_back(amqp: BlockingChannel) -> None:
    # Requeueing is safe here, and only here: these queues count no deliveries towards a limit.
    amqp.basic_nack(0, multiple=True, requeue=True)
