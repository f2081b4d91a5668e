from pathlib import Path

import pytest

from contracts.licence_type import ItemSpec, LicenceType
from core.errors import ConfigError, NotFound
from core.packaging.face import Face, compose_face
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
    assert [fault.pointer for fault in caught.value.faults] == ["", "/field/0", "/watermark"]


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


def copied_text(tmp_path: Path) -> Path:
    (tmp_path / "style.toml").write_bytes((STYLES / "permit" / "style.toml").read_bytes())
    return tmp_path / "style.toml"


def test_items_without_a_field_of_their_own_are_listed_by_name() -> None:
    request = request_for(permit(), item_names={"KZ_XKLB": "许可类别", "KZ_XKNR": "许可内容"})
    face = compose_face(request, shipped_style("permit"))
    assert isinstance(face, Face)
    others = next(item for item in face.texts if item.field.code == "KZ_*")
    assert [line.text for line in others.set.lines] == ["许可类别：普通", "KZ_FZLX：新办；整改后换发"]
