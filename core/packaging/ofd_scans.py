"""The OFD of scanned pages: one picture a page, under the style's watermark, with the same data as a composed licence."""

from core.packaging import ofd_layout as at
from core.packaging.layout import Box
from core.packaging.markup import PROLOGUE, XMLNS
from core.packaging.ofd_members import data_members
from core.packaging.ofd_static import (
    annotations,
    attachments,
    document,
    image_object,
    page_area,
    public_resources,
    resources,
    signatures,
    watermark,
)
from core.packaging.ofd_template import SigningTemplate
from core.packaging.ofd_writer import Draft, draft_of_members
from core.packaging.request import PackageRequest, Waiting
from core.packaging.scans import SCANNED, ScanPage, stamp_box
from core.packaging.style import Style, watermark_centres
from core.sealing.seal import Seal

_NUMBERS_PER_PAGE = 4
"""Of the page, its picture, its layer and the picture's place."""


def draft_of_scans(
    request: PackageRequest, pages: list[ScanPage], style: Style, seal: Seal
) -> Draft | Waiting:
    """The draft of scanned pages, to be sealed on the last of them."""
    stamps = [(_page_id(len(pages) - 1), stamp_box(pages[-1], style))]
    members = _members(request, pages, style)
    return draft_of_members(request, members, stamps, _template(style, seal), seal)


def _page_id(index: int) -> int:
    return at.FIRST_SCAN_ID + _NUMBERS_PER_PAGE * index


_templates: dict[tuple[str, bytes, str], SigningTemplate] = {}


def _template(style: Style, seal: Seal) -> SigningTemplate:
    key = (style.ofd_font, seal.der, seal.suite.digest_name)
    if key not in _templates:
        contents = {
            at.PUBLIC_RESOURCES: public_resources(style.ofd_font),
            at.ATTACHMENTS: attachments(),
            at.SIGNATURES: signatures(),
            at.SEAL: seal.der,
        }
        _templates[key] = SigningTemplate(contents, seal)
    return _templates[key]


def _members(request: PackageRequest, pages: list[ScanPage], style: Style) -> dict[str, bytes]:
    members = data_members(request, {}, SCANNED)
    names = [f"scan_{index}{page.suffix}" for index, page in enumerate(pages)]
    marks, largest = _watermarks(pages, style)
    members[at.DOCUMENT] = _document(pages, largest, marked=bool(marks))
    members[at.DOCUMENT_RESOURCES] = resources(
        [(_page_id(index) + 1, name) for index, name in enumerate(names)]
    )
    for index, (page, name) in enumerate(zip(pages, names, strict=True)):
        members[f"Doc_0/Pages/Page_{index}/Content.xml"] = _content(_page_id(index), page)
        members[at.RESOURCE_FOLDER + name] = page.image
    return members | marks


def _watermarks(pages: list[ScanPage], style: Style) -> tuple[dict[str, bytes], int]:
    """The annotation members, and the largest number used in the document."""
    number = _page_id(len(pages))
    if style.watermark is None:
        return {}, number
    members = {at.ANNOTATIONS: annotations([_page_id(index) for index in range(len(pages))])}
    for index, page in enumerate(pages):
        box = Box(0, 0, page.width_mm, page.height_mm)
        name = f"Doc_0/Annots/Page_{index}/Annotation.xml"
        members[name] = watermark(style, box, number, first_text=number + 1)
        number += 1 + sum(1 for _ in watermark_centres(style.watermark, box.width, box.height))
    return members, number


def _document(pages: list[ScanPage], largest: int, *, marked: bool) -> bytes:
    listed = "".join(
        f'<ofd:Page ID="{_page_id(index)}" BaseLoc="Pages/Page_{index}/Content.xml"/>'
        for index in range(len(pages))
    )
    lists = "<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations>" if marked else ""
    first = pages[0]
    return document(page_area(first.width_mm, first.height_mm), "", listed, lists, largest=largest)


def _content(page_id: int, page: ScanPage) -> bytes:
    box = Box(0, 0, page.width_mm, page.height_mm)
    return (
        f"{PROLOGUE}<ofd:Page {XMLNS}><ofd:Area>{page_area(box.width, box.height)}</ofd:Area><ofd:Content>"
        f'<ofd:Layer ID="{page_id + 2}" Type="Body">{image_object(page_id + 3, box, page_id + 1)}</ofd:Layer>'
        "</ofd:Content></ofd:Page>"
    ).encode()
