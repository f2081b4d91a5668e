"""Decoders shared by the channel adapters: bytes in, one row a record out, streaming and hardened."""

from collections.abc import Iterator
from typing import BinaryIO

from adapters.decoding.delimited import decode_csv
from adapters.decoding.drafts import draft_of, drafts
from adapters.decoding.json_record import parse_record
from adapters.decoding.json_stream import decode_json, decode_ndjson
from adapters.decoding.rows import Row, Tally
from adapters.decoding.workbook import decode_xlsx
from contracts.mapping import Translator

_DECODERS = {"csv": decode_csv, "xlsx": decode_xlsx, "json": decode_json, "ndjson": decode_ndjson}


def decode(stream: BinaryIO, translator: Translator, tally: Tally | None = None) -> Iterator[Row]:
    """The records of a seekable stream in the format its interface declares."""
    return _DECODERS[translator.interface.source.format](stream, translator, tally)


__all__ = [
    "Row",
    "Tally",
    "decode",
    "decode_csv",
    "decode_json",
    "decode_ndjson",
    "decode_xlsx",
    "draft_of",
    "drafts",
    "parse_record",
]
