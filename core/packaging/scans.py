"""Faces made of scanned pages (source classes A, B, C): pages in the order given, each the right way up."""

from collections.abc import Iterator
from io import BytesIO
from typing import Literal

import msgspec
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from contracts.fault import Fault, Rule, pointer
from core.packaging import ofd_layout as at
from core.packaging.layout import Box
from core.packaging.markup import PROLOGUE, XMLNS
from core.packaging.ofd_members import data_members
from core.packaging.ofd_static import (
    attachments,
    document,
    image_object,
    page_area,
    public_resources,
    resources,
    signatures,
)
from core.packaging.ofd_template import SigningTemplate
from core.packaging.ofd_writer import Draft, draft_of_members
from core.packaging.request import PackageRequest, Waiting
from core.packaging.style import Style
from core.sealing.seal import Seal

_MM_PER_INCH = 25.4
_A4_LONG_MM = 297.0
_PLAUSIBLE_DPI = range(100, 1201)
"""72 and 96 are what cameras and programs write when they do not know."""
_MOST_PIXELS = 120_000_000
_MOST_PAGES = 100
_QUALITY = 88
_FORMATS = ("JPEG", "PNG", "TIFF")
_UPRIGHT = 1
_ORIENTATION = 0x0112
_SEAL_MARGIN_MM = 20.0
_UNREADABLE = Rule(
    code="scan.unreadable",
    en="Page {page} cannot be read as JPEG, PNG or TIFF: {why}.",
    zh="第 {page} 页无法按 JPEG、PNG 或 TIFF 读取：{why}。",
    remedy_en="Scan the page again and send it as JPEG, PNG or TIFF.",
    remedy_zh="请重新扫描该页并以 JPEG、PNG 或 TIFF 报送。",
)
_TOO_MUCH = Rule(
    code="scan.too-much",
    en="The scans are too large: {what}.",
    zh="扫描件过大：{what}。",
    remedy_en="Send at most 100 pages of at most 120 million pixels each.",
    remedy_zh="最多报送 100 页，每页不超过 1.2 亿像素。",
)


class ScanPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page, upright."""

    image: bytes
    suffix: Literal[".jpg", ".png"]
    width_mm: float
    height_mm: float


def scan_pages(scans: tuple[bytes, ...]) -> tuple[list[ScanPage], list[Fault]]:
    """The pages of scanned files in order (every frame of a TIFF is a page), turned as their EXIF orientation says.

    A JPEG that is upright already is kept byte for byte.
    """
    pages: list[ScanPage] = []
    faults: list[Fault] = []
    for index, scan in enumerate(scans):
        try:
            pages.extend(_pages(scan))
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            faults.append(_UNREADABLE.at(pointer("scans", index), page=index + 1, why=error))
        except (_TooLarge, Image.DecompressionBombError) as error:
            faults.append(_TOO_MUCH.at(pointer("scans", index), what=error))
    if len(pages) > _MOST_PAGES:
        faults.append(_TOO_MUCH.at(pointer("scans"), what=f"{len(pages)} pages"))
    return pages, faults


class _TooLarge(Exception):
    pass


def _pages(scan: bytes) -> Iterator[ScanPage]:
    with Image.open(BytesIO(scan), formats=_FORMATS) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            raise _TooLarge(f"{picture.width} x {picture.height} pixels")
        orientation = picture.getexif().get(_ORIENTATION, _UPRIGHT)
        if picture.format == "JPEG" and orientation == _UPRIGHT and picture.mode in ("RGB", "L"):
            picture.load()
            yield _page(picture, scan, ".jpg")
            return
        for frame in ImageSequence.Iterator(picture):
            if frame.width * frame.height > _MOST_PIXELS:
                raise _TooLarge(f"{frame.width} x {frame.height} pixels")
            yield _written(ImageOps.exif_transpose(frame), frame.info)


def _written(picture: Image.Image, information: dict[str | tuple[int, int], object]) -> ScanPage:
    picture.info.setdefault("dpi", information.get("dpi"))
    out = BytesIO()
    if picture.mode == "1":
        picture.save(out, "PNG", optimize=True)
        return _page(picture, out.getvalue(), ".png")
    plain = picture if picture.mode in ("RGB", "L") else _on_white(picture)
    plain.save(out, "JPEG", quality=_QUALITY)
    return _page(picture, out.getvalue(), ".jpg")


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    ink = picture.convert("RGBA")
    paper = Image.new("RGB", ink.size, (255, 255, 255))
    paper.paste(ink, (0, 0), ink)
    return paper


def _page(picture: Image.Image, data: bytes, suffix: Literal[".jpg", ".png"]) -> ScanPage:
    stated = picture.info.get("dpi") or (0, 0)
    dpi = float(stated[0])
    if round(dpi) not in _PLAUSIBLE_DPI:
        dpi = max(picture.size) * _MM_PER_INCH / _A4_LONG_MM
    width, height = (round(side * _MM_PER_INCH / dpi, 2) for side in picture.size)
    return ScanPage(image=data, suffix=suffix, width_mm=width, height_mm=height)


def read_scans(request: PackageRequest) -> list[ScanPage] | Waiting:
    """The pages of a request's scans, or why it cannot be packaged."""
    pages, faults = scan_pages(request.scans)
    if not faults:
        return pages
    return Waiting(
        licence_id=request.licence_id, version_no=request.version_no, state="failed", faults=tuple(faults)
    )


def draft_of_scans(
    request: PackageRequest, pages: list[ScanPage], style: Style, seal: Seal
) -> Draft | Waiting:
    """The draft of scanned pages, to be sealed on the last of them at the lower right."""
    last = pages[-1]
    size = style.seal
    stamp = Box(
        max(last.width_mm - size.width - _SEAL_MARGIN_MM, 0.0),
        max(last.height_mm - size.height - _SEAL_MARGIN_MM, 0.0),
        size.width,
        size.height,
    )
    stamps = [(_page_id(len(pages) - 1), stamp)]
    return draft_of_members(request, _members(request, pages), stamps, _template(style, seal), seal)


def _page_id(index: int) -> int:
    return at.FIRST_SCAN_ID + 4 * index


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


def _members(request: PackageRequest, pages: list[ScanPage]) -> dict[str, bytes]:
    members = data_members(request, {}, "scans")
    listed = "".join(
        f'<ofd:Page ID="{_page_id(index)}" BaseLoc="Pages/Page_{index}/Content.xml"/>'
        for index in range(len(pages))
    )
    first = pages[0]
    members[at.DOCUMENT] = document(page_area(first.width_mm, first.height_mm), "", listed, "")
    names = [f"scan_{index}{page.suffix}" for index, page in enumerate(pages)]
    members[at.DOCUMENT_RESOURCES] = resources(
        [(_page_id(index) + 1, name) for index, name in enumerate(names)]
    )
    for index, (page, name) in enumerate(zip(pages, names, strict=True)):
        members[f"Doc_0/Pages/Page_{index}/Content.xml"] = _content(_page_id(index), page)
        members[at.RESOURCE_FOLDER + name] = page.image
    return members


def _content(page_id: int, page: ScanPage) -> bytes:
    box = Box(0, 0, page.width_mm, page.height_mm)
    return (
        f"{PROLOGUE}<ofd:Page {XMLNS}><ofd:Area>{page_area(box.width, box.height)}</ofd:Area><ofd:Content>"
        f'<ofd:Layer ID="{page_id + 2}" Type="Body">{image_object(page_id + 3, box, page_id + 1)}</ofd:Layer>'
        "</ofd:Content></ofd:Page>"
    ).encode()
