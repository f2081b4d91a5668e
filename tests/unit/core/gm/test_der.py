from datetime import UTC, datetime

import pytest
from asn1crypto import core as asn1
from hypothesis import given
from hypothesis import strategies as st

from core.gm import der


@given(st.integers(min_value=-(2**520), max_value=2**520))
def test_integers_are_written_as_asn1crypto_writes_them_and_read_back(value: int) -> None:
    assert der.integer(value) == asn1.Integer(value).dump()
    assert der.read_integer(der.read_one(der.integer(value))) == value


@given(st.binary(max_size=70_000))
def test_octets_of_any_length_are_written_as_asn1crypto_writes_them(value: bytes) -> None:
    assert der.octets(value) == asn1.OctetString(value).dump()
    assert der.read_octets(der.read_one(der.octets(value))) == value


@pytest.mark.parametrize(
    "dotted", ["1.2.156.10197.1.501", "2.25.233806328346538834512599524031223243610", "0.9.1", "1.3.101.112"]
)
def test_object_identifiers_are_written_as_asn1crypto_writes_them_and_read_back(dotted: str) -> None:
    assert der.oid(dotted) == asn1.ObjectIdentifier(dotted).dump()
    assert der.read_oid(der.read_one(der.oid(dotted))) == dotted


@pytest.mark.parametrize(
    ("encoding", "reading"),
    [
        ("0281010a", der.read_integer),
        ("0202000a", der.read_integer),
        ("0200", der.read_integer),
        ("0302010a", der.read_bits),
        ("0300", der.read_bits),
        ("06028001", der.read_oid),
        ("0600", der.read_oid),
        ("060181", der.read_oid),
        ("1602c3a9", der.read_text),
        ("180f32303236313332393132303030305a", der.read_time),
        ("180f323032363036303131323030303030", der.read_time),
        ("170b323630363031313230305a", der.read_time),
    ],
)
def test_values_not_in_their_one_encoding_are_refused(encoding: str, reading: object) -> None:
    assert callable(reading)
    with pytest.raises(der.DerError):
        reading(der.read_one(bytes.fromhex(encoding)))


@pytest.mark.parametrize(
    "encoding", ["", "30", "3080", "308000", "30820001aa", "3003", "1f0100", "30000000", "3081"]
)
def test_lengths_that_are_not_minimal_or_run_out_are_refused(encoding: str) -> None:
    with pytest.raises(der.DerError):
        der.read_one(bytes.fromhex(encoding))


def test_times_of_both_kinds_read_the_same() -> None:
    moment = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
    assert der.read_time(der.read_one(der.generalized_time(moment))) == moment
    assert der.read_time(der.read_one(der.tlv(der.UTC_TIME, b"260601120030Z"))) == moment


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    try:
        element = der.read_one(data)
    except der.DerError:
        return
    assert der.tlv(element.tag, element.content) == data
