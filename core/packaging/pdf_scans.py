"""The PDF of scanned pages: one picture a page, under the style's watermark, with the same data as a composed licence."""

import zlib
from collections.abc import Callable
from io import BytesIO

from PIL import Image

from core.packaging import pdf_layout as at
from core.packaging.layout import Box
from core.packaging.metadata import licence_json
from core.packaging.pdf_document import (
    Revision,
    SealedPage,
    attached_files,
    base_revision,
    catalog,
    xmp_object,
)
from core.packaging.pdf_font import FontSet, subset_font
from core.packaging.pdf_objects import indirect, points, stream
from core.packaging.pdf_template import PdfTemplate, marking_objects, page_watermark
from core.packaging.pdf_text import draw_picture
from core.packaging.pdf_writer import PdfDraft, draft_of_revision
from core.packaging.request import PackageRequest, Waiting
from core.packaging.scans import SCANNED, ScanPage, holds_pdf_marks, stamp_box
from core.packaging.style import Style

_BITS_PER_BYTE = 8


def draft_of_scanned_pdf(
    request: PackageRequest, pages: list[ScanPage], style: Style, seal_picture: bytes, room_bytes: int
) -> PdfDraft | Waiting:
    """The draft of scanned pages, ready to be signed with a value of at most ``room_bytes``; the seal shows on the last page."""
    template = _template(style, seal_picture)

    def revision(metadata: bytes) -> Revision:
        return _revision(request, pages, template, metadata)

    return draft_of_revision(request, template, revision, room_bytes)


_templates: dict[tuple[str, bytes], PdfTemplate] = {}


def _template(style: Style, seal_picture: bytes) -> PdfTemplate:
    """What all scanned licences of a style and seal share; its font holds the watermark alone."""
    key = (style.digest, seal_picture)
    if key not in _templates:
        font = subset_font(style.typeface, set(style.watermark.text) if style.watermark else {" "})
        _templates[key] = PdfTemplate(style, font, marking_objects(style, font, seal_picture))
    return _templates[key]


def _revision(
    request: PackageRequest, pages: list[ScanPage], template: PdfTemplate, metadata: bytes
) -> Revision:
    style = template.style
    numbers = [at.FIRST_SCAN + at.OBJECTS_PER_SCAN * index for index in range(len(pages))]
    children = " ".join(f"{number} 0 R" for number in numbers)
    objects = {
        at.CATALOG: indirect(at.CATALOG, catalog("")),
        at.PAGES: indirect(at.PAGES, f"<</Type/Pages/Count {len(pages)}/Kids[{children}]>>"),
        at.XMP: xmp_object(request),
        **attached_files(request, metadata, licence_json(request, {}, SCANNED)),
    }
    for number, page in zip(numbers, pages, strict=True):
        objects[number] = indirect(number, _page_writer(number, page)(""))
        objects[number + 1] = stream(number + 1, "", _content(template, page).encode())
        objects[number + 2] = _image(number + 2, page)
    last = pages[-1]
    sealed = SealedPage(numbers[-1], last.height_mm, stamp_box(last, style), _page_writer(numbers[-1], last))
    return base_revision(request, template, objects, numbers[-1] + at.OBJECTS_PER_SCAN, sealed)


def _page_writer(number: int, page: ScanPage) -> Callable[[str], str]:
    head = (
        f"<</Type/Page/Parent {at.PAGES} 0 R/MediaBox[0 0 {points(page.width_mm)} {points(page.height_mm)}]"
        f"/Resources<</XObject<</{at.BASE_IMAGE_NAME} {number + 2} 0 R>>"
        f"/Font<</{at.SHARED_FONT_NAME} {at.SHARED_FONT} 0 R>>"
        f"/ExtGState<</{at.WATERMARK_STATE_NAME} {at.WATERMARK_STATE} 0 R>>>>"
        f"/Group<</Type/Group/S/Transparency/CS/DeviceRGB>>/Contents {number + 1} 0 R"
    )
    return lambda entries: f"{head}{entries}>>"


def _content(template: PdfTemplate, page: ScanPage) -> str:
    picture = draw_picture(at.BASE_IMAGE_NAME, Box(0, 0, page.width_mm, page.height_mm), page.height_mm)
    fonts = FontSet((at.SHARED_FONT_NAME, template.font))
    return picture + page_watermark(template.style, fonts, page.width_mm, page.height_mm)


def _image(number: int, page: ScanPage) -> bytes:
    """The page's picture: a JPEG as it is, a bilevel page as its bits."""
    with Image.open(BytesIO(page.image)) as picture:
        size = f"/Type/XObject/Subtype/Image/Width {picture.width}/Height {picture.height}"
        if picture.format == "JPEG":
            space = "DeviceGray" if picture.mode == "L" else "DeviceRGB"
            entries = f"/Filter/DCTDecode{size}/BitsPerComponent {_BITS_PER_BYTE}/ColorSpace/{space}"
            return stream(number, entries, page.image, packed=False)
        return _bilevel(number, f"{size}/BitsPerComponent 1/ColorSpace/DeviceGray", picture.tobytes())


def _bilevel(number: int, entries: str, bits: bytes) -> bytes:
    """Deflated bits; in hexadecimal where deflate left them as they are and they spell a word of PDF syntax."""
    written = stream(number, entries, bits)
    if not holds_pdf_marks(written):
        return written
    packed = zlib.compress(bits).hex().encode() + b">"
    return stream(number, f"/Filter[/ASCIIHexDecode/FlateDecode]{entries}", packed, packed=False)
