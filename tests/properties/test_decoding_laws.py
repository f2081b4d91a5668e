"""Decoders against an independent reader: the standard library's csv and json modules."""

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.decoding import decode_csv, decode_json, decode_ndjson
from adapters.decoding.encoding import text_blocks
from contracts.fault import Fault
from contracts.interface import FieldMapping, Interface, Source
from contracts.mapping import Translator, compile_interface

NAMES = ("a", "b", "c")


class Trickle(io.BytesIO):
    """A seekable stream that gives its bytes in pieces of the sizes asked for."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        super().__init__(data)
        self._sizes, self._turn = sizes, 0

    def read(self, size: int | None = -1) -> bytes:
        self._turn += 1
        piece = self._sizes[self._turn % len(self._sizes)]
        return super().read(piece if size is None or size < 0 else min(size, piece))


def translator(form: Any = "csv", **source: Any) -> Translator:
    fields = {f"items.{name}": FieldMapping(source=name) for name in NAMES}
    interface = Interface(
        name="t", department="d", licence_type="T", source=Source(format=form, **source), fields=fields
    )
    return compile_interface(interface)


cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"),
    max_size=8,
) | st.sampled_from(['"', ",", "\n", "\r\n", '","', '""', "证,照", ""])
tables = st.lists(st.tuples(cells, cells, cells), max_size=8)
splits = st.lists(st.integers(1, 7), min_size=1, max_size=5)


@given(tables, splits, st.sampled_from(["utf-8", "gb18030", "utf-16", "utf-8-sig"]), st.booleans())
def test_any_split_of_the_bytes_gives_the_rows_the_csv_module_wrote(
    table: list[tuple[str, str, str]], sizes: list[int], encoding: str, quote_all: bool
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
    writer.writerows([NAMES, *table])
    data = out.getvalue().encode(encoding)
    setting = "" if encoding in ("utf-16", "utf-8-sig") else encoding
    found = list(decode_csv(Trickle(data, sizes), translator(encoding=setting)))
    expected = [row for row in table if any(cell.strip() for cell in row)]
    assert [tuple((row.fields or {}).values()) for row in found] == expected


@given(st.lists(st.sampled_from(['"', ",", "\n", "\r", "a", "\x00", "许"]), max_size=60), splits)
def test_wild_text_never_breaks_the_reader_and_sound_rows_equal_the_csv_module(
    parts: list[str], sizes: list[int]
) -> None:
    text = "a,b,c\n" + "".join(parts)
    found = list(decode_csv(Trickle(text.encode(), sizes), translator()))
    if "\0" in text or any(row.faults for row in found):
        assert all((row.fields is None) is bool(row.faults) for row in found)
        return
    oracle = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))][1:]
    ours = [tuple((row.fields or {}).values()) for row in found]
    assert ours == [row[:3] for row in oracle if any(cell.strip() for cell in row)]


@given(st.binary(max_size=80), st.sampled_from(["utf-8", "gb18030", "utf-16-le", "big5"]), splits)
def test_any_bytes_pass_through_every_encoding_without_loss(
    data: bytes, encoding: str, sizes: list[int]
) -> None:
    text = "".join(block for _offset, block in text_blocks(Trickle(data, sizes), encoding, 0))
    whole = "".join(block for _offset, block in text_blocks(io.BytesIO(data), encoding, 0))
    assert text == whole
    assert "\ufffd" not in text or "\ufffd".encode(encoding) in data


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
    | st.sampled_from(['":', '\\":', "[", "}", '","']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), values, max_size=5)


@given(st.lists(objects, max_size=5), splits, st.sampled_from([None, 1]), st.booleans())
def test_an_array_in_any_split_gives_its_records(
    records: list[dict[str, Any]], sizes: list[int], indent: int | None, ascii_only: bool
) -> None:
    data = json.dumps(records, indent=indent, ensure_ascii=ascii_only).encode()
    assert [row.fields for row in decode_json(Trickle(data, sizes), translator("json"))] == records


@given(st.lists(objects, max_size=4), splits, st.dictionaries(st.text(max_size=3), values, max_size=2))
def test_records_inside_a_document_are_found_by_their_pointer(
    records: list[dict[str, Any]], sizes: list[int], around: dict[str, Any]
) -> None:
    data = json.dumps({**around, "data": {"x": 1, "rows": records, "y": [1]}, "z": {"data": []}}).encode()
    found = decode_json(Trickle(data, sizes), translator("json", records="/data/rows"))
    assert [row.fields for row in found] == records


@given(st.lists(objects, max_size=5), splits)
def test_lines_give_their_records(records: list[dict[str, Any]], sizes: list[int]) -> None:
    data = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    assert [row.fields for row in decode_ndjson(io.BytesIO(data), translator("ndjson"))] == records


@given(st.binary(max_size=60) | st.text('{}[]":,\\u0d8 1eNaN-.', max_size=60).map(str.encode))
def test_a_line_is_read_as_the_json_module_reads_it_or_is_refused(line: bytes) -> None:
    line = line.replace(b"\n", b" ").replace(b"\r", b" ")
    found = list(decode_ndjson(io.BytesIO(line), translator("ndjson")))
    for row in found:
        if row.fields is None:
            assert all(isinstance(fault, Fault) for fault in row.faults)
            assert row.faults
        else:
            assert row.fields == json.loads(line.decode("utf-8-sig"))
