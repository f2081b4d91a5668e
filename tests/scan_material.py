"""Scanned pages and licences that came as scans, for the tests of packaging and verification."""

import io
import random
from datetime import datetime

from PIL import Image

from contracts.record import LicenceRecord, SourceClass
from core.packaging.bundle import Bundle, package_bundles
from core.packaging.request import PackageRequest
from core.packaging.stored import assemble
from core.packaging.style_loader import shipped_style
from core.ports.signer import Algorithm
from packaging_material import MADE_AT, permit, request_for
from signing_material import material

ROTATED_RIGHT = 6
ORIENTATION = 0x0112
MARK_PX = (40, 20)
"""Size of the black mark at the upper left corner of every page."""


def page(colour: str = "white", size: tuple[int, int] = (200, 300), mode: str = "RGB") -> Image.Image:
    """A page with a black mark at its upper left corner."""
    made = Image.new("RGB", size, colour)
    made.paste((0, 0, 0), (0, 0, *MARK_PX))
    return made.convert(mode)


def scan(
    colour: str = "white", size: tuple[int, int] = (200, 300), kind: str = "JPEG", **options: object
) -> bytes:
    """A page as a file."""
    out = io.BytesIO()
    page(colour, size).save(out, kind, **options)
    return out.getvalue()


def rotated(orientation: int = ROTATED_RIGHT) -> bytes:
    """The page of ``scan`` as a camera held sideways stores it."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    out = io.BytesIO()
    page().transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", exif=exif, quality=95)
    return out.getvalue()


def tiff(*pages: Image.Image, **options: object) -> bytes:
    """The pages as one file."""
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], **options)
    return out.getvalue()


def bilevel_that_spells(word: bytes) -> bytes:
    """A black and white page of noise, which deflate leaves as it is, whose bits spell ``word``."""
    noise = bytearray(random.Random(1).randbytes(100 * 100))
    noise[5_000 : 5_000 + len(word)] = word
    out = io.BytesIO()
    Image.frombytes("1", (800, 100), bytes(noise)).save(out, "TIFF")
    return out.getvalue()


def scanned_record(**changes: object) -> LicenceRecord:
    """A permit typed in beside its scan."""
    return permit(source_class=SourceClass.TYPED, **changes)


def scanned(*scans: bytes, made_at: datetime = MADE_AT) -> PackageRequest:
    """A request to package a licence that came as these scans."""
    return request_for(scanned_record(), scans=scans, made_at=made_at)


def packaged_scans(
    request: PackageRequest, seal_algorithm: Algorithm = Algorithm.ECDSA_P256_SHA256
) -> tuple[bytes, bytes, Bundle]:
    """OFD and PDF of a request, and the bundle they come from; a small seal, and an ECDSA key for the PDF."""
    seal, signer = material(seal_algorithm).seal, material(Algorithm.ECDSA_P256_SHA256).signer
    (bundle,) = package_bundles([request], shipped_style("permit"), seal, signer)
    assert isinstance(bundle, Bundle), bundle
    assert bundle.pdf is not None
    return assemble(bundle.ofd, bundle.templates[0]), assemble(bundle.pdf, bundle.templates[1]), bundle
