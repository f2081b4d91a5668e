from pathlib import Path

import pytest
from PIL import Image

from chinese import english_in
from contracts.licence_type import ItemSpec, LicenceType
from core.errors import ConfigError, NotFound
from core.packaging.face import Face, compose_face
from core.packaging.style_checks import style_faults
from core.packaging.style_loader import STYLES, load_style, shipped_style, shipped_styles
from packaging_material import permit, request_for

TYPE = LicenceType(
    code="11100000000013338W033",
    name={"zh-CN": "许可证"},
    items={"KZ_XKNR": ItemSpec(label={"zh-CN": "许可内容"})},
)


def copied(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = (STYLES / "permit" / "style.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "base.jpg").write_bytes((STYLES / "permit" / "base.jpg").read_bytes())
    file = tmp_path / "style.toml"
    file.write_text(text, "utf-8")
    return file


def test_the_shipped_styles_fit_types_that_declare_only_some_items() -> None:
    for name in shipped_styles():
        codes = [field.code for field in shipped_style(name).fields]
        items = {code: ItemSpec(label={}) for code in codes if code.startswith("KZ_") and code != "KZ_*"}
        whole = LicenceType(code=TYPE.code, name=TYPE.name, items=items)
        assert load_style(STYLES / name / "style.toml", whole).name == name
    assert load_style(STYLES / "permit" / "style.toml", TYPE).name == "permit"


def test_all_faults_of_a_style_are_found_at_once_each_with_its_place(tmp_path: Path) -> None:
    file = copied(
        tmp_path,
        ('code = "CZZTDM"', 'code = "KZ_NONE"'),
        ('code = "KZ_FDDBR"', 'code = "CZZT"'),
        ('text = "编号"', 'text = "编\U00020bb7"'),
        ("page_height = 297.0", "page_height = 290.0"),
        ('sample = "二〇二六年十二月二十三日"', f'sample = "{"二〇二六年" * 20}"'),
        ("y = 264.0", "y = 259.0"),
        ("x = 31\ny = 221\nsize = 32", "x = 199\ny = 221\nsize = 32"),
    )
    with pytest.raises(ConfigError) as caught:
        load_style(file, TYPE)
    found = {fault.rule for fault in caught.value.faults}
    assert found == {
        "style.unknown-item",
        "style.duplicate-item",
        "style.glyph",
        "style.proportions",
        "style.too-long",
        "style.overlap",
        "style.off-page",
    }
    places = {fault.rule: fault.pointer for fault in caught.value.faults}
    assert places["style.unknown-item"] == "/field/3/code"
    assert places["style.off-page"] == "/qr"
    assert all(fault.message_zh and fault.remedy_zh for fault in caught.value.faults)


def test_the_code_may_only_hold_metadata_and_the_seal_must_be_on_the_page(tmp_path: Path) -> None:
    file = copied(
        tmp_path,
        ("[qr]\n", '[qr]\ntext = "https://example.gov.cn/{ZZBS}/{KZ_XKNR}"\n'),
        ("x = 129\ny = 203", "x = 190\ny = 203"),
    )
    with pytest.raises(ConfigError) as caught:
        load_style(file)
    assert [(fault.rule, fault.pointer) for fault in caught.value.faults] == [
        ("style.unknown-item", "/qr/text"),
        ("style.off-page", "/seal"),
    ]


def test_entries_of_the_wrong_shape_are_all_named(tmp_path: Path) -> None:
    file = copied(
        tmp_path, ("size_pt = 38.0", 'size_pt = "large"'), ("opacity", "opaqueness"), ("version", "edition")
    )
    with pytest.raises(ConfigError) as caught:
        load_style(file)
    assert [fault.pointer for fault in caught.value.faults] == [
        "/version",
        "/edition",
        "/field/0/size_pt",
        "/watermark/opaqueness",
    ]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('name = "permit"', 'name = "../../permit"', "/name"),
        ('base_image = "base.jpg"', 'base_image = "../base.jpg"', "/base_image"),
        ('base_image = "base.jpg"', 'base_image = "/etc/passwd"', "/base_image"),
        ('base_image = "base.jpg"', 'base_image = "base.jpg"\nfont = "../hub-kai.ttf"', "/font"),
        ("page_width = 210.0", "page_width = inf", "/page_width"),
        ("page_height = 297.0", "page_height = -297", "/page_height"),
        ("size_pt = 38.0", "size_pt = -38.0", "/field/0/size_pt"),
        ("x = 35.0", "x = nan", "/field/0/x"),
        ("step_x = 105.0", "step_x = 0.0001", "/watermark/step_x"),
        ("opacity = 0.05", "opacity = 17.0", "/watermark/opacity"),
        ('colour = "#1d6b5c"', 'colour = "blue"', "/watermark/colour"),
        ("[qr]\n", '[qr]\ntext = "{ZZBS:>99999999}"\n', "/qr/text"),
        ("[qr]\n", '[qr]\ntext = "{ZZBS.__class__}"\n', "/qr/text"),
        ("[qr]\n", '[qr]\ntext = "{ZZBS"\n', "/qr/text"),
        ('row = ""', 'row = "{KZ_A!r}"', "/field/7/row"),
        ('row = ""', 'row = ""\nalign = "rigth"', "/field/7/align"),
        ('row = ""', 'row = ""\nwrap = "yes"', "/field/7/wrap"),
        ('row = ""', 'row = ""\nlimits = 3', "/field/7/limits"),
        ("released = ", 'released = "2026-02-30" # ', "/released"),
    ],
)
def test_names_that_lead_out_and_absurd_measures_are_refused_where_they_stand(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_style(copied(tmp_path, (old, new)))
    assert [(fault.rule, fault.pointer) for fault in caught.value.faults] == [("style.shape", place)]
    assert english_in(caught.value.faults[0].message_zh) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("size = 32", "size = 3", ("style.small-code", "/qr/size")),
        ("[qr]\n", f'[qr]\ntext = "{"x" * 500}{{ZZBS}}"\n', ("style.too-long", "/qr/text")),
    ],
)
def test_a_code_that_no_phone_reads_is_refused(
    tmp_path: Path, old: str, new: str, fault: tuple[str, str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_style(copied(tmp_path, (old, new)))
    assert [(found.rule, found.pointer) for found in caught.value.faults] == [fault]


@pytest.mark.parametrize(
    ("mode", "form"), [("RGBA", "PNG"), ("CMYK", "JPEG"), ("I;16", "PNG"), ("RGB", "GIF")]
)
def test_a_base_image_that_readers_show_differently_is_refused(tmp_path: Path, mode: str, form: str) -> None:
    file = copied(tmp_path)
    Image.new(mode, (210, 297)).save(tmp_path / "base.jpg", form)
    with pytest.raises(ConfigError) as caught:
        load_style(file)
    assert [(fault.rule, fault.pointer) for fault in caught.value.faults] == [("style.file", "/base_image")]


def test_a_base_image_that_breaks_off_is_refused(tmp_path: Path) -> None:
    file = copied(tmp_path)
    picture = tmp_path / "base.jpg"
    picture.write_bytes(picture.read_bytes()[:20_000])
    with pytest.raises(ConfigError, match="truncated"):
        load_style(file)


def test_a_base_image_has_a_name_of_its_own_in_a_package_whatever_its_file_is_called(tmp_path: Path) -> None:
    file = copied(tmp_path, ('"base.jpg"', '"qr.png"'))
    (tmp_path / "base.jpg").rename(tmp_path / "qr.png")
    assert load_style(file).base_image_member == "base.jpg"


def test_a_file_that_is_no_font_is_refused(tmp_path: Path) -> None:
    file = copied(tmp_path, ('"base.jpg"', '"base.jpg"\nfont = "base.jpg"'))
    with pytest.raises(ConfigError) as caught:
        load_style(file)
    assert [(fault.rule, fault.pointer) for fault in caught.value.faults] == [("style.file", "/font")]


def test_a_style_without_its_picture_or_font_is_refused(tmp_path: Path) -> None:
    file = copied(tmp_path, ('base_image = "base.jpg"', 'base_image = "none.jpg"\nfont = "none.ttf"'))
    with pytest.raises(ConfigError) as caught:
        load_style(file)
    assert [fault.pointer for fault in caught.value.faults] == ["/base_image", "/font"]


def test_a_file_that_is_no_style_is_refused(tmp_path: Path) -> None:
    (tmp_path / "style.toml").write_bytes(b"\xff\xfe not toml")
    with pytest.raises(ConfigError):
        load_style(tmp_path / "style.toml")
    with pytest.raises(ConfigError):
        load_style(tmp_path / "absent.toml")
    (tmp_path / "base.jpg").write_bytes(b"GIF89a")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_style(copied_text(tmp_path))
    with pytest.raises(NotFound):
        shipped_style("none")


def test_the_meanings_of_a_code_table_must_fit_the_field_that_prints_them() -> None:
    codes = {"1": "普通", "2": "甲" * 3000, "3": "\U00020bb7"}
    coded = LicenceType(
        code=TYPE.code, name=TYPE.name, items={"KZ_XKNR": ItemSpec(label={"zh-CN": "许可内容"}, codes=codes)}
    )
    with pytest.raises(ConfigError) as refused:
        load_style(STYLES / "permit" / "style.toml", coded)
    index = [field.code for field in shipped_style("permit").fields].index("KZ_XKNR")
    found = {(fault.rule, fault.pointer) for fault in refused.value.faults}
    assert found == {("style.too-long", f"/field/{index}"), ("style.glyph", f"/field/{index}")}


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"MC": {"zh-CN": "名称"}, "SL": {"zh-CN": "数量"}}, [("style.unknown-field", "/field/7/row")]),
        ({"MC": {"zh-CN": "名称"}, "HX": {"zh-CN": "号型"}}, []),
        ({}, []),  # the elements may hold anything
    ],
)
def test_a_row_shows_only_fields_that_the_type_declares_for_its_list(
    tmp_path: Path, fields: dict[str, dict[str, str]], rules: list[tuple[str, str]]
) -> None:
    file = copied(tmp_path, ('row = ""', 'row = "{MC}：{HX}"'), ('code = "KZ_*"', 'code = "KZ_QD"'))
    goods = ItemSpec(label={"zh-CN": "清单"}, kind="list", fields=fields)
    licence_type = LicenceType(code=TYPE.code, name=TYPE.name, items={**TYPE.items, "KZ_QD": goods})
    found = style_faults(load_style(file), licence_type)
    assert [(fault.rule, fault.pointer) for fault in found] == rules
    assert all("HX" in fault.message and english_in(fault.message_zh) == [] for fault in found)


@pytest.mark.parametrize(
    "picture", [b"GIF89a", b"\x89PNG\r\n\x1a\n", None], ids=["foreign", "broken", "clear"]
)
def test_what_is_wrong_with_a_picture_is_told_in_whole_chinese(tmp_path: Path, picture: bytes | None) -> None:
    file = copied(tmp_path)
    image = tmp_path / "base.jpg"
    if picture is None:
        Image.new("RGBA", (210, 297)).save(image, "PNG")
    else:
        image.write_bytes(picture)
    with pytest.raises(ConfigError) as caught:
        load_style(file)
    assert [english_in(fault.message_zh) for fault in caught.value.faults] == [[]]


def copied_text(tmp_path: Path) -> Path:
    (tmp_path / "style.toml").write_bytes((STYLES / "permit" / "style.toml").read_bytes())
    return tmp_path / "style.toml"


def test_items_without_a_field_of_their_own_are_listed_by_name() -> None:
    request = request_for(permit(), item_names={"KZ_XKLB": "许可类别", "KZ_XKNR": "许可内容"})
    face = compose_face(request, shipped_style("permit"))
    assert isinstance(face, Face)
    others = next(item for item in face.texts if item.field.code == "KZ_*")
    assert [line.text for line in others.set.lines] == ["许可类别：普通", "KZ_FZLX：新办；整改后换发"]
