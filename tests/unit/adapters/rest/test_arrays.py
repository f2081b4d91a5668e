"""Arrays cut in one step read exactly as the patient reader reads them."""

import asyncio
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.decoding import decode_json
from adapters.decoding.json_record import parse_record
from adapters.http.body import Body
from adapters.rest.records import Read, _rows, read_records
from contracts.fault import Fault
from contracts.interface import Interface
from contracts.mapping import compile_interface

TRANSLATOR = compile_interface(
    Interface(name="i", department="D", licence_type="T" * 21, protocol="rest", fields={})
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(values, min_size=1, max_size=5), st.sampled_from(["", " ", "\n\t"]))
def test_an_array_reads_the_same_both_ways(members: list[object], space: str) -> None:
    texts = [orjson.dumps(m) if fits(m) else b"12345678901234567890123" for m in members]
    content = b"[" + (b"," + space.encode()).join(texts) + space.encode() + b"]"
    assert list(_rows(content, lines=False, translator=TRANSLATOR)) == list(
        decode_json(io.BytesIO(content), TRANSLATOR)
    )


def fits(value: object) -> bool:
    """Whether orjson can write it (integers within 64 bits, no half characters)."""
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 123456789012345678901}',
        b'{"a": {"b": [1, [123456789012345678901]]}}',
        b'{"a": [{"b": -98765432109876543210}]}',
    ],
)
def test_an_integer_beyond_64_bits_is_found_at_any_depth(raw: bytes) -> None:
    assert isinstance(parse_record(raw), Fault)


def test_a_bad_member_of_a_broken_array_is_told_by_the_patient_reader() -> None:
    content = b'[{"a": 1}, {"a": 01}, {"a": 2}]'
    body = Body(content, None, len(content), b"")
    read: Read = asyncio.run(read_records(body, lines=False, translator=TRANSLATOR, limit=10))
    assert [one.position for one in read.refused] == [1]
