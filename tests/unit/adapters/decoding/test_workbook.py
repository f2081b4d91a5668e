import io
import random
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from adapters.decoding import Row, Tally, decode_xlsx, workbook
from contracts.interface import Condition, FieldMapping, Filter, Interface, Source
from contracts.mapping import Translator, compile_interface
from core.errors import ContractError


def translator(read: tuple[str, ...] = ("许可编号", "许可决定日期"), **source: Any) -> Translator:
    fields = {f"items.K{i}": FieldMapping(source=name) for i, name in enumerate(read)}
    return compile_interface(
        Interface(
            name="t", department="d", licence_type="T", source=Source(format="xlsx", **source), fields=fields
        )
    )


def book(*rows: tuple[Any, ...], sheet: str = "许可") -> bytes:
    made = openpyxl.Workbook()
    page = made.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def rows(data: bytes, tally: Tally | None = None, **source: Any) -> list[Row]:
    return list(decode_xlsx(io.BytesIO(data), translator(**source), tally))


def refused(data: bytes, **source: Any) -> str:
    with pytest.raises(ContractError) as caught:
        rows(data, **source)
    return caught.value.faults[0].rule


HEADER = ("序号", "许可\n编号", "许可决定\r\n日期")


def test_dates_come_as_days_and_whole_numbers_without_a_point() -> None:
    found = rows(
        book(
            HEADER,
            (1, "JY1", date(2021, 3, 4)),
            (2, 20210305.0, datetime.fromisoformat("2021-03-04T09:30:00")),
            (3, "X", "2021/3/6"),
        )
    )
    assert [row.fields and tuple(row.fields.values())[1:] for row in found] == [
        ("JY1", "2021-03-04"),
        (20210305, "2021-03-04 09:30:00"),
        ("X", "2021/3/6"),
    ]
    assert [(row.position, row.line) for row in found] == [(0, 2), (1, 3), (2, 4)]


def test_numbered_empty_rows_and_template_notes_are_no_records() -> None:
    note = Filter(name="template-note", when=(Condition(field="*", op="contains", value="表格说明"),))
    tally = Tally()
    data = book(
        HEADER, (1, "JY1", "2021-01-01"), (2, None, None), (3, "无", "/"), ("表格说明：", "1.必填", "x")
    )
    found = rows(data, tally, skip=(note,), empty=("/", "无"))
    assert len(found) == 1
    assert tally.skipped == {"empty": 2, "template-note": 1}


def test_a_row_shorter_than_the_header_is_empty_at_its_end() -> None:
    assert rows(book(HEADER, (1, "JY1")))[0].fields == {"序号": 1, "许可编号": "JY1"}


def test_a_spreadsheet_error_quarantines_its_row_with_the_cell() -> None:
    found = rows(book(HEADER, (1, "#REF!", "2021-01-01"), (2, "JY2", "2021-01-01")))
    assert [(f.rule, f.pointer) for f in found[0].faults] == [("workbook.cell-error", "/B")]
    assert not found[1].faults


def test_a_drifted_header_refuses_the_workbook() -> None:
    assert refused(book(("序号", "编号", "许可决定日期"), (1, "a", "b"))) == "header.missing-columns"


def test_the_declared_sheet_is_read_and_a_missing_one_refuses() -> None:
    assert len(rows(book(HEADER, (1, "a", "b"), sheet="法人"), sheet="法人")) == 1
    assert refused(book(HEADER), sheet="法人") == "workbook.no-sheet"


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04 nothing", b"a,b\n1,2\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600]
)
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    assert refused(data) == "workbook.unreadable"


def test_a_workbook_that_breaks_off_is_refused() -> None:
    data = book(HEADER, *((i, f"JY{i}", "2021-01-01") for i in range(500)))
    assert refused(data[: len(data) // 2]) == "workbook.unreadable"


def repacked(data: bytes, name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
        if name not in old.namelist():
            new.writestr(name, content)
    return out.getvalue()


def test_a_zip_bomb_is_stopped_while_it_unpacks() -> None:
    assert (
        refused(repacked(book(HEADER), "xl/media/x.bin", bytes(40 * 1024**2))) == "workbook.too-large-inside"
    )


def test_sizes_are_counted_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_SHARED_BYTES", 100_000)
    assert refused(
        repacked(book(HEADER), "docProps/x.xml", b"<x>" + bytes(range(32, 127)) * 2000 + b"</x>")
    ) == ("workbook.too-large-inside")


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_MEMBERS", 3)
    assert refused(book(HEADER)) == "workbook.too-large-inside"


def test_xml_entities_are_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><sst>&a;</sst>'
    assert refused(repacked(book(HEADER), "xl/sharedStrings.xml", bomb)) == "workbook.unreadable"


def test_a_member_that_is_no_xml_refuses_the_workbook() -> None:
    assert refused(
        repacked(book(HEADER, (1, "a", "b")), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>")
    ) == ("workbook.unreadable")


def test_spoilt_workbooks_are_read_or_refused_and_never_break_the_reader() -> None:
    data = book(HEADER, *((i, f"JY{i}", "2021-01-01") for i in range(5)))
    refusals: list[str] = []
    for seed in range(120):
        noise = random.Random(seed)
        spoilt = spoil_member(data, noise) if seed % 2 else spoil(data, noise)
        try:
            rows(spoilt)
        except ContractError as error:
            refusals.append(error.faults[0].rule)
    assert len(refusals) > 60
    assert all(rule.startswith(("workbook.", "header.")) for rule in refusals)


def spoil(data: bytes, noise: random.Random) -> bytes:
    changed = bytearray(data)
    for _change in range(noise.randint(1, 6)):
        changed[noise.randrange(len(changed))] = noise.randrange(256)
    return bytes(changed)


def spoil_member(data: bytes, noise: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as container:
        name = noise.choice(container.namelist())
        content = spoil(container.read(name), noise)
    return repacked(
        data, name, content[: noise.randint(1, len(content))] if noise.random() < 0.3 else content
    )


def test_a_defect_of_the_xls_parser_refuses_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):  # the name the parser's binding gives it
        pass

    def panic(_stream: Any) -> Any:
        raise PanicException

    monkeypatch.setattr("python_calamine.CalamineWorkbook", type("Workbook", (), {"from_filelike": panic}))
    assert refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)) == "workbook.unreadable"
