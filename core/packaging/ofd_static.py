"""The parts of an OFD that every licence of a style and seal shares: template page, resources, watermark, lists, seal."""

import math
from collections.abc import Iterator

from core.packaging import ofd_layout as at
from core.packaging.layout import MM_PER_PT, Box, TextRule, set_text
from core.packaging.markup import PROLOGUE, XMLNS, boundary, escape, number, numbers, text_object
from core.packaging.style import Style, Watermark, watermark_centres
from core.sealing.seal import Seal

_IMAGE_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
_WATERMARK_ROOM = 1.02
"""The watermark's box is 2 % wider than its text, so that a reader's rounding never clips it."""


def static_members(style: Style, seal: Seal) -> dict[str, bytes]:
    """Content of each static member by name, in their order in the file."""
    return {
        at.DOCUMENT: _document(style),
        at.PUBLIC_RESOURCES: public_resources(style.ofd_font),
        at.DOCUMENT_RESOURCES: _resources(style),
        at.RESOURCE_FOLDER + style.base_image_member: style.base_image,
        at.TEMPLATE_PAGE: _template_page(style),
        at.ANNOTATIONS: annotations([at.PAGE_ID]),
        at.PAGE_ANNOTATION: watermark(
            style,
            Box(0, 0, style.page_width, style.page_height),
            at.WATERMARK_ID,
            first_text=at.FIRST_WATERMARK_TEXT_ID,
        ),
        at.CUSTOM_TAGS: custom_tags(),
        at.ATTACHMENTS: attachments(),
        at.SIGNATURES: signatures(),
        at.SEAL: seal.der,
    }


def _xml(body: str) -> bytes:
    return (PROLOGUE + body).encode()


def page_area(width: float, height: float) -> str:
    """PhysicalBox of a page or document."""
    return f"<ofd:PhysicalBox>0 0 {number(width)} {number(height)}</ofd:PhysicalBox>"


def _document(style: Style) -> bytes:
    return document(
        page_area(style.page_width, style.page_height),
        f'<ofd:TemplatePage ID="{at.TEMPLATE_ID}" BaseLoc="Tpls/Tpl_0/Content.xml"/>',
        f'<ofd:Page ID="{at.PAGE_ID}" BaseLoc="Pages/Page_0/Content.xml"/>',
        "<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations><ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags>",
    )


def document(area: str, template: str, pages: str, lists: str, *, largest: int = at.MAX_ID) -> bytes:
    """Document.xml; ``largest`` is no less than any object number in the document."""
    return _xml(
        f"<ofd:Document {XMLNS}><ofd:CommonData><ofd:MaxUnitID>{largest}</ofd:MaxUnitID>"
        f"<ofd:PageArea>{area}</ofd:PageArea>"
        f"<ofd:PublicRes>PublicRes.xml</ofd:PublicRes><ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>{template}"
        f"</ofd:CommonData><ofd:Pages>{pages}</ofd:Pages>{lists}"
        "<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments></ofd:Document>"
    )


def public_resources(font: str) -> bytes:
    """PublicRes.xml with the one font."""
    name = escape(font)
    return _xml(
        f'<ofd:Res {XMLNS} BaseLoc="Res"><ofd:Fonts><ofd:Font ID="{at.FONT_ID}" FontName="{name}" FamilyName="{name}"/>'
        "</ofd:Fonts></ofd:Res>"
    )


def _resources(style: Style) -> bytes:
    pictures = [(at.BASE_IMAGE_ID, style.base_image_member)]
    if style.qr:
        pictures.append((at.QR_IMAGE_ID, at.QR_PICTURE.rpartition("/")[2]))
    return resources(pictures)


def resources(pictures: list[tuple[int, str]]) -> bytes:
    """DocumentRes.xml of pictures in the resource folder: (object number, file name)."""
    media = "".join(
        f'<ofd:MultiMedia ID="{number_}" Type="Image" Format="{_IMAGE_FORMATS[name[name.rindex(".") :]]}">'
        f"<ofd:MediaFile>{escape(name)}</ofd:MediaFile></ofd:MultiMedia>"
        for number_, name in pictures
    )
    return _xml(f'<ofd:Res {XMLNS} BaseLoc="Res"><ofd:MultiMedias>{media}</ofd:MultiMedias></ofd:Res>')


def image_object(object_id: int, box: Box, resource: int) -> str:
    """An ImageObject that fills ``box``."""
    return (
        f'<ofd:ImageObject ID="{object_id}" Boundary="{boundary(box)}" '
        f'CTM="{number(box.width)} 0 0 {number(box.height)} 0 0" ResourceID="{resource}"/>'
    )


def _template_page(style: Style) -> bytes:
    page = Box(0, 0, style.page_width, style.page_height)
    labels = "".join(_labels(style))
    return _xml(
        f"<ofd:Page {XMLNS}><ofd:Area>{page_area(page.width, page.height)}</ofd:Area><ofd:Content>"
        f'<ofd:Layer ID="{at.BACKGROUND_LAYER_ID}" Type="Background">'
        f"{image_object(at.BASE_OBJECT_ID, page, at.BASE_IMAGE_ID)}{labels}</ofd:Layer></ofd:Content></ofd:Page>"
    )


def _labels(style: Style) -> Iterator[str]:
    for index, label in enumerate(style.labels):
        placed = set_text(label.text, label.box, label.rule(wrap=True), style.typeface)
        if placed:
            yield text_object(
                at.FIRST_LABEL_ID + index, label.box, placed, font=at.FONT_ID, colour=label.colour
            )


def annotations(pages: list[int]) -> bytes:
    """Annotations.xml: the annotation file of each page, by the pages' numbers in their order."""
    listed = "".join(
        f'<ofd:Page PageID="{page}"><ofd:FileLoc>Page_{index}/Annotation.xml</ofd:FileLoc></ofd:Page>'
        for index, page in enumerate(pages)
    )
    return _xml(f"<ofd:Annotations {XMLNS}>{listed}</ofd:Annotations>")


def watermark(style: Style, page: Box, annotation_id: int, *, first_text: int) -> bytes:
    """Annotation.xml of a page: the style's watermark over all of it, its texts numbered from ``first_text``."""
    mark = style.watermark
    annotation = _watermark_annotation(style, mark, page, annotation_id, first_text) if mark else ""
    return _xml(f"<ofd:PageAnnot {XMLNS}>{annotation}</ofd:PageAnnot>")


def _watermark_annotation(
    style: Style, mark: Watermark, page: Box, annotation_id: int, first_text: int
) -> str:
    texts = "".join(
        _watermark_text(style, mark, first_text + index, centre)
        for index, centre in enumerate(watermark_centres(mark, page.width, page.height))
    )
    return (
        f'<ofd:Annot ID="{annotation_id}" Type="Watermark" Creator="Licence Hub" LastModDate="{style.released}" '
        f'ReadOnly="true" NoZoom="true" NoRotate="true">'
        f'<ofd:Appearance Boundary="{boundary(page)}">{texts}</ofd:Appearance></ofd:Annot>'
    )


def _watermark_text(style: Style, mark: Watermark, object_id: int, centre: tuple[float, float]) -> str:
    size_mm = mark.size_pt * MM_PER_PT
    length = style.typeface.width_em(mark.text) * size_mm * _WATERMARK_ROOM
    flat = Box(0, 0, length, size_mm * 1.2)
    text = set_text(
        mark.text, flat, TextRule(size_pt=mark.size_pt, wrap=False, align="center"), style.typeface
    )
    if text is None:
        return ""
    cosine, sine = math.cos(math.radians(mark.angle)), math.sin(math.radians(mark.angle))
    width, height = length * cosine + flat.height * sine, length * sine + flat.height * cosine
    box = Box(centre[0] - width / 2, centre[1] - height / 2, width, height)
    turned = text_object(object_id, box, text, font=at.FONT_ID, colour=mark.colour)
    matrix = numbers((cosine, -sine, sine, cosine, 0, length * sine))
    return turned.replace(
        "<ofd:TextObject ", f'<ofd:TextObject CTM="{matrix}" Alpha="{round(mark.opacity * 255)}" ', 1
    )


def custom_tags() -> bytes:
    """CustomTags.xml: one list, the face items."""
    return _xml(
        f'<ofd:CustomTags {XMLNS}><ofd:CustomTag NameSpace="{at.FACE_ITEMS_NAMESPACE}">'
        "<ofd:FileLoc>FaceItems.xml</ofd:FileLoc></ofd:CustomTag></ofd:CustomTags>"
    )


def attachments() -> bytes:
    """Attachments.xml: metadata and licence."""
    return _xml(
        f"<ofd:Attachments {XMLNS}>"
        f'<ofd:Attachment ID="{at.METADATA_ID}" Name="{at.METADATA_ATTACHMENT}" Format="xml" Usage="metadata">'
        "<ofd:FileLoc>metadata.xml</ofd:FileLoc></ofd:Attachment>"
        f'<ofd:Attachment ID="{at.LICENCE_ID}" Name="{at.LICENCE_ATTACHMENT}" Format="json" Usage="data">'
        "<ofd:FileLoc>licence.json</ofd:FileLoc></ofd:Attachment></ofd:Attachments>"
    )


def signatures() -> bytes:
    """Signatures.xml: the one seal; being signed over itself it closes the document."""
    return _xml(
        f"<ofd:Signatures {XMLNS}><ofd:MaxSignId>{at.SIGNATURE_ID}</ofd:MaxSignId>"
        f'<ofd:Signature ID="{at.SIGNATURE_ID}" Type="Seal" BaseLoc="Sign_0/Signature.xml"/></ofd:Signatures>'
    )
