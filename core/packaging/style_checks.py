"""What may be wrong with a style that reads well: items, samples, glyphs, places, picture."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import combinations
from string import Formatter
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from contracts.declare import suggest
from contracts.fault import Fault, Rule, pointer
from contracts.licence_type import LicenceType
from core.errors import InternalError
from core.packaging.layout import Box, set_text
from core.packaging.qr import qr_rows
from core.packaging.style import FieldPlace, Style
from core.packaging.values import FACE_CODES, OTHER_ITEMS

_PROPORTION_TOLERANCE = 0.01
_MOST_PIXELS = 40_000_000
_PLAIN_MODES = {"1", "L", "P", "RGB"}
"""What readers of OFD and PDF and our own raster show alike."""
_LEAST_MODULE_MM = 0.25
_LONGEST_IDENTIFIER = "1.2.156.3005.2." + "W" * 21 + "." + "W" * 18 + "." + "W" * 32 + ".001.X"
SHAPE = Rule(
    code="style.shape",
    en="The style does not have the expected shape: {why}.",
    zh="样式文件结构不正确：{why_zh}。",
    remedy_en="Correct the entry; docs/styles.md lists every key.",
    remedy_zh="请按 docs/styles.md 修改该项。",
)
FILE = Rule(
    code="style.file",
    en="{name} cannot be read: {why}.",
    zh="无法读取 {name}：{why_zh}。",
    remedy_en="Place the file beside the style file and check its format.",
    remedy_zh="请将文件放在样式文件旁并检查格式。",
)
_PROPORTIONS = Rule(
    code="style.proportions",
    en="The base image is {image} but the page is {page}: proportions differ by more than 1 %.",
    zh="底图比例 {image} 与页面比例 {page} 相差超过 1%。",
    remedy_en="Draw the base image with the paper's proportions.",
    remedy_zh="请按纸张比例制作底图。",
)
_UNKNOWN_ITEM = Rule(
    code="style.unknown-item",
    en="The licence type has no item {code}.",
    zh="证照类型没有信息项 {code}。",
    remedy_en="Use a metadata code or an item declared in the licence type.",
    remedy_zh="请使用元数据代码或证照类型中声明的信息项。",
)
_UNKNOWN_FIELD = Rule(
    code="style.unknown-field",
    en="The elements of {item} have no field {code}.",
    zh="{item} 的元素没有字段 {code}。",
    remedy_en="Use a field that the licence type declares for the list. {suggestion}",
    remedy_zh="请使用证照类型为该列表声明的字段。{suggestion_zh}",
)
_DUPLICATE = Rule(
    code="style.duplicate-item",
    en="Item {code} is placed twice.",
    zh="信息项 {code} 重复。",
    remedy_en="Keep one field per item.",
    remedy_zh="每个信息项只保留一个字段。",
)
_TOO_LONG = Rule(
    code="style.too-long",
    en="The text of {name} does not fit its box at its smallest size.",
    zh="“{name}”的文字以最小字号仍超出文本框。",
    remedy_en="Enlarge the box, allow wrapping or lower min_size_pt.",
    remedy_zh="请放大文本框、允许换行或减小 min_size_pt。",
)
_GLYPHS = Rule(
    code="style.glyph",
    en="The font lacks: {characters}.",
    zh="字体缺少字符：{characters}。",
    remedy_en="Change the text or use a font that has these characters.",
    remedy_zh="请修改文字或更换包含这些字符的字体。",
)
_SMALL_CODE = Rule(
    code="style.small-code",
    en="The modules of the code are {module} mm wide; phones need {least} mm.",
    zh="二维码模块宽 {module} mm；手机识读至少需要 {least} mm。",
    remedy_en="Enlarge size or shorten text.",
    remedy_zh="请放大 size 或缩短 text。",
)
_OFF_PAGE = Rule(
    code="style.off-page",
    en="{name} reaches beyond the page.",
    zh="“{name}”超出页面。",
    remedy_en="Move it inside the page.",
    remedy_zh="请移到页面范围内。",
)
_OVERLAP = Rule(
    code="style.overlap",
    en="{name} overlaps {other}.",
    zh="“{name}”与“{other}”重叠。",
    remedy_en="Move one of the boxes.",
    remedy_zh="请移动其中一个文本框。",
)


def style_faults(style: Style, licence_type: LicenceType | None = None) -> list[Fault]:
    """What is wrong with a style that reads well: items, samples, glyphs, page, overlaps, picture."""
    return [
        *_picture_faults(style),
        *_item_faults(style, licence_type),
        *_code_faults(style),
        *_text_faults(_texts(style)),
        *_text_faults(_meanings(style, licence_type)),
        *_place_faults(style),
    ]


def _picture_faults(style: Style) -> Iterator[Fault]:
    try:
        image = _proportions(style.base_image)
    except UnidentifiedImageError:
        yield _unfit_picture(style, "it is no JPEG or PNG picture", "不是 JPEG 或 PNG 图片")
        return
    except _UnfitPicture as error:
        yield _unfit_picture(style, *error.args)
        return
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        yield _unfit_picture(style, str(error).rstrip("."), "图片已损坏或不完整")
        return
    page = style.page_width / style.page_height
    if abs(image / page - 1) > _PROPORTION_TOLERANCE:
        yield _PROPORTIONS.at("/base_image", image=f"{image:.3f}", page=f"{page:.3f}")


class _UnfitPicture(Exception):
    """A sound picture that no style may have; its arguments say why in English and Chinese."""


def _unfit_picture(style: Style, why: str, why_zh: str) -> Fault:
    return FILE.at("/base_image", name=style.base_image_name, why=why, why_zh=why_zh)


def _proportions(data: bytes) -> float:
    """Width by height of a picture that can be decoded whole; raises what Pillow does, ``_UnfitPicture`` for an unfit one."""
    with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            most = _MOST_PIXELS // 1_000_000
            raise _UnfitPicture(f"it has more than {most} million pixels", f"超过 {most * 100} 万像素")
        if picture.mode not in _PLAIN_MODES or "transparency" in picture.info:
            raise _UnfitPicture(
                "transparency, ink colours and 16 bits are not shown alike everywhere: make it RGB",
                "透明、印刷色和 16 位图片的显示效果因阅读器而异，请改为 RGB",
            )
        picture.load()
        return picture.width / picture.height


def _item_faults(style: Style, licence_type: LicenceType | None) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, field in enumerate(style.fields):
        where = pointer("field", index, "code")
        if field.code in seen:
            yield _DUPLICATE.at(where, field.code, code=field.code)
        seen.add(field.code)
        known = field.optional or field.code in FACE_CODES or field.code == OTHER_ITEMS
        if licence_type and not known and field.code not in licence_type.items:
            yield _UNKNOWN_ITEM.at(where, field.code, code=field.code)
        yield from _row_faults(field, pointer("field", index, "row"), licence_type)


def _row_faults(field: FieldPlace, where: str, licence_type: LicenceType | None) -> Iterator[Fault]:
    if not _readable(field.row):
        yield _unreadable(where, field.row)
        return
    spec = licence_type.items.get(field.code) if licence_type else None
    if spec is None or not spec.fields:  # no list, or one whose elements may hold anything
        return
    for code in _codes(field.row):
        if code not in spec.fields:
            near, near_zh = suggest(code, list(spec.fields))
            yield _UNKNOWN_FIELD.at(
                where, field.row, item=field.code, code=code, suggestion=near, suggestion_zh=near_zh
            )


def _unreadable(where: str, template: str) -> Fault:
    why, why_zh = "only {CODE} stands in braces", "花括号内只能是 {代码}"
    return SHAPE.at(where, template, why=why, why_zh=why_zh)


def _code_faults(style: Style) -> Iterator[Fault]:
    """The two-dimensional code may hold metadata elements, which every licence has, and must be read by a phone."""
    if style.qr is None:
        return
    where, text = pointer("qr", "text"), style.qr.text
    if not _readable(text):
        yield _unreadable(where, text)
        return
    codes = _codes(text)
    unknown = [code for code in codes if code not in FACE_CODES]
    for code in unknown:
        yield _UNKNOWN_ITEM.at(where, code, code=code)
    if unknown:
        return
    samples = {field.code: field.sample for field in style.fields}
    values = {code: samples.get(code, _LONGEST_IDENTIFIER) for code in codes}
    try:
        module = style.qr.size / len(qr_rows(text.format(**values)))
    except InternalError:
        yield _TOO_LONG.at(where, text, name="QR")
        return
    if module < _LEAST_MODULE_MM:
        yield _SMALL_CODE.at(pointer("qr", "size"), module=f"{module:.2f}", least=_LEAST_MODULE_MM)


def _readable(template: str) -> bool:
    """Whether a text with places has nothing but names in its braces: no widths, conversions or attributes."""
    try:
        parsed = list(Formatter().parse(template))
    except ValueError:
        return False
    return all(
        name is None or (name.isidentifier() and not form and not turned) for _, name, form, turned in parsed
    )


def _codes(template: str) -> list[str]:
    return list(dict.fromkeys(name for _, name, _, _ in Formatter().parse(template) if name is not None))


class _Placed(NamedTuple):
    where: str
    name: str
    text: str
    missing: tuple[str, ...]
    fits: bool


def _text_faults(texts: Iterable[_Placed]) -> Iterator[Fault]:
    for where, name, text, missing, fits in texts:
        if missing:
            yield _GLYPHS.at(where, text, characters=" ".join(missing))
        elif not fits:
            yield _TOO_LONG.at(where, text, name=name)


def _texts(style: Style) -> Iterator[_Placed]:
    for index, field in enumerate(style.fields):
        yield _placed(style, pointer("field", index, "sample"), field, field.sample)
    for index, label in enumerate(style.labels):
        missing = tuple(style.typeface.missing_glyphs(label.text))
        fits = set_text(label.text, label.box, label.rule(wrap=True), style.typeface) is not None
        yield _Placed(pointer("label", index, "text"), label.text, label.text, missing, fits)


def _meanings(style: Style, licence_type: LicenceType | None) -> Iterator[_Placed]:
    """Every meaning that a field of an item with a code table may have to print."""
    items = licence_type.items if licence_type else {}
    for index, field in enumerate(style.fields):
        meanings = items[field.code].codes.values() if field.code in items else ()
        for meaning in meanings:
            yield _placed(style, pointer("field", index), field, meaning)


def _placed(style: Style, where: str, field: FieldPlace, text: str) -> _Placed:
    missing = tuple(style.typeface.missing_glyphs(text))
    fits = set_text(text, field.box, field.rule(wrap=field.wrap), style.typeface) is not None
    return _Placed(where, field.name, text, missing, fits)


def _place_faults(style: Style) -> Iterator[Fault]:
    places = list(_places(style))
    page = Box(0, 0, style.page_width, style.page_height)
    for where, name, box in places:
        inside = (
            box.x >= 0
            and box.y >= 0
            and box.x + box.width <= page.width
            and box.y + box.height <= page.height
        )
        if not inside:
            yield _OFF_PAGE.at(where, name=name)
    places.pop()  # the seal, which may lie over text
    for (where, name, box), (_, other, taken) in combinations(places, 2):
        if box.overlaps(taken):
            yield _OVERLAP.at(where, name=name, other=other)


def _places(style: Style) -> Iterable[tuple[str, str, Box]]:
    for index, field in enumerate(style.fields):
        yield pointer("field", index), field.name, field.box
    for index, label in enumerate(style.labels):
        yield pointer("label", index), label.text, label.box
    if style.qr:
        yield pointer("qr"), "QR", style.qr.box
    yield pointer("seal"), "seal", style.seal.box
