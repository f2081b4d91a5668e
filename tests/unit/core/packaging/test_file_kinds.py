import io
import struct
from random import Random
from typing import BinaryIO

import pytest
from PIL import Image

from contracts.fault import Fault, Rule
from core.packaging.file_kinds import FILE_RULES, original_media, scan_media
from core.packaging.scans import scan_pages
from form_material import pages, picture, png_bomb, sealed_ofd, sealed_pdf


def noise() -> bytes:
    """A page whose pixels cannot be packed."""
    out = io.BytesIO()
    Image.frombytes("L", (100, 100), Random(1).randbytes(100 * 100)).save(out, "PNG")
    return out.getvalue()


def file(data: bytes) -> BinaryIO:
    opened = io.BytesIO(data)
    opened.seek(3)
    return opened


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (picture(), "image/jpeg"),
        (picture(kind="PNG"), "image/png"),
        (picture(kind="TIFF"), "image/tiff"),
        (pages("white", "black", "white"), "image/tiff"),
        (picture(kind="MPO", save_all=True, append_images=[]), "image/jpeg"),
        (picture() + b"\0" * 100, "image/jpeg"),
    ],
)
def test_a_picture_is_told_by_its_bytes(data: bytes, media: str) -> None:
    assert scan_media(file(data), "/scan/0") == media


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "scan.format"),
        (b"\xff\xd8\xff", "scan.format"),
        (picture(kind="PNG")[:20], "scan.format"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 64, "scan.format"),
        (b"II*\0\xff\xff\xff\xff", "scan.format"),
        (picture(kind="BMP"), "scan.format"),
        (picture(kind="WEBP"), "scan.format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "scan.format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "scan.format"),
        (png_bomb(2**31 - 1, 2**31 - 1), "scan.too-large"),
        (png_bomb(20_000, 20_000), "scan.too-large"),
        (png_bomb(10_001, 12_000), "scan.too-large"),
        (pages(*["white"] * 101), "scan.too-many-pages"),
    ],
)
def test_what_is_no_page_is_refused_without_unpacking_it(data: bytes, rule: str) -> None:
    fault = scan_media(file(data), "/scan/7")
    assert isinstance(fault, Fault)
    assert (fault.rule, fault.pointer) == (rule, "/scan/7")


def tiff(*sizes: tuple[int, int]) -> bytes:
    """The headers of a TIFF with pages of those sizes, and no pixels behind them."""
    data = bytearray(b"II*\0\x08\0\0\0")
    for number, (width, height) in enumerate(sizes, 1):
        tags = [
            (256, width),
            (257, height),
            (258, 1),
            (259, 1),
            (262, 1),
            (273, 8),
            (277, 1),
            (278, height),
            (279, 1),
        ]
        data += struct.pack("<H", len(tags))
        for tag, value in tags:
            data += struct.pack("<HHII", tag, 4, 1, value)
        last = number == len(sizes)
        data += struct.pack("<I", 0 if last else len(data) + 4)
    return bytes(data)


def test_a_page_of_a_tiff_that_is_too_large_is_found_behind_small_ones() -> None:
    assert scan_media(file(tiff((60, 90), (60, 90))), "/scan/0") == "image/tiff"
    fault = scan_media(file(tiff((60, 90), (60, 90), (9000, 13_334))), "/scan/0")
    assert isinstance(fault, Fault)
    assert (fault.rule, fault.pointer) == ("scan.too-large", "/scan/0")


def test_a_tiff_whose_pages_go_in_a_circle_comes_to_an_end() -> None:
    circle = bytearray(tiff((60, 90), (60, 90)))
    circle[-4:] = struct.pack("<I", 8)
    assert scan_media(file(bytes(circle)), "/scan/0") == "image/tiff"


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks about damaged headers
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_picture_is_a_picture_or_a_finding(seed: int) -> None:
    """3 of 40 000 damaged TIFFs made Pillow raise what ``Image.open`` does not catch."""
    random = Random(seed)
    whole = [picture(), picture(kind="PNG"), picture(kind="TIFF"), pages("white", "black"), tiff((60, 90))]
    for _ in range(500):
        data = bytearray(random.choice(whole))
        for _ in range(random.randint(1, 6)):
            data[random.randrange(min(len(data), 400))] = random.randrange(256)
        found = scan_media(file(bytes(data)), "/scan/0")
        assert isinstance(found, Fault) or found.startswith("image/")


LARGE_PNG = noise()
"""Larger than what Pillow reads of a file to tell its kind."""


def test_the_first_bytes_of_a_picture_are_told_with_their_number() -> None:
    fault = scan_media(file(LARGE_PNG[:5000]), "/scan/1")
    assert isinstance(fault, Fault)
    assert (fault.rule, fault.pointer, fault.value) == ("scan.incomplete", "/scan/1", "5000")


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks about directories that break off
@pytest.mark.parametrize(
    "whole",
    [
        picture(),
        picture(kind="JPEG", progressive=True),
        picture(kind="PNG"),
        picture(kind="TIFF", compression="tiff_lzw"),
        picture(kind="TIFF"),
        pages("white", "black", "white"),
    ],
    ids=["jpeg", "progressive", "png", "lzw", "tiff", "pages"],
)
def test_a_picture_cut_anywhere_is_a_finding_or_still_makes_all_its_pages(whole: bytes) -> None:
    made = len(scan_pages((whole,))[0])
    for length in range(1, len(whole), max(1, len(whole) // 400)):
        cut = whole[:length]
        if not isinstance(scan_media(file(cut), "/scan/0"), Fault):
            found, faults = scan_pages((cut,))
            assert (len(found), faults) == (made, []), length


def test_a_png_with_a_changed_byte_is_refused() -> None:
    damaged = bytearray(LARGE_PNG)
    damaged[-100] ^= 1
    fault = scan_media(file(bytes(damaged)), "/scan/0")
    assert isinstance(fault, Fault)
    assert fault.rule == "scan.incomplete"


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (png_bomb(20_000, 20_000), "400000000"),
        (png_bomb(10_001, 12_000), "120012000"),
        (tiff((9000, 13_334)), "120006000"),
    ],
)
def test_too_many_pixels_are_told_as_their_number(data: bytes, pixels: str) -> None:
    fault = scan_media(file(data), "/scan/0")
    assert isinstance(fault, Fault)
    assert fault.value == pixels


def test_a_compression_that_nobody_knows_is_a_finding() -> None:
    odd = tiff((60, 90)).replace(struct.pack("<HHII", 259, 4, 1, 1), struct.pack("<HHII", 259, 4, 1, 43009))
    fault = scan_media(file(odd), "/scan/0")
    assert isinstance(fault, Fault)
    assert (fault.rule, fault.value) == ("scan.format", "49 49 2a 00 08 00 00 00")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (sealed_ofd(), "application/ofd"),
        (sealed_pdf(), "application/pdf"),
        (b"%PDF-1.7\nno signature", "original.not-sealed"),
        (b"PK\x03\x04 OFD.xml", "original.not-sealed"),
        (b"PK\x03\x04 xl/workbook.xml Signatures.xml", "original.format"),
        (b" " + sealed_pdf(), "original.format"),
        (picture(), "original.format"),
        (b"", "original.format"),
    ],
)
def test_an_original_is_a_sealed_ofd_or_pdf(data: bytes, expected: str) -> None:
    found = original_media(file(data), "/original")
    assert (found.rule if isinstance(found, Fault) else found) == expected


@pytest.mark.parametrize("rule", FILE_RULES, ids=lambda rule: rule.code)
def test_every_rule_speaks_both_languages(rule: Rule) -> None:
    fault = rule.at("/x", "v", why="w", limit=1, size=1, kind="PDF")
    assert fault.message.isascii()
    assert fault.remedy.isascii()
    assert not fault.message_zh.isascii()
    assert not fault.remedy_zh.isascii()
