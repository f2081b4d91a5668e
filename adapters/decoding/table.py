"""From the cells of a table's rows to records: what delimited text and worksheets share."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from adapters.decoding.header import accept_header
from adapters.decoding.rows import Row, Tally, refusal
from adapters.decoding.rules import HEADER_ABSENT, RAGGED
from contracts.fault import Fault
from contracts.mapping import Fields, Translator
from core.errors import ContractError


class Cells(NamedTuple):
    """One row of a table as cut."""

    line: int
    values: Sequence[object]
    faults: tuple[Fault, ...] = ()


def records(rows: Iterable[Cells], translator: Translator, tally: Tally, *, ragged: bool) -> Iterator[Row]:
    """Rows below the header as records.

    ``ragged`` rows (delimited text) with fewer or more cells than the header are faulty; a worksheet has no cells where
    nothing was typed. Furniture and rows without any value in the columns read are skipped and counted.
    """
    rows = iter(rows)
    names = _header(rows, translator)
    furniture = _Furniture(translator, tally)
    delimiter = translator.interface.source.delimiter if ragged else ""
    position = 0
    for cells in rows:
        faults, fields = cells.faults, None
        if not faults:
            values = _fitted(cells.values, len(names))
            if ragged and len(values) != len(names):
                faults = (RAGGED.at("", line=cells.line, found=len(cells.values), expected=len(names)),)
            else:
                fields = dict(zip(names, values, strict=False))
                if furniture.skips(fields):
                    continue
        if faults:
            yield Row(position, cells.line, None, faults, seen=_seen(cells.values, names, delimiter))
        else:
            yield Row(position, cells.line, fields)
        position += 1


class _Furniture:
    """Decides which rows are no records."""

    def __init__(self, translator: Translator, tally: Tally) -> None:
        self._translator, self._tally = translator, tally
        self._empty = frozenset(("", *translator.interface.source.empty))
        self._declares = bool(translator.interface.source.skip)

    def skips(self, fields: Fields) -> bool:
        if not any(self._has_value(fields.get(column)) for column in self._translator.columns):
            self._tally.skipped["empty"] += 1
            return True
        name = self._translator.skipped_by(fields) if self._declares else ""
        if name:
            self._tally.skipped[name] += 1
        return bool(name)

    def _has_value(self, value: object) -> bool:
        return value is not None and (type(value) is not str or value.strip() not in self._empty)


def _seen(values: Sequence[object], names: Sequence[str], delimiter: str) -> dict[str, object]:
    """What a person is shown of a faulty row: of delimited text, where nobody knows which cell is which, all in one."""
    return {"": delimiter.join(map(str, values))} if delimiter else dict(zip(names, values, strict=False))


def _header(rows: Iterator[Cells], translator: Translator) -> list[str]:
    wanted = translator.interface.source.header_row
    for number, cells in enumerate(rows, 1):
        if number == wanted and not cells.faults:
            return accept_header([_cell_name(value) for value in cells.values], translator)
        if number == wanted:
            raise _unreadable(wanted, cells.faults)
    raise refusal(HEADER_ABSENT, row=wanted)


def _unreadable(row: int, why: tuple[Fault, ...]) -> ContractError:
    """The refusal of a table whose header row is there but cannot be read, with what is wrong with it."""
    faults = [HEADER_ABSENT.at("", row=row), *why]
    summary, summary_zh = "; ".join(f.message for f in faults), "；".join(f.message_zh for f in faults)
    return ContractError(summary, faults, summary_zh)


def _cell_name(value: object) -> str:
    return "" if value is None else str(value)


def _fitted(values: Sequence[object], width: int) -> Sequence[object]:
    """Without the empty cells that spreadsheets append behind the last column."""
    if len(values) > width and not any(values[width:]):
        return values[:width]
    return values
