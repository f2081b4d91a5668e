"""Rows in the forms departments send them: 双公示 columns as CSV in GB18030, a worksheet with typed dates, JSON objects."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import openpyxl

from licencehub.demo.facts import Facts, Row

LONG_TERM = "2099/12/31"
NO_CHARACTER = b"\xff\xfe\xff"
"""No character of GB18030 has these bytes."""
_MARK = "☒"
"""Stands where the bytes are put; it occurs nowhere else."""
PUBLICITY_COLUMNS = (
    "XK_XDR_MC", "XK_XDR_LB", "XK_XDR_SHXYM", "XK_XDR_GSZC", "XK_XDR_ZZJG", "XK_XDR_SWDJ", "XK_XDR_SYDW",
    "XK_XDR_SHZZ", "XK_FRDB", "XK_FR_ZJLX", "XK_FR_ZJHM", "XK_XDR_ZJLX", "XK_XDR_ZJHM", "XK_XKWS",
    "XK_WSH", "XK_XKLB", "XK_XKZS", "XK_XKBH", "XK_NR", "XK_JDRQ", "XK_YXQZ", "XK_YXQZI", "XK_XKJG",
    "XK_XKJGDM", "XK_ZT", "XK_LYDW", "XK_LYDWDM", "BZ",
)  # fmt: skip
"""双公示 行政许可, edition of 2018."""
SHEET = "公共场所卫生许可"
SHEET_COLUMNS = (
    "序号", "单位名称", "统一社会信用代码", "经营地址", "法定代表人", "证书名称", "证书编号", "许可类别", "许可项目",
    "发证日期", "有效期起", "有效期止", "发证机关", "发证机关代码", "状态",
)  # fmt: skip
TEMPLATE_NOTE = "表格说明：日期请使用日期格式，长期请填“长期”"
_STATES = {"1": "有效", "2": "撤销"}
_HOLDER_KINDS = {"company": "法人及非法人组织", "shop": "个体工商户", "person": "自然人"}


def publicity_csv(rows: Sequence[Row]) -> bytes:
    """The rows as a front-end exports them: GB18030, CRLF, dates ``YYYY/MM/DD``."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(PUBLICITY_COLUMNS)
    for row in rows:
        cells = list(_publicity(row.facts).values())
        if row.bad_bytes:
            cells[0] = _MARK + cells[0]
        writer.writerow([*cells, "多余"] if row.extra_field else cells)
    return out.getvalue().encode("gb18030").replace(_MARK.encode("gb18030"), NO_CHARACTER)


def _publicity(facts: Facts) -> dict[str, str]:
    known = {
        "XK_XDR_MC": facts.holder_name,
        "XK_XDR_LB": _HOLDER_KINDS[facts.holder_kind],
        "XK_XDR_SHXYM": facts.holder_code,
        "XK_XDR_GSZC": facts.registration_number,
        "XK_FRDB": facts.legal_person,
        "XK_XKWS": "行政许可决定书",
        "XK_WSH": f"示市监许〔{facts.decided.year}〕{facts.number[-6:]}号",
        "XK_XKLB": facts.category,
        "XK_XKZS": facts.licence_name,
        "XK_XKBH": facts.number,
        "XK_NR": facts.content,
        "XK_JDRQ": facts.text("decided", _slashed(facts.decided)),
        "XK_YXQZ": _slashed(facts.valid_from),
        "XK_YXQZI": facts.text("valid_until", _slashed(facts.valid_until)),
        "XK_XKJG": facts.issuer_name,
        "XK_XKJGDM": facts.issuer_code,
        "XK_ZT": facts.state,
        "XK_LYDW": facts.issuer_name,
        "XK_LYDWDM": facts.issuer_code,
    }
    return {column: known.get(column, "") for column in PUBLICITY_COLUMNS}


def _slashed(day: date | None) -> str:
    return f"{day:%Y/%m/%d}" if day else LONG_TERM


def workbook(rows: Sequence[Row], *, furniture: int = 0) -> bytes:
    """The rows as a worksheet with dates of the spreadsheet; below, a note of the template and numbered empty rows."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None  # noqa: S101 -- a new workbook has a sheet
    sheet.title = SHEET
    sheet.append(SHEET_COLUMNS)
    for number, row in enumerate(rows, 1):
        sheet.append([number, *_sheet_cells(row.facts)])
    if furniture:
        sheet.append(["", TEMPLATE_NOTE])
    for number in range(furniture):
        sheet.append([len(rows) + number + 1])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet_cells(facts: Facts) -> tuple[str | date, ...]:
    decided: str | date = facts.texts.get("decided", facts.decided)
    until: str | date = facts.texts.get("valid_until", facts.valid_until or "长期")
    holder = (facts.holder_name, facts.holder_code, facts.address, facts.legal_person)
    paper = (facts.licence_name, facts.number, facts.category, facts.content)
    issuer = (facts.issuer_name, facts.issuer_code, _STATES[facts.state])
    return (*holder, *paper, decided, facts.valid_from, until, *issuer)


def pushed(facts: Facts) -> dict[str, Any]:
    """The record a system pushes: nested, dates in ISO 8601."""
    until = facts.valid_until.isoformat() if facts.valid_until else "长期"
    return {
        "holder": {"name": facts.holder_name, "id_number": facts.holder_code},
        "certificate": {
            "name": facts.licence_name,
            "number": facts.number,
            "category": facts.category,
            "scope": facts.content,
            "issued": facts.text("decided", facts.decided.isoformat()).replace("/", "-"),
            "valid": {"from": facts.valid_from.isoformat(), "until": facts.text("valid_until", until)},
            "state": facts.state,
        },
        "issuer": {"name": facts.issuer_name, "code": facts.issuer_code},
    }


def pushed_json(facts: Facts) -> str:
    """The record as one line of JSON."""
    return json.dumps(pushed(facts), ensure_ascii=False)
