from datetime import date

import msgspec
import pytest

from core.packaging.face import Face, compose_face, face_texts
from core.packaging.raster import render_face
from core.packaging.request import Waiting, file_number
from core.packaging.style import Style
from core.packaging.style_loader import shipped_style
from core.packaging.values import face_date, face_list, face_text, metadata_text, values_of
from packaging_material import business_licence, permit, request_for


@pytest.fixture
def style() -> Style:
    return shipped_style("business-licence")


def test_every_item_with_a_value_is_set_once(style: Style) -> None:
    request = request_for(business_licence())
    face = compose_face(request, style)
    assert isinstance(face, Face)
    drawn = {item.field.code: "".join(line.text for line in item.set.lines) for item in face.texts}
    assert drawn == face_texts(request, style)
    assert drawn["ZZYXQJZRQ"] == "2026年11月23日 至 长期"
    assert drawn["KZ_CLRQ"] == "2019年03月08日"
    assert face.qr_text == request.identifier


def test_a_character_the_font_lacks_makes_the_licence_wait_and_is_named(style: Style) -> None:
    record = business_licence()
    items = record.items | {"KZ_FDDBR": "王\U00020bb7\U0002a6a5", "KZ_ZS": "\U00020bb7路 1 号"}
    waiting = compose_face(request_for(business_licence(items=items)), style)
    assert isinstance(waiting, Waiting)
    assert waiting.state == "needs-glyph"
    assert waiting.characters == "\U00020bb7\U0002a6a5"
    assert {fault.pointer for fault in waiting.faults} == {"/KZ_FDDBR", "/KZ_ZS"}
    assert all("字体缺少" in fault.message_zh for fault in waiting.faults)


def test_a_text_without_room_fails_with_its_field_named_and_its_value_kept_out(style: Style) -> None:
    record = business_licence()
    waiting = compose_face(
        request_for(business_licence(items=record.items | {"KZ_FDDBR": "甲" * 900})), style
    )
    assert isinstance(waiting, Waiting)
    assert waiting.state == "failed"
    assert [fault.rule for fault in waiting.faults] == ["face.overflow"]
    assert "甲" not in waiting.faults[0].message


def test_a_code_with_more_than_it_can_hold_fails_with_its_place_named(style: Style) -> None:
    assert style.qr
    naming = msgspec.structs.replace(
        style, qr=msgspec.structs.replace(style.qr, text="{ZZBS}" + "·{CZZT}" * 20)
    )
    waiting = compose_face(request_for(business_licence()), naming)
    assert isinstance(waiting, Waiting)
    assert waiting.state == "failed"
    assert [(fault.rule, fault.pointer) for fault in waiting.faults] == [("face.overflow", "/qr")]


def test_an_item_without_value_is_left_out(style: Style) -> None:
    face = compose_face(request_for(business_licence(items={})), style)
    assert isinstance(face, Face)
    assert not any(item.field.code.startswith("KZ_") for item in face.texts)


def test_dates_are_written_as_licences_print_them() -> None:
    day = date(2026, 11, 20)
    assert face_date(day, "long") == "2026年11月20日"
    assert face_date(day, "chinese") == "二〇二六年十一月二十日"
    assert face_date(date(2020, 10, 31), "chinese") == "二〇二〇年十月三十一日"
    assert face_date(day, "iso") == "2026-11-20"
    assert face_date(day, "dots") == "2026.11.20"


def test_a_list_shows_its_rows_and_says_what_it_leaves_off() -> None:
    rows = [{"KZ_DZ": f"{number} 号", "KZ_LX": "车"} for number in range(5)]
    assert face_list(rows[:2], row="{KZ_DZ}({KZ_LX})", separator="; ", limit=3) == "0 号(车); 1 号(车)"
    text = face_list(rows, row="{KZ_DZ}", separator="; ", limit=3)
    assert text == "0 号; 1 号; 2 号; （另有2项，见附件数据）"
    assert face_list(["甲", "乙"], row="", separator="、", limit=9) == "甲、乙"


def test_metadata_texts_follow_the_metadata_standard() -> None:
    assert metadata_text(date(2026, 1, 2)) == "20260102"
    assert metadata_text([{"b": 1, "a": "x"}]) == '[{"a":"x","b":1}]'
    assert metadata_text(None) == ""
    values = values_of(request_for(business_licence()))
    assert values["CZZTDMLX"] == "统一社会信用代码"
    assert values["ZZBBH"] == "001"


def test_a_file_number_needs_no_counter_and_differs_by_licence_and_version() -> None:
    ids = [request_for(business_licence(), number).licence_id for number in range(200)]
    day = date(2026, 11, 23)
    numbers = {file_number("LH", day, licence, version) for licence in ids for version in (1, 2)}
    assert len(numbers) == 400
    assert file_number("LH", day, ids[0], 1) in numbers
    assert all(number.startswith("LH-20261123-") and len(number) == 24 for number in numbers)


def test_flags_are_printed_in_words() -> None:
    assert (face_text(True), face_text(False), face_text(12)) == ("是", "否", "12")
    assert face_list([{"KZ_A": True}], row="{KZ_A}", separator="; ", limit=3) == "是"


def test_an_item_bound_to_a_code_table_prints_its_meaning_and_keeps_its_code_in_the_data(
    style: Style,
) -> None:
    record = business_licence()
    tables = {"KZ_LX": {"1130": "有限责任公司", "2000": "分公司"}, "KZ_FDDBR": {"9": "not this one"}}
    coded = business_licence(items=record.items | {"KZ_LX": "1130"})
    request = request_for(coded, code_tables=tables)
    assert face_texts(request, style)["KZ_LX"] == "有限责任公司"
    assert face_texts(request, style)["KZ_FDDBR"] == "王喆"
    assert values_of(request)["KZ_LX"] == "1130"
    face = compose_face(request, style)
    assert isinstance(face, Face)
    assert {item.field.code: item.text for item in face.texts}["KZ_LX"] == "有限责任公司"
    assert render_face(request, style, 40) == render_face(
        request_for(business_licence(items=record.items | {"KZ_LX": "有限责任公司"})), style, 40
    )
    assert render_face(request, style, 40) != render_face(request_for(coded), style, 40)


def test_items_that_are_listed_print_their_meaning_too() -> None:
    request = request_for(
        permit(items={"KZ_XKLB": "1"}),
        item_names={"KZ_XKLB": "许可类别"},
        code_tables={"KZ_XKLB": {"1": "普通"}},
    )
    assert face_texts(request, shipped_style("permit"))["KZ_*"] == "许可类别：普通"
