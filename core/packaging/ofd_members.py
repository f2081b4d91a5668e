"""The parts of an OFD that are one licence's own: entry, page, code picture, face items, attachments."""

from functools import lru_cache

from core.packaging import ofd_layout as at
from core.packaging.container import STORED, member
from core.packaging.face import Face, drawn_text
from core.packaging.markup import PROLOGUE, XMLNS, escape, text_object
from core.packaging.metadata import document_information, licence_json, metadata_values, metadata_xml
from core.packaging.ofd_static import image_object
from core.packaging.qr import qr_rows
from core.packaging.qr_picture import qr_png
from core.packaging.request import PackageRequest
from core.packaging.style import Style
from core.packaging.values import values_of


def face_members(request: PackageRequest, style: Style, face: Face) -> dict[str, bytes]:
    """Content of each member of a composed face by name, in their order in the file."""
    texts = {item.field.code: drawn_text(item.text) for item in face.texts}
    members = data_members(request, texts, style.ident)
    members[at.PAGE] = _page(style, face)
    if face.qr_text:
        members[at.QR_PICTURE] = qr_png(qr_rows(face.qr_text))
    members[at.FACE_ITEMS] = _face_items(tuple((item.field.code, item.field.name) for item in face.texts))
    return members


def data_members(request: PackageRequest, face: dict[str, str], style_ident: str) -> dict[str, bytes]:
    """Entry and attachments, which every package has whatever its pages are."""
    metadata = metadata_values(values_of(request))
    return {
        at.DOCUMENT_ENTRY: _entry(document_information(request, metadata)),
        at.METADATA: metadata_xml(metadata),
        at.LICENCE: licence_json(request, face, style_ident),
    }


def final_bytes(members: dict[str, bytes]) -> bytes:
    """Members with their local headers, joined; pictures are stored, everything else is deflated."""
    pictures = (".png", ".jpg", ".tif")
    return b"".join(
        member(name, data, method=STORED) if name.endswith(pictures) else member(name, data)
        for name, data in members.items()
    )


def _entry(information: str) -> bytes:
    return (
        f'{PROLOGUE}<ofd:OFD {XMLNS} Version="1.0" DocType="OFD"><ofd:DocBody>{information}'
        f"<ofd:DocRoot>{at.DOCUMENT}</ofd:DocRoot><ofd:Signatures>{at.SIGNATURES}</ofd:Signatures>"
        "</ofd:DocBody></ofd:OFD>"
    ).encode()


def _page(style: Style, face: Face) -> bytes:
    texts = "".join(
        text_object(at.FIRST_FIELD_ID + index, item.box, item.set, font=at.FONT_ID, colour=item.field.colour)
        for index, item in enumerate(face.texts)
    )
    code = image_object(at.QR_OBJECT_ID, style.qr.box, at.QR_IMAGE_ID) if style.qr else ""
    return (
        f'{PROLOGUE}<ofd:Page {XMLNS}><ofd:Template TemplateID="{at.TEMPLATE_ID}" ZOrder="Background"/><ofd:Content>'
        f'<ofd:Layer ID="{at.BODY_LAYER_ID}" Type="Body">{code}{texts}</ofd:Layer></ofd:Content></ofd:Page>'
    ).encode()


@lru_cache(maxsize=1024)
def _face_items(fields: tuple[tuple[str, str], ...]) -> bytes:
    """The list for fields shown, each as (code, name): most licences of a style show the same."""
    items = "".join(
        f'<Item Code="{escape(code)}" Name="{escape(name)}">'
        f'<ObjectRef PageRef="{at.PAGE_ID}">{at.FIRST_FIELD_ID + index}</ObjectRef></Item>'
        for index, (code, name) in enumerate(fields)
    )
    return f'{PROLOGUE}<FaceItems xmlns="{at.FACE_ITEMS_NAMESPACE}">{items}</FaceItems>'.encode()
