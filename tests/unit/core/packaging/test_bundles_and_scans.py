import io
import zipfile

import pytest
from lxml import etree
from PIL import Image

from contracts.record import SourceClass
from core.packaging.bundle import Bundle, package_bundles
from core.packaging.ofd_reader import read_ofd
from core.packaging.raster import render_face
from core.packaging.request import PackageRequest, Waiting
from core.packaging.scans import scan_pages
from core.packaging.stored import assemble
from core.packaging.style import Style
from core.packaging.style_loader import shipped_style
from core.verification.canonical import canonical_faults
from packaging_material import business_licence, request_for, seal
from scan_material import rotated, scan


@pytest.fixture
def style() -> Style:
    return shipped_style("business-licence")


def scanned(*scans: bytes) -> PackageRequest:
    return request_for(business_licence(source_class=SourceClass.TYPED), scans=scans)


def test_a_bundle_has_ofd_pdf_and_thumbnail_of_one_face(style: Style) -> None:
    (bundle,) = package_bundles([request_for(business_licence())], style, seal(), seal().signer)
    assert isinstance(bundle, Bundle)
    assert bundle.pdf is not None
    ofd = assemble(bundle.ofd, bundle.templates[0])
    assert assemble(bundle.pdf, bundle.templates[1]).startswith(b"%PDF-1.7")
    assert read_ofd(ofd).metadata["ZZBH"] == business_licence().licence_number
    with Image.open(io.BytesIO(bundle.thumbnail)) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (400, 283)
    assert len(bundle.thumbnail) < 40_000


def test_without_a_pdf_signer_there_is_no_pdf_and_what_waits_keeps_its_place(style: Style) -> None:
    record = business_licence()
    rare = business_licence(items=record.items | {"KZ_FDDBR": "\U00020bb7"})
    results = package_bundles([request_for(rare), scanned(scan("white")), request_for(record)], style, seal())
    assert [type(result) for result in results] == [Waiting, Bundle, Bundle]
    assert all(result.pdf is None for result in results if isinstance(result, Bundle))


def test_scanned_pages_keep_their_order_and_stand_upright(style: Style) -> None:
    first, last = scan("white", dpi=(100, 100)), scan("yellow", size=(300, 200), kind="PNG")
    (bundle,) = package_bundles([scanned(first, rotated(), last)], style, seal())
    assert isinstance(bundle, Bundle)
    whole = assemble(bundle.ofd, bundle.templates[0])
    assert canonical_faults(whole) == []
    assert read_ofd(whole).page_count == 3
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        document = etree.fromstring(archive.read("Doc_0/Document.xml"))
        order = [e.get("BaseLoc") for e in document.iter("{*}Page") if e.get("BaseLoc")]
        assert order == [f"Pages/Page_{index}/Content.xml" for index in range(3)]
        assert archive.read("Doc_0/Res/scan_0.jpg") == first
        pages = [Image.open(io.BytesIO(archive.read(f"Doc_0/Res/scan_{index}.jpg"))) for index in range(3)]
        areas = [archive.read(f"Doc_0/Pages/Page_{index}/Content.xml").decode() for index in range(3)]
    assert [page.size for page in pages] == [(200, 300), (200, 300), (300, 200)]
    for page in pages:
        assert sum(page.convert("L").crop((5, 5, 30, 15)).tobytes()) / (25 * 10) < 60
    assert "0 0 50.8 76.2" in areas[0]
    assert "0 0 198 297" in areas[1]


def test_a_scan_that_cannot_be_read_is_named_by_its_page(style: Style) -> None:
    (waiting,) = package_bundles([scanned(scan("white"), b"%PDF-1.4 no picture")], style, seal())
    assert isinstance(waiting, Waiting)
    assert [(fault.rule, fault.pointer) for fault in waiting.faults] == [("scan.unreadable", "/scans/1")]
    cut = scan("white", size=(900, 900))
    assert scan_pages((cut[: len(cut) // 2],))[1]


def test_every_frame_of_a_tiff_is_a_page_and_bilevel_pages_stay_bilevel() -> None:
    frames = [Image.new("1", (1700, 2200), 1) for _ in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:], dpi=(200, 200))
    pages, faults = scan_pages((out.getvalue(),))
    assert not faults
    assert [(page.suffix, page.width_mm) for page in pages] == [(".png", 215.9)] * 3


def test_a_preview_is_drawn_at_the_resolution_asked_for(style: Style) -> None:
    picture = render_face(request_for(business_licence()), style, 60)
    assert isinstance(picture, bytes)
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == (702, 496)
        assert len(image.getcolors(1 << 20) or ()) > 100
