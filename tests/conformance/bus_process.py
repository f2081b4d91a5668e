"""A process that works with a bus until it is killed.

``publish``: publishes for ever; each line of its output is the id of a message whose publish returned.
``hold N``: receives N messages, writes their ids and keeps them in hand.
``consume``: writes each id, then acknowledges it.
"""

import asyncio
import itertools
import json
import os
import sys
import time

from conformance.bus_stack import RECORDS, Stack, ack, collect, letter
from core.ports.bus import Bus, Publisher


def _say(*words: str) -> None:
    sys.stdout.write("".join(json.dumps(word) + "\n" for word in words))
    sys.stdout.flush()


async def _publish_one(publisher: Publisher, name: str) -> None:
    await publisher.publish(RECORDS, letter(name))
    _say(name)


async def publish(bus: Bus) -> None:
    publisher = await bus.publisher()
    for number in itertools.count():
        await asyncio.gather(*(_publish_one(publisher, f"{os.getpid()}-{number}-{i}") for i in range(20)))


def hold(bus: Bus, count: int) -> None:
    consumer = bus.consumer(RECORDS, prefetch=count)
    _say(*(delivery.message.id for delivery in collect(consumer, count)))
    time.sleep(600)


def consume(bus: Bus) -> None:
    with bus.consumer(RECORDS, prefetch=50) as consumer:
        while True:
            for delivery in consumer.receive(10, 0.2):
                _say(delivery.message.id)
                ack(consumer, [delivery])


def main(command: str, kind: str, url: str, prefix: str, *arguments: str) -> None:
    bus = Stack("embedded" if kind == "embedded" else "rabbitmq", url, prefix).open()
    match command:
        case "publish":
            asyncio.run(publish(bus))
        case "hold":
            hold(bus, int(arguments[0]))
        case "consume":
            consume(bus)


if __name__ == "__main__":
    main(*sys.argv[1:])
