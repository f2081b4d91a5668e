"""What decoders give: one row a record, in order, good or bad."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from contracts.fault import Fault, Rule
from contracts.mapping import NO_FILES, Files
from core.errors import ContractError


class Row(NamedTuple):
    """One record of a document, decoded, or what is wrong with its form."""

    position: int
    """0-based number among the data rows; skipped furniture is not counted."""
    line: int
    """1-based line (text), worksheet row, or number of the record (JSON array): what a person looks for."""
    fields: Mapping[str, object] | None
    """None when the row could not be decoded; ``faults`` then says why."""
    faults: tuple[Fault, ...] = ()
    raw: bytes = b""
    """The record's own bytes where records arrive one by one (JSON); empty for rows of a table, whose file is kept whole."""
    files: Files = NO_FILES
    """What came with the record, already judged."""
    seen: Mapping[str, object] = MappingProxyType({})
    """Of a row that could not be decoded: what a person is shown of it, by column, or under ``""`` as one text."""


@dataclass
class Tally:
    """What a decoder counted beside its rows; complete when the last row has been taken."""

    encoding: str = ""
    skipped: Counter[str] = field(default_factory=Counter)
    """Furniture of a sheet by the name of the declared skip; ``empty`` for rows without any value."""


def refusal(rule: Rule, pointer: str = "", value: object = None, **params: object) -> ContractError:
    """The document is refused as a whole: rows already given stand, none follow."""
    fault = rule.at(pointer, value, **params)
    return ContractError(fault.message, [fault], fault.message_zh)
