"""Packages made of scanned pages: what they hold, and what readers that are not ours say of them."""

import io
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path
from random import Random

import msgspec
import ofdkit
import pytest
from asn1crypto import x509
from lxml import etree
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from contracts.record import Attachment
from core.packaging.bundle import Bundle, package_bundles
from core.packaging.ofd_reader import read_ofd
from core.packaging.raster import render_scan
from core.packaging.request import PackageRequest, Waiting
from core.packaging.scans import scan_pages
from core.packaging.stored import assemble
from core.packaging.style import Style
from core.packaging.style_loader import shipped_style
from core.ports.signer import Algorithm
from core.verification.report import Verdict
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from packaging_material import certificate, request_for
from scan_material import (
    ROTATED_RIGHT,
    bilevel_that_spells,
    packaged_scans,
    page,
    rotated,
    scan,
    scanned,
    scanned_record,
    tiff,
)
from signing_material import NOON, material

OFD = "{http://www.ofdspec.org/2016}"
ALGORITHM = Algorithm.ECDSA_P256_SHA256
DPI = 72
needs_poppler = pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed")
needs_qpdf = pytest.mark.skipif(shutil.which("qpdf") is None, reason="qpdf is not installed")


def style() -> Style:
    return shipped_style("permit")


def requested() -> PackageRequest:
    """Four pages: upright, held sideways, and a TIFF of one bilevel and one grey page."""
    both = tiff(page(size=(400, 600), mode="1"), page(size=(400, 600), mode="L"), dpi=(150, 150))
    return scanned(scan(dpi=(100, 100)), rotated(ROTATED_RIGHT), both, made_at=NOON)


@cache
def files(seal_algorithm: Algorithm = ALGORITHM) -> tuple[bytes, bytes, Bundle]:
    """OFD and PDF of ``requested``."""
    return packaged_scans(requested(), seal_algorithm)


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scans.pdf"
    path.write_bytes(files()[1])
    return path


@pytest.mark.parametrize("algorithm", [Algorithm.SM2_SM3, ALGORITHM])
def test_our_verifier_accepts_both_forms_as_its_own(algorithm: Algorithm) -> None:
    trust = TrustStore.of([material(algorithm).root.certificate, material(ALGORITHM).root.certificate])
    for data in files(algorithm)[:2]:
        report = verify_file(data, trust)
        assert report.verdict is Verdict.VALID, report.first_failed
        assert report.own
        assert report.unsigned_members == ()
        assert report.content.identifier == requested().identifier
        assert report.content.metadata["KZ_FDDBR"] == "陈昇"


def test_the_same_scans_give_the_same_bytes() -> None:
    (again,) = package_bundles([requested()], style(), material(ALGORITHM).seal, material(ALGORITHM).signer)
    assert isinstance(again, Bundle)
    assert again.pdf is not None
    first = files()[2]
    assert first.pdf is not None
    assert again.templates == first.templates
    until = again.ofd.members.index(b"Doc_0/Signs/Sign_0/SignedValue.dat")
    assert again.ofd.members[:until] == first.ofd.members[:until]
    gap = again.pdf.members.index(b"/Contents<")
    assert again.pdf.members[:gap] == first.pdf.members[:gap]
    assert again.thumbnail == first.thumbnail


def test_scans_of_a_style_share_their_template() -> None:
    other = packaged_scans(scanned(scan("yellow"), made_at=NOON))[2]
    assert other.templates == files()[2].templates


def test_the_ofd_shows_every_page_under_the_watermark_with_numbers_of_its_own() -> None:
    data = files()[0]
    content = read_ofd(data)
    assert content.page_count == 4
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        roots = [etree.fromstring(archive.read(name)) for name in archive.namelist() if name.endswith(".xml")]
        notes = [archive.read(f"Doc_0/Annots/Page_{index}/Annotation.xml").decode() for index in range(4)]
        listed = etree.fromstring(archive.read("Doc_0/Annots/Annotations.xml"))
        sizes = [
            Image.open(io.BytesIO(archive.read(name))).size
            for name in archive.namelist()
            if name.startswith("Doc_0/Res/scan_")
        ]
    assert sizes == [(200, 300), (200, 300), (400, 600), (400, 600)]
    assert all('Type="Watermark"' in note and "电子证照" in note for note in notes)
    assert len(listed) == 4
    numbers = [int(e.get("ID", "")) for root in roots for e in root.iter() if e.get("ID", "").isdigit()]
    (largest,) = {int(e.text or 0) for root in roots for e in root.iter(f"{OFD}MaxUnitID")}
    assert len(numbers) == len(set(numbers))
    assert max(numbers) <= largest


def test_the_data_of_the_licence_travel_in_both_forms() -> None:
    request = requested()
    content = read_ofd(files()[0])
    reader = PdfFileReader(io.BytesIO(files()[1]))
    names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    by_name = {str(names[index]): names[index + 1] for index in range(0, len(names), 2)}
    metadata = etree.fromstring(by_name["metadata.xml"]["/EF"]["/F"].data)
    assert {element.get("Name"): element.text for element in metadata} == content.metadata
    assert by_name["licence.json"]["/EF"]["/F"].data == content.attachments["licence"]
    assert content.licence is not None
    assert content.licence["record"]["items"] == request.record.items
    assert content.custom_data["WJBH"] == request.file_number
    assert reader.root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert b"pdfaid:conformance>U<" in reader.root["/Metadata"].data


def test_an_independent_reader_opens_the_ofd(tmp_path: Path) -> None:
    path = tmp_path / "scans.ofd"
    path.write_bytes(files()[0])
    with ofdkit.open(path) as document:
        assert len(document.pages) == 4
        assert not document.warnings


def test_pyhanko_finds_the_signature_valid_and_over_the_whole_file() -> None:
    trust = ValidationContext(
        trust_roots=[x509.Certificate.load(material(ALGORITHM).root.certificate)], moment=NOON
    )
    (signature,) = PdfFileReader(io.BytesIO(files()[1])).embedded_signatures
    status = validate_pdf_signature(signature, trust)
    assert status.intact
    assert status.valid
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert status.modification_level is ModificationLevel.NONE


@needs_poppler
def test_poppler_finds_the_signature_valid_and_the_fonts_embedded(file: Path) -> None:
    report = run("pdfsig", "-nocert", str(file))
    assert "Signature is Valid" in report
    assert "Total document signed" in report
    fonts = [line.split() for line in run("pdffonts", str(file)).splitlines()[2:]]
    assert [columns[4:7] for columns in fonts] == [["yes", "yes", "yes"]]


@needs_qpdf
def test_qpdf_finds_no_errors(file: Path) -> None:
    assert "No syntax or stream encoding errors found" in run("qpdf", "--check", str(file))


@needs_poppler
def test_poppler_draws_every_page_upright_and_the_seal_on_the_last(file: Path, tmp_path: Path) -> None:
    run("pdftoppm", "-r", str(DPI), "-png", str(file), str(tmp_path / "page"))
    drawn = [Image.open(path).convert("RGB") for path in sorted(tmp_path.glob("page-*.png"))]
    assert len(drawn) == 4
    greys = [image.convert("L") for image in drawn]
    for grey in greys:
        mark = grey.crop((2, 2, grey.width // 11, grey.height // 40))
        assert max(mark.tobytes()) < 90, "the mark of every page stands at its upper left"
    dark = [sum(level < 90 for level in grey.tobytes()) / (grey.width * grey.height) for grey in greys]
    assert max(dark[:-1]) < 0.05
    assert dark[-1] > 0.05, "the seal of these tests is a dark square"


@needs_poppler
def test_poppler_reads_the_watermark_on_every_page(file: Path) -> None:
    for number in range(1, 5):
        found = run("pdftotext", "-f", str(number), "-l", str(number), str(file), "-")
        assert set("电子证照") <= set(found)


def test_a_style_without_watermark_gives_pages_without_one() -> None:
    plain = msgspec.structs.replace(style(), watermark=None, source=b"without watermark")
    made = material(ALGORITHM)
    (bundle,) = package_bundles([requested()], plain, made.seal, made.signer)
    assert isinstance(bundle, Bundle)
    assert bundle.pdf is not None
    ofd, pdf = assemble(bundle.ofd, bundle.templates[0]), assemble(bundle.pdf, bundle.templates[1])
    trust = TrustStore.of([made.root.certificate])
    assert [verify_file(data, trust).verdict for data in (ofd, pdf)] == [Verdict.VALID, Verdict.VALID]
    assert "Doc_0/Annots/Annotations.xml" not in zipfile.ZipFile(io.BytesIO(ofd)).namelist()


SIGNATURE = b"/SubFilter/X/ByteRange [0 1 2 3]"
METADATA = (
    b"1 0 obj<</Type/EmbeddedFile/Subtype/text#2Fxml>>stream\n"
    b'<ofd:CustomDatas xmlns:ofd="http://www.ofdspec.org/2016"><ofd:CustomData Name="ZZBS">another licence'
    b"</ofd:CustomData></ofd:CustomDatas>endstream endobj"
)
"""A signature and a metadata file, as somebody who only looks for words would find them."""


@pytest.mark.parametrize(
    "picture",
    [scan(comment=METADATA), scan(comment=SIGNATURE), bilevel_that_spells(SIGNATURE)],
    ids=["data in a comment", "signature in a comment", "signature in bits"],
)
def test_a_picture_that_spells_pdf_syntax_brings_none_of_it_into_the_package(picture: bytes) -> None:
    assert METADATA in picture or SIGNATURE in picture
    ofd, pdf, _ = packaged_scans(scanned(picture, made_at=NOON))
    assert METADATA not in pdf
    assert SIGNATURE not in pdf
    trust = TrustStore.of([material(ALGORITHM).root.certificate])
    for data in (ofd, pdf):
        report = verify_file(data, trust)
        assert report.verdict is Verdict.VALID, report.first_failed
        assert report.content.identifier == requested().identifier


def test_a_name_that_spells_pdf_syntax_brings_none_of_it_into_the_package() -> None:
    request = request_for(certificate(licence_name=SIGNATURE.decode()), scans=(scan(),), made_at=NOON)
    pdf = packaged_scans(request)[1]
    assert SIGNATURE not in pdf
    report = verify_file(pdf, TrustStore.of([material(ALGORITHM).root.certificate]))
    assert report.verdict is Verdict.VALID, report.first_failed


def test_the_picture_for_people_is_the_first_page() -> None:
    picture = render_scan(requested(), style(), 72, material(ALGORITHM).seal.picture)
    assert isinstance(picture, bytes)
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == (144, 216)
        assert max(image.convert("L").crop((3, 3, 6, 6)).tobytes()) < 90
    broken = render_scan(scanned(b"no picture"), style(), 72)
    assert isinstance(broken, Waiting)


def test_the_turn_of_a_page_inside_a_tiff_is_respected() -> None:
    turned = page().transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[0x0112] = ROTATED_RIGHT
    out = io.BytesIO()
    turned.save(out, "TIFF", exif=turned.getexif())
    with zipfile.ZipFile(io.BytesIO(packaged_scans(scanned(out.getvalue(), made_at=NOON))[0])) as archive:
        upright = Image.open(io.BytesIO(archive.read("Doc_0/Res/scan_0.jpg")))
    assert upright.size == (200, 300)
    assert max(upright.convert("L").crop((8, 8, 12, 12)).tobytes()) < 60


@pytest.mark.parametrize("kind", ["MPO", "PNG"])
def test_pictures_behind_the_first_are_no_pages_outside_a_tiff(kind: str) -> None:
    out = io.BytesIO()
    page().save(out, kind, save_all=True, append_images=[page("yellow")])
    pages, faults = scan_pages((out.getvalue(),))
    assert not faults
    assert len(pages) == 1


def test_sixteen_bits_of_grey_are_scaled_not_cut_off() -> None:
    out = io.BytesIO()
    Image.new("I;16", (200, 300), 40_000).save(out, "PNG")
    pages, _ = scan_pages((out.getvalue(),))
    with Image.open(io.BytesIO(pages[0].image)) as picture:
        assert set(picture.crop((50, 50, 60, 60)).tobytes()) <= {155, 156, 157}


def test_how_the_record_came_in_does_not_travel_with_the_licence() -> None:
    sent = Attachment(digest="ab" * 32, media_type="image/jpeg", size_bytes=1, name="张三的照片.jpg")
    record = scanned_record(verified_by="李四", scans=(sent,))
    data = packaged_scans(request_for(record, scans=(scan(),), made_at=NOON))[0]
    licence = read_ofd(data).attachments["licence"].decode()
    assert record.licence_name in licence
    assert not any(word in licence for word in ("张三", "李四", sent.digest))


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks about damaged pictures
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_page_is_pages_or_a_finding(seed: int) -> None:
    random = Random(seed)
    whole = [
        scan(size=(60, 90)),
        scan(size=(60, 90), kind="PNG"),
        tiff(page(size=(60, 90)), page(size=(90, 60))),
    ]
    for _ in range(300):
        data = bytearray(random.choice(whole))
        for _ in range(random.randint(1, 6)):
            data[random.randrange(min(len(data), 400))] = random.randrange(256)
        pages, faults = scan_pages((bytes(data),))
        assert pages or faults
