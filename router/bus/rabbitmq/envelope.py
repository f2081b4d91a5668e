"""Messages as AMQP knows them: the hub's marks in the headers, and what a broker or a stranger put there.

Header names that begin with ``x-`` belong to the broker and to the hub's marks; all others are the message's own.
"""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from pika import BasicProperties, DeliveryMode

from core.ports.bus import Channel, Message, Parked
from router.bus.rabbitmq.topology import DELIVERY_LIMIT, Topology, delay_key, delay_step

TRIES = "x-hub-tries"
_REASON = "x-hub-reason"
_PARKED_AT = "x-hub-parked-at-ms"
_PARKED_ID = "x-hub-parked-id"


class Outgoing(NamedTuple):
    """A message with its destination."""

    exchange: str
    key: str
    message: Message
    marks: dict[str, str | int]

    @property
    def size_bytes(self) -> int:
        return len(self.message.body)

    def properties(self, correlation: str) -> BasicProperties:
        """``correlation`` tells a returned message (basic.return carries no delivery tag)."""
        return BasicProperties(
            delivery_mode=DeliveryMode.Persistent,
            message_id=self.message.id,
            correlation_id=correlation,
            headers={**self.message.headers, **self.marks},
        )


def to_work(topology: Topology, channel: Channel, message: Message) -> Outgoing:
    """To its channel, without a past."""
    return Outgoing(topology.work, channel.value, message, {})


def to_delay(topology: Topology, channel: Channel, message: Message, tries: int, delay_s: float) -> Outgoing:
    """To wait there, counted."""
    return Outgoing(topology.delay, delay_key(channel, delay_step(delay_s)), message, {TRIES: tries})


def to_dead(
    topology: Topology, channel: Channel, message: Message, tries: int, reason: str, now_ms: int
) -> Outgoing:
    """To the dead letter channel."""
    marks: dict[str, str | int] = {
        TRIES: tries,
        _REASON: reason,
        _PARKED_AT: now_ms,
        _PARKED_ID: uuid.uuid4().hex,
    }
    return Outgoing(topology.dead, channel.value, message, marks)


def message(properties: BasicProperties, body: bytes) -> Message:
    """The message; a stranger's gets an id made of its body, and keeps the headers that are text."""
    own = {
        name: value
        for name, value in _headers(properties).items()
        if isinstance(value, str) and not name.startswith("x-")
    }
    identity = properties.message_id or f"foreign-{hashlib.sha256(body).hexdigest()[:32]}"
    return Message(id=identity, body=body, headers=own)


def tries(properties: BasicProperties) -> int:
    """Earlier tries; 0 where nobody counted."""
    return _number(_headers(properties), TRIES)


def parked(properties: BasicProperties, body: bytes, channel: Channel) -> Parked:
    """A copy in the dead letter channel, parked by a worker or by the broker itself; ids begin with the time and sort by age."""
    headers = _headers(properties)
    held = message(properties, body)
    at_ms = _number(headers, _PARKED_AT) or _death_ms(headers)
    mark = headers.get(_PARKED_ID) or hashlib.sha256(held.id.encode() + body).hexdigest()[:32]
    reason = (
        headers.get(_REASON) or f"delivery-limit: handed out {DELIVERY_LIMIT} times without being settled"
    )
    return Parked(
        id=f"{at_ms:014d}-{mark}",
        message=held,
        channel=channel,
        reason=str(reason),
        tries=tries(properties),
        parked_at_ms=at_ms,
    )


def _headers(properties: BasicProperties) -> Mapping[str, object]:
    return properties.headers or {}


def _number(headers: Mapping[str, object], name: str) -> int:
    value = headers.get(name)
    return value if isinstance(value, int) else 0


def _death_ms(headers: Mapping[str, object]) -> int:
    """When the broker itself moved it last; 0 where it did not say."""
    deaths = headers.get("x-death")
    times = (
        [death.get("time") for death in deaths if isinstance(death, dict)] if isinstance(deaths, list) else []
    )
    return max((int(time.timestamp() * 1000) for time in times if isinstance(time, datetime)), default=0)
