"""Bodies of a push into drafts: decoded strictly, translated by the mapping, refused where the sender must mend them."""

import asyncio
import io
from collections.abc import Iterable
from itertools import starmap
from typing import NamedTuple

import msgspec

from adapters.decoding import Row, decode_json, decode_ndjson, draft_of, parse_record
from adapters.http.body import Body
from contracts.fault import Disposition, Fault, Rule
from contracts.mapping import Translator
from core.errors import ContractError, Refused
from core.ports.intake import Draft

SLICE = 100
"""Records decoded before other requests get their turn."""

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])

TOO_MANY = Rule(
    code="push.too-many-records",
    en="more than {limit} records in one request",
    zh="单次请求超过 {limit} 条记录",
    remedy_en="Send them in several requests, or as a dropped file.",
    remedy_zh="请分多次发送，或改用文件投递。",
)
EMPTY = Rule(
    code="push.empty",
    en="the body holds no record",
    zh="正文中没有记录",
    remedy_en="Send a JSON object, an array of objects, or one object a line.",
    remedy_zh="请发送一个 JSON 对象、对象数组，或每行一个对象。",
)


class RefusedRecord(NamedTuple):
    """A record the sender must mend: it gets no receipt and leaves nothing behind."""

    position: int
    faults: tuple[Fault, ...]


class Read(msgspec.Struct):
    """The records of one body, in order: those worth a receipt and those refused."""

    drafts: list[Draft] = []
    refused: list[RefusedRecord] = []

    @property
    def count(self) -> int:
        """All records."""
        return len(self.drafts) + len(self.refused)


async def read_records(body: Body, *, lines: bool, translator: Translator, limit: int) -> Read:
    """Reads and translates all of a body, before anything is published.

    Raises ``ContractError`` when the document is broken as a whole, ``Refused`` (413) for more than ``limit`` records.
    """
    content = body.read()
    found = Read()
    for number, row in enumerate(_rows(content, lines=lines, translator=translator)):
        if number >= limit:
            raise Refused.by(TOO_MANY.at("", limit=limit), status=413)
        file_draft(draft_of(row, translator), found)
        if number % SLICE == SLICE - 1:
            await asyncio.sleep(0)
    if not found.count:
        fault = EMPTY.at("")
        raise ContractError(fault.message, [fault], fault.message_zh)
    return found


def _rows(content: bytes, *, lines: bool, translator: Translator) -> Iterable[Row]:
    return decode_ndjson(io.BytesIO(content), translator) if lines else rows_of(content, translator)


def rows_of(content: bytes, translator: Translator) -> Iterable[Row]:
    """The records of one JSON document."""
    source = translator.interface.source
    if not source.records and not source.encoding:
        if content[:1] == b"{":
            return (_row(0, content),)
        if content[:1] == b"[" and (elements := _elements(content)):
            return starmap(_row, enumerate(map(bytes, elements)))
    return decode_json(io.BytesIO(content), translator)


def _elements(content: bytes) -> list[msgspec.Raw]:
    """The elements of a sound array in UTF-8, found at once; none when anything is wrong: the patient reader says what."""
    try:
        content.decode("utf-8")
        return _ARRAY.decode(content)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return []


def _row(position: int, content: bytes) -> Row:
    parsed = parse_record(content)
    if isinstance(parsed, Fault):
        return Row(position, position + 1, None, (parsed,), content)
    return Row(position, position + 1, parsed, (), content)


def file_draft(draft: Draft, found: Read) -> None:
    """Files a draft with those worth a receipt, or with the refused."""
    if any(fault.disposition is Disposition.REJECT for fault in draft.faults):
        found.refused.append(RefusedRecord(draft.position, draft.faults))
    else:
        found.drafts.append(draft)
