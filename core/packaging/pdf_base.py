"""The base revision of a composed licence's PDF: one page with its text and code picture."""

from collections.abc import Callable

from core.packaging import pdf_layout as at
from core.packaging.face import Face, drawn_text
from core.packaging.metadata import licence_json
from core.packaging.pdf_document import (
    Revision,
    SealedPage,
    attached_files,
    base_revision,
    catalog,
    xmp_object,
)
from core.packaging.pdf_font import FontSet, SubsetFont, font_objects, subset_font
from core.packaging.pdf_objects import indirect, points, stream
from core.packaging.pdf_template import PdfTemplate
from core.packaging.pdf_text import draw_picture, draw_text
from core.packaging.qr import qr_rows
from core.packaging.qr_picture import packed
from core.packaging.request import PackageRequest


def face_revision(request: PackageRequest, template: PdfTemplate, face: Face, metadata: bytes) -> Revision:
    """The first revision of a composed face."""
    style = template.style
    own_font = _own_font(template, face)
    texts = {item.field.code: drawn_text(item.text) for item in face.texts}
    objects = {
        at.CATALOG: indirect(at.CATALOG, catalog("")),
        at.PAGES: indirect(at.PAGES, f"<</Type/Pages/Count 1/Kids[{at.PAGE} 0 R]>>"),
        at.CONTENT: stream(at.CONTENT, "", _content(template, face, own_font).encode()),
        at.XMP: xmp_object(request),
        **attached_files(request, metadata, licence_json(request, texts, style.ident)),
    }
    if face.qr_text:
        objects[at.QR_IMAGE] = _qr_image(face.qr_text)
    if own_font:
        written = font_objects(at.OWN_FONT, own_font)
        objects.update(zip(range(at.OWN_FONT, at.LAST_OWN + 1), written, strict=True))
    write = _page_writer(template, with_code=bool(face.qr_text), with_font=own_font is not None)
    objects[at.PAGE] = indirect(at.PAGE, write(""))
    page = SealedPage(at.PAGE, style.page_height, style.seal.box, write)
    return base_revision(request, template, objects, at.LAST_OWN + 1, page)


def _own_font(template: PdfTemplate, face: Face) -> SubsetFont | None:
    drawn = set().union(*(line.text for item in face.texts for line in item.set.lines))
    rest = drawn - template.font.codes.keys()
    return subset_font(template.style.typeface, rest) if rest else None


def _page_writer(template: PdfTemplate, *, with_code: bool, with_font: bool) -> Callable[[str], str]:
    style = template.style
    pictures = f"/{at.BASE_IMAGE_NAME} {at.BASE_IMAGE} 0 R" + (
        f"/{at.QR_NAME} {at.QR_IMAGE} 0 R" if with_code else ""
    )
    fonts = f"/{at.SHARED_FONT_NAME} {at.SHARED_FONT} 0 R"
    fonts += f"/{at.OWN_FONT_NAME} {at.OWN_FONT} 0 R" if with_font else ""
    states = f"/ExtGState<</{at.WATERMARK_STATE_NAME} {at.WATERMARK_STATE} 0 R>>"
    head = (
        f"<</Type/Page/Parent {at.PAGES} 0 R/MediaBox[0 0 {points(style.page_width)} {points(style.page_height)}]"
        f"/Resources<</XObject<<{pictures}>>/Font<<{fonts}>>{states}>>/Group<</Type/Group/S/Transparency/CS/DeviceRGB>>"
        f"/Contents[{at.GROUND} 0 R {at.CONTENT} 0 R]"
    )
    return lambda entries: f"{head}{entries}>>"


def _content(template: PdfTemplate, face: Face, own_font: SubsetFont | None) -> str:
    style = template.style
    own = (at.OWN_FONT_NAME, own_font) if own_font else None
    fonts = FontSet((at.SHARED_FONT_NAME, template.font), own)
    parts = [
        draw_text(item.set, item.box, style.page_height, fonts, item.field.colour, item.field.spacing_em)
        for item in face.texts
    ]
    if style.qr and face.qr_text:
        parts.append(draw_picture(at.QR_NAME, style.qr.box, style.page_height))
    return "".join(parts)


def _qr_image(text: str) -> bytes:
    rows = qr_rows(text)
    size = f"/Width {len(rows)}/Height {len(rows)}/BitsPerComponent 1/ColorSpace/DeviceGray/Interpolate false"
    return stream(at.QR_IMAGE, f"/Type/XObject/Subtype/Image{size}", b"".join(packed(rows)))
