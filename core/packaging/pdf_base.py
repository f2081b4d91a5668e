"""The base revision of a licence's PDF: catalogue, page, text, code picture, attached data, metadata."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from core.packaging import pdf_layout as at
from core.packaging.face import Face, drawn_text
from core.packaging.metadata import CHINA_TIME, document_id, licence_json
from core.packaging.pdf_font import FontSet, SubsetFont, font_objects, subset_font
from core.packaging.pdf_objects import first_table, indirect, offsets, points, stream, text_string
from core.packaging.pdf_template import PdfTemplate
from core.packaging.pdf_text import draw_picture, draw_text
from core.packaging.qr import qr_rows
from core.packaging.qr_picture import packed
from core.packaging.request import PackageRequest
from core.packaging.xmp import xmp_packet

_SIZE = at.LAST_OWN + 1
METADATA_NAME, LICENCE_NAME = "metadata.xml", "licence.json"


class Revision(msgspec.Struct, frozen=True):
    """What the signing section needs of the revision it follows."""

    data: bytes
    """From the end of the shared part to ``%%EOF``."""
    table_at: int
    """Where its cross-reference table begins in the file."""
    catalog: Callable[[str], str]
    """The catalogue with further entries."""
    page: Callable[[str], str]
    """The page with further entries."""

    def trailer(self, request: PackageRequest, entries: str) -> bytes:
        """Trailer up to the number after ``startxref``."""
        mark = document_id(request)
        return f"trailer\n<<{entries}/Root {at.CATALOG} 0 R/ID[<{mark}><{mark}>]>>\nstartxref\n".encode()


def base_revision(request: PackageRequest, template: PdfTemplate, face: Face, metadata: bytes) -> Revision:
    """The first revision, complete in itself."""
    own_font = _own_font(template, face)
    objects = {
        at.CATALOG: indirect(at.CATALOG, _catalog("")),
        at.PAGES: indirect(at.PAGES, f"<</Type/Pages/Count 1/Kids[{at.PAGE} 0 R]>>"),
        at.CONTENT: stream(at.CONTENT, "", _content(template, face, own_font).encode()),
        at.XMP: stream(at.XMP, "/Type/Metadata/Subtype/XML", xmp_packet(request), packed=False),
        **_attached(request, template, face, metadata),
    }
    if face.qr_text:
        objects[at.QR_IMAGE] = _qr_image(face.qr_text)
    if own_font:
        written = font_objects(at.OWN_FONT, own_font)
        objects.update(zip(range(at.OWN_FONT, at.LAST_OWN + 1), written, strict=True))
    page = _page_writer(template, with_code=bool(face.qr_text), with_font=own_font is not None)
    objects[at.PAGE] = indirect(at.PAGE, page(""))
    body = b"".join(objects.values())
    start = len(template.template.members)
    places = template.places | offsets(objects, start)
    table_at = start + len(body)
    revision = Revision(b"", table_at, _catalog, page)
    trailer = revision.trailer(request, f"/Size {_SIZE}")
    end = b"".join((first_table(places, _SIZE), trailer, b"%d\n%%%%EOF\n" % table_at))
    return msgspec.structs.replace(revision, data=body + end)


def pdf_date(moment: datetime) -> str:
    """A date string: ``D:20261123183000+08'00'``."""
    return f"{moment.astimezone(CHINA_TIME):D:%Y%m%d%H%M%S}+08'00'"


def _own_font(template: PdfTemplate, face: Face) -> SubsetFont | None:
    drawn = set().union(*(line.text for item in face.texts for line in item.set.lines))
    rest = drawn - template.font.codes.keys()
    return subset_font(template.style.typeface, rest) if rest else None


def _catalog(entries: str) -> str:
    return (
        f"<</Type/Catalog/Pages {at.PAGES} 0 R/Metadata {at.XMP} 0 R/OutputIntents[{at.OUTPUT_INTENT} 0 R]"
        f"/AF[{at.METADATA_SPEC} 0 R {at.LICENCE_SPEC} 0 R]/Names<</EmbeddedFiles<</Names"
        f"[({LICENCE_NAME}){at.LICENCE_SPEC} 0 R({METADATA_NAME}){at.METADATA_SPEC} 0 R]>>>>"
        f"/Lang(zh-CN)/ViewerPreferences<</DisplayDocTitle true>>{entries}>>"
    )


def _page_writer(template: PdfTemplate, *, with_code: bool, with_font: bool) -> Callable[[str], str]:
    style = template.style
    pictures = f"/{at.BASE_IMAGE_NAME} {at.BASE_IMAGE} 0 R" + (
        f"/{at.QR_NAME} {at.QR_IMAGE} 0 R" if with_code else ""
    )
    fonts = f"/{at.SHARED_FONT_NAME} {at.SHARED_FONT} 0 R"
    fonts += f"/{at.OWN_FONT_NAME} {at.OWN_FONT} 0 R" if with_font else ""
    states = f"/ExtGState<</GSw {at.WATERMARK_STATE} 0 R>>"
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


def _attached(
    request: PackageRequest, template: PdfTemplate, face: Face, metadata: bytes
) -> dict[int, bytes]:
    """Metadata XML and licence JSON as associated files (ISO 19005-3, 6.8)."""
    texts = {item.field.code: drawn_text(item.text) for item in face.texts}
    licence = licence_json(request, texts, template.style.ident)
    moment = pdf_date(request.made_at)
    return {
        at.METADATA_FILE: _file(at.METADATA_FILE, "text#2Fxml", metadata, moment),
        at.METADATA_SPEC: _file_spec(
            at.METADATA_SPEC, METADATA_NAME, at.METADATA_FILE, "metadata, GB/T 36903"
        ),
        at.LICENCE_FILE: _file(at.LICENCE_FILE, "application#2Fjson", licence, moment),
        at.LICENCE_SPEC: _file_spec(at.LICENCE_SPEC, LICENCE_NAME, at.LICENCE_FILE, "licence record"),
    }


def _file(number: int, kind: str, data: bytes, moment: str) -> bytes:
    parameters = f"/Params<</Size {len(data)}/ModDate({moment})>>"
    return stream(number, f"/Type/EmbeddedFile/Subtype/{kind}{parameters}", data)


def _file_spec(number: int, name: str, file: int, description: str) -> bytes:
    return indirect(
        number,
        f"<</Type/Filespec/F({name})/UF{text_string(name)}/AFRelationship/Data/Desc{text_string(description)}"
        f"/EF<</F {file} 0 R/UF {file} 0 R>>>>",
    )
