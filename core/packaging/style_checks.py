"""What may be wrong with a style that reads well: items, samples, glyphs, places, picture."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import combinations
from string import Formatter

from PIL import Image, UnidentifiedImageError

from contracts.fault import Fault, Rule, pointer
from contracts.licence_type import LicenceType
from core.packaging.layout import Box, set_text
from core.packaging.style import Style
from core.packaging.values import FACE_CODES, OTHER_ITEMS

_PROPORTION_TOLERANCE = 0.01
FILE = Rule(
    code="style.file",
    en="{name} cannot be read: {why}.",
    zh="无法读取 {name}:{why}。",
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
        *_text_faults(style),
        *_place_faults(style),
    ]


def _picture_faults(style: Style) -> Iterator[Fault]:
    try:
        with Image.open(BytesIO(style.base_image)) as picture:
            image = picture.width / picture.height
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        yield FILE.at("/base_image", name=style.base_image_name, why=error)
        return
    page = style.page_width / style.page_height
    if abs(image / page - 1) > _PROPORTION_TOLERANCE:
        yield _PROPORTIONS.at("/base_image", image=f"{image:.3f}", page=f"{page:.3f}")


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
    for code in _qr_codes(style) - FACE_CODES:
        yield _UNKNOWN_ITEM.at(pointer("qr", "text"), code, code=code)


def _qr_codes(style: Style) -> set[str]:
    """Codes in the text of the two-dimensional code: it may hold metadata elements, which every licence has."""
    try:
        parsed = list(Formatter().parse(style.qr.text)) if style.qr else []
    except ValueError:
        return {style.qr.text} if style.qr else set()
    return {name for _, name, _, _ in parsed if name is not None}


def _text_faults(style: Style) -> Iterator[Fault]:
    for where, name, text, fits in _texts(style):
        missing = style.typeface.missing_glyphs(text)
        if missing:
            yield _GLYPHS.at(where, text, characters=" ".join(missing))
        elif not fits:
            yield _TOO_LONG.at(where, text, name=name)


def _texts(style: Style) -> Iterator[tuple[str, str, str, bool]]:
    for index, field in enumerate(style.fields):
        fits = set_text(field.sample, field.box, field.rule(wrap=field.wrap), style.typeface) is not None
        yield pointer("field", index, "sample"), field.name, field.sample, fits
    for index, label in enumerate(style.labels):
        fits = set_text(label.text, label.box, label.rule(wrap=True), style.typeface) is not None
        yield pointer("label", index, "text"), label.text, label.text, fits


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
