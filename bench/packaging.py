"""Packages per second of one core, beside the straightforward way in the same run: ``python -m bench.packaging [SECONDS]``.

The straightforward way: zipfile over all members, every digest anew, one signature per file, library for the code picture (OFD);
reportlab and pyHanko (PDF); Pillow drawing each text (thumbnail). Both ways draw the same licences. Rates are per second of CPU
time of this process, the median of alternating rounds, so that a busy machine disturbs both alike.
"""

import io
import os
import platform
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from uuid import UUID

import qrcode
from PIL import Image, ImageDraw, ImageFont
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from contracts.record import Holder, LicenceRecord
from core.packaging import ofd_layout as at
from core.packaging.bundle import Bundle, package_bundles
from core.packaging.face import Face, compose_face
from core.packaging.layout import Box, SetText, set_text
from core.packaging.ofd_members import face_members
from core.packaging.ofd_static import static_members
from core.packaging.ofd_template import reference
from core.packaging.ofd_writer import package_ofd
from core.packaging.pdf_writer import package_pdf
from core.packaging.raster import thumbnail
from core.packaging.request import PackageRequest
from core.packaging.stored import StoredPackage, assemble
from core.packaging.style_loader import shipped_style
from core.packaging.typeface import FONTS, SHIPPED_FONT
from core.ports.signer import Algorithm
from core.sealing.authority import create_authority, load_authority
from core.sealing.certificates import Purpose
from core.sealing.making import SealDesign, make_seal
from core.sealing.picture import SealText, draw_seal
from core.sealing.seal import ANY, Seal, signed_value
from core.verification.report import Verdict
from core.verification.trust import TrustStore
from core.verification.verify import verify_file

STYLE = shipped_style("business-licence")
BATCH = 20
VALID = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC))
RESULTS = Path(__file__).parent / "results" / "packaging.md"
SAID: list[str] = []
ROUNDS = 5
MADE_AT = datetime.now(UTC).replace(microsecond=0)
POINTS = 72 / 25.4
NAMES = "测试市明德餐饮滨江恒昇建设鑫源泰和顺安康宏伟嘉美佳乐福祥"
SCOPE = "许可项目：食品销售；餐饮服务；酒类经营。一般项目：技术服务、技术开发、技术咨询；软件开发；信息系统集成服务。"


@cache
def authority_folder(algorithm: Algorithm) -> Path:
    """An authority with a seal maker and a signer."""
    folder = Path(mkdtemp(prefix="bench-")) / "ca"
    authority = create_authority(folder, algorithm, organisation="Bench")
    authority.issue("maker", Purpose.SEAL_MAKER, validity=VALID)
    authority.issue("signer", Purpose.DOCUMENT_SIGNER, validity=VALID)
    return folder


@cache
def seal(algorithm: Algorithm) -> Seal:
    """A seal whose key is in this process."""
    authority = load_authority(authority_folder(algorithm))
    maker, signer = authority.signer("maker"), authority.signer("signer")
    design = SealDesign(
        name="测试市市场监督管理局",
        picture_png=draw_seal(SealText("测试市市场监督管理局", "电子证照专用章"), FONTS / SHIPPED_FONT),
        signer_certificates=[signer.certificate],
        created=VALID[0],
        valid_from=VALID[0],
        valid_until=VALID[1],
    )
    return Seal(design.name, make_seal(maker, design), signer, frozenset({ANY}), frozenset({ANY}))


def request(number: int) -> PackageRequest:
    """A business licence, each with other values."""
    name = NAMES[number % 20 : number % 20 + 6] + f"第{number}号有限公司"
    record = LicenceRecord(
        licence_type="11100000MB0143028R001",
        licence_name="营业执照",
        licence_number=f"{number:020d}",
        holders=(Holder(name=name, code=f"91310000MA1F{number:06d}", code_type="001"),),
        issuer_name="测试市市场监督管理局",
        issuer_code="11310000MB2F305058",
        region="310000",
        issued_on=date(2026, 11, 23),
        valid_from=date(2026, 11, 23),
        long_term=True,
        items={
            "KZ_LX": "有限责任公司（自然人投资或控股）",
            "KZ_FDDBR": "王喆",
            "KZ_ZS": f"测试市滨江新区明德路 {number} 号",
            "KZ_ZCZB": "人民币伍佰万元整",
            "KZ_CLRQ": "2019-03-08",
            "KZ_JYFW": SCOPE,
        },
    )
    return PackageRequest(
        record=record,
        identifier=f"1.2.156.3005.2.{record.licence_type}.{record.issuer_code}.{number:09d}.001.X",
        file_number=f"LH-20261123-{number:012d}",
        version_no=1,
        licence_id=UUID(int=number),
        library_name="测试市电子证照库",
        source="推送接口",
        made_at=MADE_AT,
    )


def composed(wanted: PackageRequest) -> Face:
    """The face of a request that can be drawn."""
    face = compose_face(wanted, STYLE)
    if not isinstance(face, Face):
        raise TypeError(face)
    return face


def plain_ofd(wanted: PackageRequest, stamp: Seal) -> bytes:
    """One OFD with zipfile: every member hashed and packed again, one signature."""
    suite = stamp.suite
    members = static_members(STYLE, stamp) | face_members(wanted, STYLE, composed(wanted))
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4, box_size=4)
    code.add_data(wanted.identifier)
    picture = io.BytesIO()
    code.make_image().save(picture, "PNG")
    members[at.QR_PICTURE] = picture.getvalue()
    references = "".join(reference(name, suite.digest(data)) for name, data in members.items())
    signature = f"<ofd:Signature><ofd:References>{references}</ofd:References></ofd:Signature>".encode()
    members[at.SIGNATURE] = signature
    members[at.SIGNED_VALUE] = signed_value(
        stamp, suite.digest(signature), f"/{at.SIGNATURE}", wanted.made_at
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def plain_pdf(wanted: PackageRequest, signer: signers.SimpleSigner, stamp: bytes) -> bytes:
    """One PDF with reportlab, signed by pyHanko."""
    out = io.BytesIO()
    page = Canvas(out, pagesize=(STYLE.page_width * POINTS, STYLE.page_height * POINTS))
    page.drawImage(
        ImageReader(io.BytesIO(STYLE.base_image)), 0, 0, STYLE.page_width * POINTS, STYLE.page_height * POINTS
    )
    for box, text in _texts(composed(wanted)):
        page.setFont("HubKai", text.size_mm * POINTS)
        for line in text.lines:
            x, y = (box.x + line.x) * POINTS, (STYLE.page_height - box.y - line.baseline) * POINTS
            page.drawString(x, y, line.text)
    place = STYLE.seal
    bottom = STYLE.page_height - place.y - place.height
    page.drawImage(
        ImageReader(io.BytesIO(stamp)),
        place.x * POINTS,
        bottom * POINTS,
        place.width * POINTS,
        place.height * POINTS,
        mask="auto",
    )
    page.save()
    metadata = signers.PdfSignatureMetadata(
        field_name="Seal", subfilter=fields.SigSeedSubFilter.PADES, md_algorithm="sha256"
    )
    signed = signers.PdfSigner(metadata, signer=signer).sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(out.getvalue()))
    )
    return bytes(signed.getvalue())


def _texts(face: Face) -> list[tuple[Box, SetText]]:
    labels = [
        (label.box, set_text(label.text, label.box, label.rule(wrap=True), STYLE.typeface))
        for label in STYLE.labels
    ]
    return [*((item.box, item.set) for item in face.texts), *((box, text) for box, text in labels if text)]


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(STYLE.typeface.path), size)


@cache
def _small_ground(scale: float) -> Image.Image:
    size = (round(STYLE.page_width * scale), round(STYLE.page_height * scale))
    return Image.open(io.BytesIO(STYLE.base_image)).convert("RGB").resize(size)


def plain_thumbnail(wanted: PackageRequest, stamp: Image.Image) -> bytes:
    """One thumbnail drawn with Pillow on a ground kept at its size."""
    scale = 400 / max(STYLE.page_width, STYLE.page_height)
    image = _small_ground(scale).copy()
    pen = ImageDraw.Draw(image)
    for box, text in _texts(composed(wanted)):
        for line in text.lines:
            place = ((box.x + line.x) * scale, (box.y + line.baseline) * scale)
            pen.text(place, line.text, fill=(28, 28, 28), font=_font(text.size_mm * scale), anchor="ls")
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4, box_size=1)
    code.add_data(wanted.identifier)
    side = round(STYLE.qr.size * scale) if STYLE.qr else 0
    image.paste(code.make_image().get_image().convert("RGB").resize((side, side)), (0, 0))
    image.paste(stamp, (round(STYLE.seal.x * scale), round(STYLE.seal.y * scale)), stamp)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=75)
    return out.getvalue()


def cpu_rate(job: Callable[[int], int], seconds: float) -> float:
    """Packages per CPU second of ``job``, which makes some from a number on and says how many."""
    made, started = 0, time.process_time()
    while time.process_time() - started < seconds:
        made += job(made)
    return made / (time.process_time() - started)


def beside(name: str, ours: Callable[[int], int], plain: Callable[[int], int], seconds: float) -> None:
    """One row: both ways in alternating rounds."""
    ours(0), plain(0)
    pairs = [(cpu_rate(ours, seconds), cpu_rate(plain, seconds)) for _ in range(ROUNDS)]
    fast, slow = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(left / right for left, right in pairs)
    say(f"{name:34} {fast:9.0f} /s {slow:9.1f} /s {ratio:7.1f} x")


def batch(start: int) -> list[PackageRequest]:
    """The next requests."""
    return [request(start + index) for index in range(BATCH)]


def rows(seconds: float) -> None:
    """All rows of the table."""
    ecdsa, rsa = seal(Algorithm.ECDSA_P256_SHA256), seal(Algorithm.RSA_SHA256)
    pdfmetrics.registerFont(TTFont("HubKai", str(STYLE.typeface.path)))
    stamp = Image.open(io.BytesIO(ecdsa.picture)).convert("RGBA").resize((54, 54))
    for name, sealing in (
        ("OFD, ECDSA P-256", ecdsa),
        ("OFD, SM2", seal(Algorithm.SM2_SM3)),
        ("OFD, RSA-3072", rsa),
    ):
        beside(
            name,
            lambda start, sealing=sealing: len(package_ofd(batch(start), STYLE, sealing)),
            lambda start, sealing=sealing: bool(plain_ofd(request(start), sealing)),
            seconds,
        )
    for name, sealing in (("PDF + PAdES-B-B, ECDSA P-256", ecdsa), ("PDF + PAdES-B-B, RSA-3072", rsa)):
        folder = authority_folder(sealing.signer.algorithm)
        plain_signer = signers.SimpleSigner.load(str(folder / "signer.key"), str(folder / "signer.crt"))
        beside(
            name,
            lambda start, sealing=sealing: len(
                package_pdf(batch(start), STYLE, sealing.signer, sealing.picture)
            ),
            lambda start, plain_signer=plain_signer: bool(
                plain_pdf(request(start), plain_signer, ecdsa.picture)
            ),
            seconds,
        )
    beside(
        "thumbnail, 400 px JPEG",
        lambda start: bool(thumbnail(composed(request(start)), STYLE, ecdsa.picture)),
        lambda start: bool(plain_thumbnail(request(start), stamp)),
        seconds,
    )
    for name, sealing in (("ECDSA", ecdsa), ("SM2", seal(Algorithm.SM2_SM3))):
        rate = cpu_rate(
            lambda start, sealing=sealing: len(package_bundles(batch(start), STYLE, sealing, ecdsa.signer)),
            seconds,
        )
        say(f"{f'OFD ({name}) + PDF + thumbnail':34} {rate:9.0f} /s")


def verifications(seconds: float) -> None:
    """Whole verifications, offline: every file is another one, as it is assembled from what is kept."""
    for algorithm in (Algorithm.ECDSA_P256_SHA256, Algorithm.SM2_SM3):
        sealing, documents = seal(algorithm), seal(Algorithm.ECDSA_P256_SHA256).signer
        made = [
            one for one in package_bundles(batch(0), STYLE, sealing, documents) if isinstance(one, Bundle)
        ]
        roots = {algorithm, Algorithm.ECDSA_P256_SHA256}
        trust = TrustStore.of(load_authority(authority_folder(one)).root.certificate for one in roots)
        templates = {template.template_id: template for one in made for template in one.templates}
        forms = {f"OFD, {algorithm}": [one.ofd for one in made]}
        if sealing.signer is documents:
            forms["PDF"] = [one.pdf for one in made if one.pdf]
        for name, stored in forms.items():
            files = [assemble(one, templates[one.template_id]) for one in stored]
            rate = cpu_rate(
                lambda _start, files=files, trust=trust: sum(_valid(file, trust) for file in files), seconds
            )
            say(f"{f'verification, {name}':34} {rate:9.0f} /s")


def _valid(file: bytes, trust: TrustStore) -> bool:
    report = verify_file(file, trust)
    if report.verdict is not Verdict.VALID:
        raise RuntimeError(report.as_dict())
    return True


def sizes() -> None:
    """Bytes kept per licence."""
    for algorithm in (Algorithm.ECDSA_P256_SHA256, Algorithm.SM2_SM3):
        stored = package_ofd([request(1)], STYLE, seal(algorithm))[0]
        _print_size(f"OFD {algorithm}", stored)
    ecdsa = seal(Algorithm.ECDSA_P256_SHA256)
    _print_size("PDF", package_pdf([request(1)], STYLE, ecdsa.signer, ecdsa.picture)[0])
    say(f"{'thumbnail':34} {len(thumbnail(composed(request(1)), STYLE, ecdsa.picture)):9} bytes")


def _print_size(name: str, stored: object) -> None:
    if isinstance(stored, StoredPackage):
        say(f"{name:34} {len(stored.members):9} bytes kept, {stored.size_bytes} whole")


def say(line: str) -> None:
    """Print a line and remember it for the results."""
    print(line, flush=True)
    SAID.append(line)


def main(arguments: list[str]) -> int:
    """Command line: CPU seconds per round and way (default 2)."""
    seconds = float(arguments[0]) if arguments else 2.0
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], check=False, capture_output=True, text=True
    )
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    say(
        f"commit {commit.stdout.strip() or '?'}, {_processor()}, load before {load}, {datetime.now(UTC):%Y-%m-%d}"
    )
    say(f"{'':34} {'hub':>12} {'plain':>12} {'ratio':>9}")
    rows(seconds)
    verifications(seconds)
    sizes()
    RESULTS.parent.mkdir(exist_ok=True)
    table = "\n".join(SAID)
    RESULTS.write_text(f"# Packaging, one core\n\n```\n{table}\n```\n\n{__doc__}", "utf-8")
    return 0


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text("utf-8").splitlines() if described.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
