"""What a received file is, by its own bytes: pictures that a face can be made of, sealed files of another library.

Files are read to their end, but nothing is unpacked, so that a file costs no more than its size.
"""

import os
import re
from typing import BinaryIO, cast

from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from contracts.fault import Fault, Rule
from core.packaging.picture_ends import Watched, jpeg_is_whole, png_is_whole, tiff_page_is_whole
from core.packaging.scans import MOST_PAGES, MOST_PIXELS, SCAN_FORMATS

_MEDIA = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff"}
"""Pillow calls a JPEG with a second picture inside (many phones) MPO."""
SCAN_MEDIA = tuple(dict.fromkeys(_MEDIA.values()))
_SHOWN_BYTES = 8

NOT_A_SCAN = Rule(
    code="scan.format",
    en="the bytes are no JPEG, PNG or TIFF picture ({why})",
    zh="文件内容不是 JPEG、PNG 或 TIFF 图像（{why}）",
    remedy_en="scan the page again and send it as JPEG, PNG or TIFF, whatever its name or Content-Type",
    remedy_zh="请重新扫描并以 JPEG、PNG 或 TIFF 报送，以文件内容为准，与文件名和 Content-Type 无关",
)
INCOMPLETE = Rule(
    code="scan.incomplete",
    en="the picture breaks off before its end, or is damaged; {size} bytes of it are here",
    zh="图像不完整或已损坏；收到 {size} 字节",
    remedy_en="compare the file with the one that was scanned, and send it whole",
    remedy_zh="请与扫描原文件核对，并完整报送",
)
TOO_MANY_PIXELS = Rule(
    code="scan.too-large",
    en="the picture declares more than {limit} pixels",
    zh="图像声明的像素超过 {limit}",
    remedy_en="scan the page at 300 dpi or less",
    remedy_zh="请以 300 dpi 或更低的分辨率扫描",
)
TOO_MANY_PAGES = Rule(
    code="scan.too-many-pages",
    en="the file has more than {limit} pages",
    zh="文件超过 {limit} 页",
    remedy_en="send the pages of one licence only",
    remedy_zh="请只报送一份证照的页面",
)
NOT_AN_ORIGINAL = Rule(
    code="original.format",
    en="the bytes are neither an OFD nor a PDF file",
    zh="文件内容既不是 OFD 也不是 PDF",
    remedy_en="send the electronic licence as its library issued it",
    remedy_zh="请报送证照库签发的电子证照原件",
)
NOT_SEALED = Rule(
    code="original.not-sealed",
    en="the {kind} file carries no seal or signature",
    zh="该 {kind} 文件没有电子印章或数字签名",
    remedy_en="send the sealed file of the other library; unsealed files are sent as scans",
    remedy_zh="请报送其他证照库已签章的文件；未签章的请作为扫描件报送",
)

FILE_RULES = (NOT_A_SCAN, INCOMPLETE, TOO_MANY_PIXELS, TOO_MANY_PAGES, NOT_AN_ORIGINAL, NOT_SEALED)
"""Every rule about received files, for documents and tests."""


def scan_media(file: BinaryIO, at: str) -> str | Fault:
    """The media type of a picture, or what is wrong with it at the place ``at``; the file's position moves."""
    file.seek(0)
    first = file.read(_SHOWN_BYTES).hex(" ")
    file.seek(0)
    watched = Watched(file)
    try:
        with Image.open(cast("BinaryIO", watched), formats=SCAN_FORMATS) as picture:
            return _picture_fault(picture, watched, at) or _MEDIA[str(picture.format)]
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        pixels = re.search(r"\d+", str(error))  # Pillow tells the number in its text alone
        return TOO_MANY_PIXELS.at(at, pixels and pixels.group(), limit=MOST_PIXELS)
    except UnidentifiedImageError:
        return NOT_A_SCAN.at(at, first, why="unknown form")
    except Exception as error:  # noqa: BLE001 whatever a damaged or hostile header makes Pillow raise, it is no page
        return NOT_A_SCAN.at(at, first, why=type(error).__name__)


def original_media(file: BinaryIO, at: str) -> str | Fault:
    """The media type of another library's sealed file, or what is wrong with it at the place ``at``."""
    file.seek(0)
    data = file.read()
    if data.startswith(b"%PDF-"):
        return "application/pdf" if b"/ByteRange" in data else NOT_SEALED.at(at, kind="PDF")
    if data.startswith(b"PK\x03\x04") and b"OFD.xml" in data:
        return "application/ofd" if b"Signatures.xml" in data else NOT_SEALED.at(at, kind="OFD")
    return NOT_AN_ORIGINAL.at(at, data[:_SHOWN_BYTES].hex(" "))


def _picture_fault(picture: Image.Image, file: Watched, at: str) -> Fault | None:
    if isinstance(picture, TiffImageFile):
        return _pages_fault(picture, file, at)
    # further frames would have to be unpacked to be reached
    if picture.width * picture.height > MOST_PIXELS:
        return TOO_MANY_PIXELS.at(at, picture.width * picture.height, limit=MOST_PIXELS)
    file.seek(0)
    data = file.read()
    whole = png_is_whole(data) if picture.format == "PNG" else jpeg_is_whole(data)
    return None if whole else INCOMPLETE.at(at, len(data), size=len(data))


def _pages_fault(picture: TiffImageFile, file: Watched, at: str) -> Fault | None:
    """Whether there are too many pages, or one is too large or not all there."""
    size = file.seek(0, os.SEEK_END)
    incomplete = INCOMPLETE.at(at, size, size=size)
    for index in range(MOST_PAGES + 1):
        try:
            picture.seek(index)
        except EOFError:
            return incomplete if file.fell_short else None
        if picture.width * picture.height > MOST_PIXELS:
            return TOO_MANY_PIXELS.at(at, picture.width * picture.height, limit=MOST_PIXELS)
        if not tiff_page_is_whole(picture, size):
            return incomplete
    return TOO_MANY_PAGES.at(at, limit=MOST_PAGES)
