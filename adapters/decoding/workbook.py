"""XLSX workbooks, row by row; and the older XLS, whose sheets are small.

Before the workbook is opened its members are unpacked once without being kept, and what they really hold is counted: sizes in the
container's directory are claims of the sender.
"""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

import openpyxl
import python_calamine

from adapters.decoding.rows import Row, Tally, refusal
from adapters.decoding.rules import CELL_ERROR, WORKBOOK_BOMB, WORKBOOK_SHEET, WORKBOOK_UNREADABLE
from adapters.decoding.table import Cells, records
from contracts.fault import Fault, pointer
from contracts.mapping import Translator

MAX_MEMBERS = 1000
MAX_UNPACKED_BYTES = 4 * 1024**3
MAX_SHARED_BYTES = 256 * 1024**2
"""Everything but the sheets (shared texts, styles) is held in memory by every reader."""
MAX_RATIO = 200
"""Bytes unpacked for a byte packed, once more than ``RATIO_FREE_BYTES`` were unpacked; repetitive sheets reach about 50."""
RATIO_FREE_BYTES = 16 * 1024**2
MAX_XLS_BYTES = 128 * 1024**2
MAX_XLS_CELLS = 4_000_000
MAX_COLUMNS = 2000

_BLOCK = 1024 * 1024
_OLD_FORMAT = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
_MIDNIGHT = time()


def decode_xlsx(stream: BinaryIO, translator: Translator, tally: Tally | None = None) -> Iterator[Row]:
    """The records of the declared sheet (or the first). Raises ``ContractError`` for what is no sound workbook or header."""
    tally = tally if tally is not None else Tally()
    stream.seek(0)
    old = stream.read(len(_OLD_FORMAT)) == _OLD_FORMAT
    cells = _old_cells(stream, translator) if old else _cells(stream, translator)
    return records(cells, translator, tally, ragged=False)


def inspect(stream: BinaryIO) -> None:
    """Raises ``ContractError`` when the container unpacks beyond the limits, or is none."""
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as container:
            _count(container)
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
        OSError,
    ) as error:
        raise refusal(WORKBOOK_UNREADABLE, reason=str(error)) from error


def _count(container: zipfile.ZipFile) -> None:
    members = container.infolist()
    if len(members) > MAX_MEMBERS:
        raise refusal(WORKBOOK_BOMB, reason=f"more than {MAX_MEMBERS} members")
    unpacked = shared = 0
    packed = sum(member.compress_size for member in members)
    for member in members:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refusal(WORKBOOK_UNREADABLE, reason="an unusual compression")
        sheet = member.filename.startswith("xl/worksheets/")
        for block in _blocks(container, member):
            unpacked += len(block)
            shared += 0 if sheet else len(block)
            if unpacked > MAX_UNPACKED_BYTES or shared > MAX_SHARED_BYTES:
                raise refusal(WORKBOOK_BOMB, reason=f"more than {MAX_UNPACKED_BYTES >> 20} MiB")
            if unpacked > RATIO_FREE_BYTES and unpacked > MAX_RATIO * max(packed, 1):
                raise refusal(WORKBOOK_BOMB, reason=f"more than {MAX_RATIO} bytes for one")


def _blocks(container: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member's content in blocks; XML that declares entities is refused."""
    with container.open(member) as content:
        first = True
        while block := content.read(_BLOCK):
            if first and _DOCTYPE.search(block):
                raise refusal(WORKBOOK_UNREADABLE, reason="it declares XML entities")
            first = False
            yield block


def _cells(stream: BinaryIO, translator: Translator) -> Iterator[Cells]:
    inspect(stream)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # openpyxl warns of styles and extensions that do not concern the values
            workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # openpyxl raises whatever a malformed member leads to
        raise refusal(WORKBOOK_UNREADABLE, reason=type(error).__name__) from error
    with closing(workbook):
        sheet = workbook[_sheet_name(workbook.sheetnames, translator)]
        sheet.reset_dimensions()  # the declared dimension is a claim of the sender
        rows = sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS)
        yield from _as_cells(_guarded(rows))


def _guarded(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows; a sheet that breaks off refuses the file from there."""
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                row = next(rows, None)
        except Exception as error:  # openpyxl raises whatever a malformed member leads to
            raise refusal(WORKBOOK_UNREADABLE, reason=type(error).__name__) from error
        if row is None:
            return
        yield row


def _old_cells(stream: BinaryIO, translator: Translator) -> Iterator[Cells]:
    stream.seek(0)
    content = stream.read(MAX_XLS_BYTES + 1)
    if len(content) > MAX_XLS_BYTES:
        raise refusal(WORKBOOK_BOMB, reason=f"an .xls of more than {MAX_XLS_BYTES >> 20} MiB")
    yield from _as_cells(_read_old(content, translator))


def _read_old(content: bytes, translator: Translator) -> Iterator[list[Any]]:
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = workbook.get_sheet_by_name(_sheet_name(workbook.sheet_names, translator))
        _limit_cells(sheet.total_height * sheet.total_width)
        return iter(sheet.to_python(skip_empty_area=False))
    except python_calamine.CalamineError as error:
        raise refusal(WORKBOOK_UNREADABLE, reason=str(error)) from error
    except BaseException as error:
        if (
            type(error).__name__ != "PanicException"
        ):  # what the parser, which is in Rust, raises at its own defects
            raise
        raise refusal(WORKBOOK_UNREADABLE, reason="its structure is broken") from error


def _limit_cells(count: int) -> None:
    if count > MAX_XLS_CELLS:
        raise refusal(WORKBOOK_BOMB, reason=f"more than {MAX_XLS_CELLS} cells")


def _sheet_name(names: list[str], translator: Translator) -> str:
    wanted = translator.interface.source.sheet
    if not names or (wanted and wanted not in names):
        raise refusal(WORKBOOK_SHEET, sheet=wanted, sheets=", ".join(names))
    return wanted or names[0]


def _as_cells(rows: Iterator[Any]) -> Iterator[Cells]:
    for line, row in enumerate(rows, 1):
        values = [value if type(value) is str else _plain(value) for value in row]
        while values and values[-1] in (None, ""):
            values.pop()
        faults = _cell_faults(values)
        yield Cells(line, values, faults)


def _cell_faults(values: list[Any]) -> tuple[Fault, ...]:
    return tuple(
        CELL_ERROR.at(pointer(_letters(index)), value, error=value)
        for index, value in enumerate(values)
        if isinstance(value, str) and value in _ERRORS
    )


def _plain(value: Any) -> Any:
    """A cell as JSON would carry it: days and moments in ISO 8601, whole numbers without a point."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == _MIDNIGHT else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _letters(index: int) -> str:
    """Column letters of a 0-based index: A … Z, AA …"""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
