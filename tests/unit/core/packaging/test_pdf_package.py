import hashlib
import io
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from asn1crypto import x509
from lxml import etree
from PIL import Image, ImageChops, ImageFilter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from core.packaging.face import Face, compose_face, face_texts
from core.packaging.pdf_writer import draft_pdf, package_pdf, pdf_static_part
from core.packaging.qr import qr_rows
from core.packaging.raster import painter
from core.packaging.request import Waiting
from core.packaging.stored import StoredPackage, assemble
from core.packaging.style import Style
from core.packaging.style_loader import shipped_style
from core.ports.signer import Algorithm
from core.sealing.authority import Authority, create_authority
from core.sealing.certificates import Purpose
from core.sealing.signers import SoftwareSigner
from core.verification.limits import DEFAULT
from core.verification.pdf_canonical import canonical_pdf_faults
from core.verification.pdf_content import pdf_content_of
from packaging_material import RECORDS, business_licence, request_for, seal

DPI = 144
needs_poppler = pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed")
needs_qpdf = pytest.mark.skipif(shutil.which("qpdf") is None, reason="qpdf is not installed")
SIGNERS = [Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_SHA256]


@cache
def signing(algorithm: Algorithm) -> tuple[SoftwareSigner, bytes]:
    """A signer and the root it leads to."""
    with TemporaryDirectory() as folder:
        authority: Authority = create_authority(Path(folder) / "ca", algorithm)
        authority.issue("signer", Purpose.DOCUMENT_SIGNER)
        return authority.signer("signer"), authority.root.certificate


@cache
def packaged(name: str, algorithm: Algorithm = Algorithm.ECDSA_P256_SHA256) -> bytes:
    style = shipped_style(name)
    stored = package_pdf([request_for(RECORDS[name]())], style, signing(algorithm)[0], seal().picture)[0]
    assert isinstance(stored, StoredPackage)
    return assemble(stored, pdf_static_part(style, seal().picture))


@pytest.fixture
def style() -> Style:
    return shipped_style("business-licence")


def trusting(algorithm: Algorithm) -> ValidationContext:
    return ValidationContext(trust_roots=[x509.Certificate.load(signing(algorithm)[1])])


def run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(params=RECORDS)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"{request.param}.pdf"
    path.write_bytes(packaged(request.param))
    return path


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_pyhanko_finds_the_signature_valid_trusted_and_over_the_whole_file(algorithm: Algorithm) -> None:
    data = packaged("business-licence", algorithm)
    trust = trusting(algorithm)
    (signature,) = PdfFileReader(io.BytesIO(data)).embedded_signatures
    status = validate_pdf_signature(signature, trust)
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert status.modification_level is ModificationLevel.NONE
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"


def test_pyhanko_refuses_a_changed_file() -> None:
    data = bytearray(packaged("business-licence"))
    data[data.index(b"/MediaBox") + 12] ^= 1
    (signature,) = PdfFileReader(io.BytesIO(bytes(data))).embedded_signatures
    assert not validate_pdf_signature(signature, trusting(SIGNERS[0])).intact


@needs_poppler
def test_poppler_finds_the_signature_valid_and_the_whole_document_signed(file: Path) -> None:
    report = run("pdfsig", "-nocert", str(file))
    assert "Signature is Valid" in report
    assert "Total document signed" in report


@needs_qpdf
def test_qpdf_finds_no_errors(file: Path) -> None:
    assert "No syntax or stream encoding errors found" in run("qpdf", "--check", str(file))


@needs_poppler
def test_poppler_reads_every_face_item_and_the_embedded_fonts(file: Path) -> None:
    style = shipped_style(file.stem)
    found = "".join(run("pdftotext", "-raw", str(file), "-").split())
    for text in face_texts(request_for(RECORDS[file.stem]()), style).values():
        assert "".join(text.split()) in found
    fonts = [line.split() for line in run("pdffonts", str(file)).splitlines()[2:]]
    assert fonts
    assert all(columns[4:7] == ["yes", "yes", "yes"] for columns in fonts)


@needs_poppler
def test_poppler_draws_the_page_as_we_draw_the_face(file: Path, tmp_path: Path) -> None:
    style = shipped_style(file.stem)
    face = compose_face(request_for(RECORDS[file.stem]()), style)
    assert isinstance(face, Face)
    run("pdftoppm", "-r", str(DPI), "-png", "-singlefile", str(file), str(tmp_path / "page"))
    scale = DPI / 25.4
    ours = painter(style, scale).paint(face, seal().picture)
    with Image.open(tmp_path / "page.png") as page:
        theirs = page.convert("RGB").crop((0, 0, *ours.size))
    boxes = {item.field.code: item.box for item in face.texts}
    boxes |= {label.text: label.box for label in style.labels}
    boxes["seal"] = style.seal.box
    for name, box in boxes.items():
        edges = (box.x, box.y, box.x + box.width, box.y + box.height)
        x, y, end_x, end_y = (round(edge * scale) for edge in edges)
        place = (x, y, end_x, end_y)
        left, right = _soft(ours.crop(place)), _soft(theirs.crop(place))
        assert _ink(left) > 0.5, name
        assert _difference(left, right) < 9, name
        assert _difference(left, Image.new("L", left.size, 250)) > 2 * _difference(left, right), name


@needs_poppler
def test_poppler_draws_the_modules_of_the_code(file: Path, tmp_path: Path) -> None:
    style = shipped_style(file.stem)
    assert style.qr
    run("pdftoppm", "-r", str(DPI), "-gray", "-singlefile", str(file), str(tmp_path / "page"))
    rows = qr_rows(request_for(RECORDS[file.stem]()).identifier)
    step = style.qr.size / len(rows)
    with Image.open(tmp_path / "page.pgm") as page:
        for row, modules in enumerate(rows):
            for column, module in enumerate(modules):
                x, y = style.qr.x + (column + 0.5) * step, style.qr.y + (row + 0.5) * step
                level = page.getpixel((int(x * DPI / 25.4), int(y * DPI / 25.4)))
                assert (level in range(128)) == bool(module), (row, column)


def _soft(image: Image.Image) -> Image.Image:
    """Grey and a little blurred: a shift of half a pixel is not a difference."""
    return image.convert("L").filter(ImageFilter.GaussianBlur(1.5))


def _ink(image: Image.Image) -> float:
    return 255 - sum(image.tobytes()) / len(image.tobytes())


def _difference(left: Image.Image, right: Image.Image) -> float:
    return sum(ImageChops.difference(left, right).tobytes()) / (left.width * left.height)


def test_the_embedded_metadata_are_those_of_the_ofd() -> None:
    request = request_for(business_licence())
    reader = PdfFileReader(io.BytesIO(packaged("business-licence")))
    files = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    by_name = {str(files[index]): files[index + 1] for index in range(0, len(files), 2)}
    assert all(spec["/AFRelationship"] == "/Data" for spec in by_name.values())
    assert len(reader.root["/AF"]) == 2
    metadata = etree.fromstring(by_name["metadata.xml"]["/EF"]["/F"].data)
    values = {element.get("Name"): element.text for element in metadata}
    assert values["ZZBS"] == request.identifier
    assert values["KZ_FDDBR"] == "王喆"
    assert pdf_content_of(packaged("business-licence"), DEFAULT).metadata == values


def test_what_pdf_a_3u_asks_for_and_we_can_check_is_there() -> None:
    data = packaged("business-licence")
    reader = PdfFileReader(io.BytesIO(data))
    root = reader.root
    assert data.startswith(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    xmp = etree.fromstring(root["/Metadata"].data)
    kept = {
        element.tag.rpartition("}")[2]: (element.text or "") for element in xmp.iter() if not len(element)
    }
    assert (kept["part"], kept["conformance"]) == ("3", "U")
    intent = root["/OutputIntents"][0]
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].data[36:40] == b"acsp"
    page = root["/Pages"]["/Kids"][0]
    fonts = page["/Resources"]["/Font"]
    for font in (fonts[name] for name in fonts):
        assert font["/Encoding"] == "/Identity-H"
        assert font["/ToUnicode"].data
        descendant = font["/DescendantFonts"][0]
        assert descendant["/CIDToGIDMap"] == "/Identity"
        assert descendant["/FontDescriptor"]["/FontFile2"].data[:4] == b"\0\1\0\0"
    annotations = page["/Annots"]
    for annotation in (annotations[index] for index in range(len(annotations))):
        assert annotation["/F"] == 4 | 128
        assert annotation["/AP"]["/N"].data
    assert "/Encrypt" not in reader.trailer_view
    assert "/ID" in reader.trailer_view
    assert not {"/OpenAction", "/AA", "/JavaScript"} & set(root)
    assert b"LZWDecode" not in data


def test_the_file_is_in_the_canonical_form_and_thinly_stored(style: Style) -> None:
    assert canonical_pdf_faults(packaged("business-licence")) == []
    stored = package_pdf([request_for(business_licence())], style, signing(SIGNERS[0])[0], seal().picture)[0]
    assert isinstance(stored, StoredPackage)
    assert len(stored.members) < 20_000
    whole = assemble(stored, pdf_static_part(style, seal().picture))
    assert hashlib.sha256(whole).digest() == stored.digest


def test_the_same_request_gives_the_same_bytes_up_to_the_signature(style: Style) -> None:
    request = request_for(business_licence())
    first, second = (draft_pdf(request, style, seal().picture, 3000) for _ in range(2))
    assert not isinstance(first, Waiting)
    assert not isinstance(second, Waiting)
    assert (first.before, first.after) == (second.before, second.after)


def test_a_character_outside_the_shared_font_comes_with_a_font_of_its_own(style: Style) -> None:
    record = business_licence()
    rare = business_licence(items=record.items | {"KZ_FDDBR": "龘靐"})
    plain = business_licence(items=record.items | {"KZ_FDDBR": "王明", "KZ_ZS": "", "KZ_JYFW": "食品"})
    results = package_pdf(
        [request_for(rare), request_for(plain)], style, signing(SIGNERS[0])[0], seal().picture
    )
    fonts = []
    for result in results:
        if isinstance(result, Waiting):
            assert result.state == "needs-glyph"
            continue
        data = assemble(result, pdf_static_part(style, seal().picture))
        page = PdfFileReader(io.BytesIO(data)).root["/Pages"]["/Kids"][0]
        fonts.append(sorted(page["/Resources"]["/Font"]))
    assert fonts
    assert fonts[-1] in (["/F1"], ["/F1", "/F2"])


def test_a_licence_that_cannot_be_drawn_waits_and_the_rest_goes_through(style: Style) -> None:
    record = business_licence()
    rare = business_licence(items=record.items | {"KZ_FDDBR": "\U00020bb7"})
    results = package_pdf(
        [request_for(rare, 1), request_for(record, 2)], style, signing(SIGNERS[0])[0], seal().picture
    )
    assert isinstance(results[0], Waiting)
    assert results[0].characters == "\U00020bb7"
    assert isinstance(results[1], StoredPackage)
