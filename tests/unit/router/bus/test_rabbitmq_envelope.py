"""Messages on the wire, the hub's own and others'."""

from datetime import UTC, datetime

from pika import BasicProperties

from core.ports.bus import Channel, Message
from router.bus.rabbitmq import envelope
from router.bus.rabbitmq.outlet import slices
from router.bus.rabbitmq.topology import Topology

TOPOLOGY = Topology("p")
LETTER = Message(id="m-1", body=b"body", headers={"traceparent": "00-1-2-01"})


def test_a_message_survives_the_wire() -> None:
    out = envelope.to_work(TOPOLOGY, Channel.RECORDS, LETTER)
    properties = out.properties("7")
    assert (out.exchange, out.key) == ("p.work", "records")
    assert (properties.delivery_mode, properties.correlation_id) == (2, "7")
    assert envelope.message(properties, LETTER.body) == LETTER
    assert envelope.tries(properties) == 0


def test_a_retry_counts_and_goes_to_the_next_step() -> None:
    out = envelope.to_delay(TOPOLOGY, Channel.PACKAGES, LETTER, tries=3, delay_s=30)
    assert (out.exchange, out.key) == ("p.delay", "packages.1m")
    properties = out.properties("1")
    assert envelope.tries(properties) == 3
    assert envelope.message(properties, LETTER.body) == LETTER


def test_a_parked_message_says_why_when_and_after_how_many_tries() -> None:
    out = envelope.to_dead(TOPOLOGY, Channel.RECORDS, LETTER, 4, "因为", 1_700_000_000_000)
    parked = envelope.parked(out.properties("1"), LETTER.body, Channel.RECORDS)
    assert (out.exchange, out.key) == ("p.dead", "records")
    assert (parked.message, parked.reason, parked.tries, parked.parked_at_ms) == (
        LETTER,
        "因为",
        4,
        1_700_000_000_000,
    )
    again = envelope.to_dead(TOPOLOGY, Channel.RECORDS, LETTER, 4, "因为", 1_700_000_000_000)
    assert envelope.parked(again.properties("1"), LETTER.body, Channel.RECORDS).id != parked.id


def test_a_message_the_broker_gave_up_on_says_so() -> None:
    died = datetime(2026, 1, 2, tzinfo=UTC)
    properties = BasicProperties(
        message_id="m-1", headers={"x-death": [{"reason": "delivery_limit", "time": died}]}
    )
    parked = envelope.parked(properties, b"x", Channel.RECORDS)
    assert parked.reason.startswith("delivery-limit")
    assert parked.parked_at_ms == int(died.timestamp() * 1000)
    assert parked.message.headers == {}


def test_ids_of_parked_messages_sort_by_age() -> None:
    ids = [
        envelope.parked(
            envelope.to_dead(TOPOLOGY, Channel.RECORDS, LETTER, 0, "", at).properties("1"),
            b"",
            Channel.RECORDS,
        ).id
        for at in (999, 1_700_000_000_000, 1_700_000_000_001)
    ]
    assert ids == sorted(ids)


def test_a_message_without_properties_gets_an_id_of_its_body() -> None:
    one = envelope.message(BasicProperties(), b"same")
    assert one.id == envelope.message(BasicProperties(), b"same").id
    assert one.id != envelope.message(BasicProperties(), b"other").id


def test_batches_are_cut_by_number_and_by_size() -> None:
    small = [envelope.to_work(TOPOLOGY, Channel.RECORDS, Message(id=str(n), body=b"")) for n in range(1001)]
    assert [len(part) for part in slices(small)] == [500, 500, 1]
    large = [
        envelope.to_work(TOPOLOGY, Channel.RECORDS, Message(id=str(n), body=bytes(3_000_000)))
        for n in range(5)
    ]
    assert [len(part) for part in slices(large)] == [2, 2, 1]
    assert [one for part in slices(small) for one in part] == small
    assert list(slices([])) == []
