"""The buses under test, and the small programs that other processes run against them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pika

from core.ports.bus import Ack, Bus, Channel, Consumer, Delivery, Message
from router.bus import Kind, open_bus
from router.bus.rabbitmq.topology import Topology

RECORDS = Channel.RECORDS


@dataclass(frozen=True)
class Stack:
    """Where a bus lives: every ``open`` is a client of its own, as another process would have it."""

    kind: Kind
    url: str
    prefix: str

    def open(self) -> Bus:
        return open_bus(self.kind, self.url, prefix=self.prefix)

    @contextmanager
    def bus(self) -> Iterator[Bus]:
        bus = self.open()
        try:
            yield bus
        finally:
            bus.close()

    def process(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        """``command`` of ``conformance/bus_process.py`` in a process of its own, its standard output a pipe."""
        script = Path(__file__).with_name("bus_process.py")
        roots = [str(script.parent.parent.parent), str(script.parent.parent)]
        return subprocess.Popen(
            [sys.executable, str(script), command, self.kind, self.url, self.prefix, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(roots)},
        )


def emptied(stack: Stack) -> Stack:
    """A declared RabbitMQ stack without what an earlier test left in its queues."""
    with pika.BlockingConnection(pika.URLParameters(stack.url)) as connection:
        channel = connection.channel()
        for queue in Topology(stack.prefix).queues():
            channel.queue_purge(queue.name)
    return stack


def letter(name: str, size: int = 100, **headers: str) -> Message:
    """A message whose body repeats its name."""
    return Message(id=name, body=(name.encode() + b" ") * (size // (len(name) + 1) + 1), headers=headers)


def letters(count: int, stem: str = "m") -> list[Message]:
    return [letter(f"{stem}-{number:05d}") for number in range(count)]


def collect(consumer: Consumer, count: int, within_s: float = 15) -> list[Delivery]:
    """At least ``count`` deliveries, unsettled."""
    found: list[Delivery] = []
    deadline = time.monotonic() + within_s
    while len(found) < count and time.monotonic() < deadline:
        found += consumer.receive(count - len(found), 0.5)
    assert len(found) >= count, f"{len(found)} of {count} came within {within_s} s"
    return found


def ack(consumer: Consumer, deliveries: Sequence[Delivery]) -> None:
    consumer.settle([(delivery, Ack()) for delivery in deliveries])


def drain(consumer: Consumer, quiet_s: float = 1.0, *, expected: int = 0) -> list[Delivery]:
    """Receives and acknowledges until nothing came for ``quiet_s``; once the expected ones are there, for a moment."""
    found: list[Delivery] = []
    while deliveries := consumer.receive(100, 0.25 if 0 < expected <= len(found) else quiet_s):
        ack(consumer, deliveries)
        found += deliveries
    return found


def names(deliveries: Sequence[Delivery]) -> list[str]:
    return sorted(delivery.message.id for delivery in deliveries)


def eventually(condition: Callable[[], bool], within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.05)


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL, and the pipe with it."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    """The next lines of its standard output, each a JSON string."""
    assert process.stdout is not None
    return [json.loads(process.stdout.readline()) for _ in range(count)]
