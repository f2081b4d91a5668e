"""Decoders shared by the channel adapters: bytes in, one row a record out, streaming and hardened."""

from adapters.decoding.delimited import decode_csv
from adapters.decoding.json_record import parse_record
from adapters.decoding.json_stream import decode_json, decode_ndjson
from adapters.decoding.rows import Row, Tally

__all__ = ["Row", "Tally", "decode_csv", "decode_json", "decode_ndjson", "parse_record"]
