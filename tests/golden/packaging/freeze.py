"""Freezes packages of this version: ``PYTHONPATH=.:tests python tests/golden/packaging/freeze.py VERSION``, once per release.

The keys are made for the occasion and thrown away; only the roots stay, so that the packages can be verified for ever.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from core.packaging.ofd_writer import ofd_template, package_ofd
from core.packaging.pdf_writer import package_pdf, pdf_static_part
from core.packaging.stored import StoredPackage, assemble
from core.packaging.style_loader import shipped_style
from core.packaging.typeface import FONTS, SHIPPED_FONT
from core.ports.signer import Algorithm
from core.sealing.authority import Authority, create_authority
from core.sealing.certificates import Purpose
from core.sealing.making import SealDesign, make_seal
from core.sealing.picture import SealText, draw_seal
from core.sealing.seal import ANY, Seal
from packaging_material import permit, request_for


def main(version: str) -> None:
    """An OFD under an SM2 seal and a PDF signed with ECDSA, with the roots they lead to."""
    folder = Path(__file__).parent / f"frozen-{version}"
    folder.mkdir(exist_ok=True)
    now = datetime.now(UTC).replace(microsecond=0)
    style, request = shipped_style("permit"), request_for(permit(), made_at=now)
    with TemporaryDirectory() as keys:
        seals = authority(Path(keys) / "seals", Algorithm.SM2_SM3)
        documents = authority(Path(keys) / "documents", Algorithm.ECDSA_P256_SHA256)
        stamp = seal(seals, now)
        (ofd,) = package_ofd([request], style, stamp)
        (pdf,) = package_pdf([request], style, documents.signer("signer"), stamp.picture)
    if not isinstance(ofd, StoredPackage) or not isinstance(pdf, StoredPackage):
        raise TypeError((ofd, pdf))
    (folder / "permit.ofd").write_bytes(assemble(ofd, ofd_template(style, stamp)))
    (folder / "permit.pdf").write_bytes(assemble(pdf, pdf_static_part(style, stamp.picture)))
    (folder / "ofd-root.crt").write_bytes(seals.root.certificate)
    (folder / "pdf-root.crt").write_bytes(documents.root.certificate)


def authority(folder: Path, algorithm: Algorithm) -> Authority:
    """An authority with a seal maker and a signer."""
    made = create_authority(folder, algorithm, organisation="测试市")
    made.issue("maker", Purpose.SEAL_MAKER)
    made.issue("signer", Purpose.DOCUMENT_SIGNER)
    return made


def seal(seals: Authority, now: datetime) -> Seal:
    """A seal of ``seals`` with a drawn picture."""
    signer = seals.signer("signer")
    picture = draw_seal(SealText("测试市市场监督管理局", "电子证照专用章"), FONTS / SHIPPED_FONT)
    design = SealDesign(
        name="测试市市场监督管理局",
        picture_png=picture,
        signer_certificates=[signer.certificate],
        created=now,
        valid_from=now - timedelta(minutes=5),
        valid_until=now + timedelta(days=3000),
    )
    return Seal(
        design.name, make_seal(seals.signer("maker"), design), signer, frozenset({ANY}), frozenset({ANY})
    )


if __name__ == "__main__":
    main(sys.argv[1])
