"""The translator on whatever a sender may send: it never raises, and what it gives holds together."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contracts.chunk import Entry, encode_chunk
from contracts.fault import Disposition
from contracts.identity import uuid7
from contracts.interface import Interface
from contracts.mapping import compile_interface
from contracts.mapping.scalars import number_of, number_order
from contracts.record import Collection

DECLARED: dict[str, Any] = {
    "name": "t",
    "department": "d",
    "licence_type": "T",
    "fields": {
        "licence_number": {"source": ["a", "b"], "required": True},
        "licence_name": {"template": "{a}-{c.d}"},
        "issued_on": {"source": "b", "dates": ["%m/%d/%Y", "epoch-ms", "excel"]},
        "valid_until": {"source": "c.d"},
        "long_term": {"source": "e"},
        "status": {"source": "e", "codes": {"1": "valid"}},
        "holder.name": {"source": "a", "split": ","},
        "holder.code": {"source": "b", "split": ","},
        "items.N": {"source": "a", "kind": "number"},
        "items.T": {"source": "b", "kind": "time"},
        "items.F": {"source": "c", "kind": "flag"},
        "items.X": {"source": "c", "kind": "any"},
        "items.W": [{"constant": "w", "when": [{"field": "a", "op": "<", "value": 3}]}, {"source": "/c/0"}],
    },
    "filters": [{"name": "f", "when": [{"field": "e", "op": "matches", "value": "x+"}]}],
    "group": {"by": ["a"], "item": "G", "fields": {"g": {"source": "b"}}},
    "order": {"by": [{"source": "a", "kind": "number"}, {"source": "b", "kind": "time"}, {"source": "e"}]},
}
TRANSLATOR = compile_interface(msgspec.convert(DECLARED, Interface))

texts = st.text(max_size=12) | st.sampled_from(
    [
        "2024-02-30",
        "2024/2/3",
        "1709568000000",
        "99991231",
        "长期",
        "１２",
        "1,234",
        "-0.50",
        "\ud800",
        "\x00",
        "x",
        "1",
        "45000",
    ]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.just("d"), inner, max_size=3),
    max_leaves=6,
)
records = st.dictionaries(st.sampled_from("abcde"), values, max_size=5)


@given(records)
def test_whatever_is_sent_is_translated_or_answered_with_faults(fields: dict[str, Any]) -> None:
    made = TRANSLATOR.translate(fields)
    assert len(made.source_digest) == 32
    if made.filtered_by:
        assert (made.record, made.faults) == (None, ())
        return
    rejected = any(fault.disposition is Disposition.REJECT for fault in made.faults)
    assert (made.record is None) is (rejected or any(fault.pointer == "/e" for fault in made.faults))
    assert all(
        fault.message_zh and fault.remedy_zh and fault.pointer.startswith("/") for fault in made.faults
    )
    assert TRANSLATOR.translate(fields) == made


@given(records)
def test_what_is_translated_can_travel(fields: dict[str, Any]) -> None:
    from contracts.chunk import Chunk, decode_chunk

    made = TRANSLATOR.translate(fields)
    entry = Entry(
        receipt=uuid7(),
        submission=uuid7(),
        position=0,
        stamp_us=1,
        record=made.record,
        faults=made.faults,
        source_order=made.source_order,
        source_digest=made.source_digest,
    )
    chunk = Chunk(
        id=uuid7(),
        interface="t",
        interface_revision=1,
        protocol="rest",
        collection=Collection.STOCK,
        entries=(entry,),
    )
    assert decode_chunk(encode_chunk(chunk)) == chunk


numbers = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True)


@given(numbers, numbers)
def test_order_texts_of_numbers_sort_as_the_numbers(left: str, right: str) -> None:
    first, second = number_of(left), number_of(right)
    assert first is not None
    assert second is not None
    assert (number_order(first) < number_order(second)) is (first < second)
    assert (number_order(first) == number_order(second)) is (first == second)
