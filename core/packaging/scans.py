"""Faces made of scanned pages (source classes A, B, C): pages in the order given, each the right way up."""

from collections.abc import Iterator
from io import BytesIO
from typing import Literal

import msgspec
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from contracts.fault import Fault, Rule, pointer
from contracts.record import LicenceRecord, SourceClass
from core.packaging.layout import Box
from core.packaging.request import PackageRequest, Waiting
from core.packaging.style import Style

SCANNED_CLASSES = {SourceClass.TYPED, SourceClass.MATERIAL, SourceClass.APPROVAL}
"""Source classes whose face is made of the scans that came with the record."""
_MM_PER_INCH = 25.4
_A4_LONG_MM = 297.0
_LEAST_DPI, _MOST_DPI = 99.5, 1200.5
"""72 and 96 are what cameras and programs write when they do not know."""
MOST_PIXELS = 120_000_000
MOST_PAGES = 100
_MOST_BYTES = 48 * 1024 * 1024
"""Of all pages together: the sealed file stays well under what a verifier reads (``core.verification.limits``)."""
_QUALITY = 88
SCAN_FORMATS = ("JPEG", "PNG", "TIFF")
_UPRIGHT = 1
_ORIENTATION = 0x0112
_SEAL_MARGIN_MM = 20.0
_PDF_MARKS = (b"/ByteRange", b"/EmbeddedFile")
"""Words by which verification finds signatures and data in a PDF: no picture may bring them along."""
SCANNED = "scans"
"""Stands in the licence JSON where composed faces name their style."""
_UNREADABLE = Rule(
    code="scan.unreadable",
    en="Scan {number} cannot be read as JPEG, PNG or TIFF: {why}.",
    zh="第 {number} 个扫描件无法按 JPEG、PNG 或 TIFF 读取：{why}。",
    remedy_en="Scan it again and send it as JPEG, PNG or TIFF.",
    remedy_zh="请重新扫描并以 JPEG、PNG 或 TIFF 报送。",
)
_TOO_MUCH = Rule(
    code="scan.too-much",
    en="The scans are too large: {what}.",
    zh="扫描件过大：{what}。",
    remedy_en="Send at most 100 pages of at most 120 million pixels each, 48 MB in all.",
    remedy_zh="最多报送 100 页，每页不超过 1.2 亿像素，合计不超过 48 MB。",
)


class ScanPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page, upright."""

    image: bytes
    suffix: Literal[".jpg", ".png"]
    width_mm: float
    height_mm: float


def is_scanned(record: LicenceRecord) -> bool:
    """Whether the face is made of scans: a record that came without any is composed from the style."""
    return record.source_class in SCANNED_CLASSES and bool(record.scans)


def scan_pages(scans: tuple[bytes, ...]) -> tuple[list[ScanPage], list[Fault]]:
    """The pages of scanned files in order (every frame of a TIFF is a page), turned as their EXIF orientation says.

    A JPEG that is upright already is kept byte for byte, unless it holds words that only PDF syntax should.
    """
    pages: list[ScanPage] = []
    faults: list[Fault] = []
    for index, scan in enumerate(scans):
        try:
            _gather(pages, scan)
        except (_TooLarge, Image.DecompressionBombError) as error:
            return pages, [*faults, _TOO_MUCH.at(pointer("scans", index), what=error)]
        except UnidentifiedImageError:
            faults.append(_unreadable(index, "unknown form"))
        except Exception as error:  # noqa: BLE001 whatever a damaged picture makes Pillow raise, it is no page
            faults.append(_unreadable(index, f"{type(error).__name__} {error}"))
    return pages, faults


def _unreadable(index: int, why: str) -> Fault:
    return _UNREADABLE.at(pointer("scans", index), number=index + 1, why=why)


def _gather(pages: list[ScanPage], scan: bytes) -> None:
    """Appends the pages of a scan; raises ``_TooLarge`` as soon as all together are too many."""
    size = sum(len(page.image) for page in pages)
    for page in _pages(scan):
        pages.append(page)
        size += len(page.image)
        if len(pages) > MOST_PAGES:
            raise _TooLarge(f"more than {MOST_PAGES} pages")
        if size > _MOST_BYTES:
            raise _TooLarge(f"more than {_MOST_BYTES} bytes")


def holds_pdf_marks(data: bytes) -> bool:
    """Whether ``data`` spells a word by which verification finds the parts of a PDF."""
    return any(mark in data for mark in _PDF_MARKS)


class _TooLarge(Exception):
    pass


def _pages(scan: bytes) -> Iterator[ScanPage]:
    with Image.open(BytesIO(scan), formats=SCAN_FORMATS) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise _TooLarge(f"{picture.width} x {picture.height} pixels")
        orientation = picture.getexif().get(_ORIENTATION, _UPRIGHT)
        plain = picture.mode in ("RGB", "L") and not holds_pdf_marks(scan)
        if picture.format == "JPEG" and orientation == _UPRIGHT and plain:
            picture.load()
            yield _page(picture, scan, ".jpg")
            return
        # what other formats hold behind the first picture (phones do that) is no page
        for frame in ImageSequence.Iterator(picture) if picture.format == "TIFF" else (picture,):
            if frame.width * frame.height > MOST_PIXELS:
                raise _TooLarge(f"{frame.width} x {frame.height} pixels")
            yield _written(ImageOps.exif_transpose(frame), frame.info)


def _written(picture: Image.Image, information: dict[str | tuple[int, int], object]) -> ScanPage:
    picture.info.setdefault("dpi", information.get("dpi"))
    out = BytesIO()
    if picture.mode == "1":
        picture.save(out, "PNG", optimize=True)
        return _page(picture, out.getvalue(), ".png")
    plain = picture if picture.mode in ("RGB", "L") else _plain(picture)
    plain.save(out, "JPEG", quality=_QUALITY, comment=b"")  # else Pillow copies the comment
    return _page(picture, out.getvalue(), ".jpg")


def _plain(picture: Image.Image) -> Image.Image:
    """Eight bits a channel, on white paper where parts are transparent."""
    if picture.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off instead of scaling
        return picture.point(lambda level: level * (1 / 256)).convert("L")
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    ink = picture.convert("RGBA")
    paper = Image.new("RGB", ink.size, (255, 255, 255))
    paper.paste(ink, (0, 0), ink)
    return paper


def _page(picture: Image.Image, data: bytes, suffix: Literal[".jpg", ".png"]) -> ScanPage:
    stated = picture.info.get("dpi") or (0, 0)
    dpi = float(stated[0])
    if not _LEAST_DPI <= dpi <= _MOST_DPI:
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


def stamp_box(last: ScanPage, style: Style) -> Box:
    """Where the seal is shown: on the last page at the lower right, in the size the style gives it."""
    size = style.seal
    return Box(
        max(last.width_mm - size.width - _SEAL_MARGIN_MM, 0.0),
        max(last.height_mm - size.height - _SEAL_MARGIN_MM, 0.0),
        size.width,
        size.height,
    )
