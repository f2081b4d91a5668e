"""Competing consumers on RabbitMQ: settlements that move a message are confirmed in its new place first."""

import logging
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from core.ports.bus import Ack, Channel, Delivery, Park, Retry, Settlement
from router.bus.rabbitmq.envelope import Outgoing, to_dead, to_delay
from router.bus.rabbitmq.intake import IntakeLink
from router.bus.rabbitmq.outlet import Outlet
from router.bus.rabbitmq.topology import Topology

LOGGER = logging.getLogger(__name__)

_PAY_AGAIN_S = 1.0


class RabbitConsumer:
    """One competing consumer; used from one thread."""

    def __init__(self, channel: Channel, link: IntakeLink, topology: Topology, outlet: Outlet) -> None:
        self.channel = channel
        self._link = link
        self._topology = topology
        self._outlet = outlet
        self._held: set[int] = set()
        self._owed: list[tuple[Delivery, Retry | Park]] = []
        self._pay_from = 0.0

    @property
    def in_hand(self) -> int:
        """Deliveries not settled yet, those that wait in the process included."""
        return self._link.in_hand

    def receive(self, limit: int, wait_s: float) -> list[Delivery]:
        if time.monotonic() >= self._pay_from:
            self._pay()
        taken = self._link.take(limit, wait_s)
        self._held = {tag for tag in self._held if self._link.is_current(tag)}
        self._held.update(delivery.tag for delivery in taken)
        return taken

    def settle(self, settled: Sequence[tuple[Delivery, Settlement]]) -> None:
        settled = [
            pair for pair in settled if pair[0].tag in self._held
        ]  # a second settlement must not make a copy
        self._held.difference_update(delivery.tag for delivery, _ in settled)
        self._link.acknowledge(
            [delivery.tag for delivery, settlement in settled if isinstance(settlement, Ack)]
        )
        self._owed += [(d, settlement) for d, settlement in settled if not isinstance(settlement, Ack)]
        self._pay()

    def extend(self, deliveries: Sequence[Delivery]) -> None:
        """Nothing: the broker has no leases, and the heartbeats flow in the link's thread."""

    def close(self) -> None:
        self._pay()
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pay(self) -> None:
        """Moves what is to be retried or parked.

        What cannot be moved now stays in hand and is tried again. It is never requeued: that is a hot loop, which brokers from
        4.3 on do not even count.
        """
        owed = [pair for pair in self._owed if self._link.is_current(pair[0].tag)]
        self._owed = owed
        if not owed or self._outlet.alarmed:
            return
        answers = self._outlet.send_each([self._moved(delivery, settlement) for delivery, settlement in owed])
        self._link.acknowledge([d.tag for (d, _), error in zip(owed, answers, strict=True) if error is None])
        self._owed = [pair for pair, error in zip(owed, answers, strict=True) if error is not None]
        if self._owed:
            self._pay_from = time.monotonic() + _PAY_AGAIN_S
            why = next(error for error in answers if error is not None)
            LOGGER.warning("%d settlements are held back: %s", len(self._owed), why)

    def _moved(self, delivery: Delivery, settlement: Retry | Park) -> Outgoing:
        held, channel = delivery.message, delivery.channel
        if isinstance(settlement, Retry):
            return to_delay(self._topology, channel, held, delivery.tries + 1, settlement.delay_s)
        now_ms = time.time_ns() // 1_000_000
        return to_dead(self._topology, channel, held, delivery.tries, settlement.reason, now_ms)


def consume(url: str, topology: Topology, outlet: Outlet, channel: Channel, prefetch: int) -> RabbitConsumer:
    """A consumer of ``channel`` that connects by itself."""
    link = IntakeLink(url, topology.work_queue(channel), channel, prefetch)
    return RabbitConsumer(channel, link, topology, outlet)
