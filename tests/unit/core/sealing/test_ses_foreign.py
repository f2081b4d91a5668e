"""Seals and signature values another implementation wrote."""

import pytest
from asn1crypto import x509

from core.gm import sm2
from core.gm.der import DerError
from core.sealing.ses import build_info, parse_seal, parse_signature
from signing_material import GOLDEN

SEALS = [
    ("UserV1.esl", 1, False),
    ("UserV4.esl", 4, False),
    ("UserV5.esl", 5, False),
    ("UserV5_ts.esl", 5, True),
]


def point(certificate: bytes) -> bytes:
    spki: bytes = x509.Certificate.load(certificate).public_key.dump()
    return spki[-65:]


@pytest.mark.parametrize(("file", "version", "timestamped"), SEALS)
def test_seals_of_every_version_are_read(file: str, version: int, timestamped: bool) -> None:
    seal = parse_seal((GOLDEN / file).read_bytes())
    assert (seal.info.version, seal.timestamped) == (version, timestamped)
    assert "测试用印章" in seal.info.name
    assert seal.info.picture.startswith(b"\x89PNG")
    assert (seal.info.width_mm, seal.info.height_mm) == (40, 40)
    assert len(seal.info.certificates) == 1


@pytest.mark.parametrize(("file", "version", "timestamped"), SEALS)
def test_the_maker_signed_what_its_version_says(file: str, version: int, timestamped: bool) -> None:
    seal = parse_seal((GOLDEN / file).read_bytes())
    good = [
        name
        for name, message in seal.signed_forms().items()
        if sm2.verify(point(seal.maker_certificate), message, seal.signature)
    ]
    assert good == ["info, certificate and algorithm" if version == 1 else "info alone"]


@pytest.mark.parametrize(("file", "version"), [("SignedValueV4.dat", 4), ("SignedValueV5.dat", 5)])
def test_signature_values_are_read_and_verify(file: str, version: int) -> None:
    value = parse_signature((GOLDEN / file).read_bytes())
    assert value.version == version
    assert value.property_info == "/Doc_0/Signs/Sign_0/Signature.xml"
    assert value.seal.lists(value.certificate)
    assert sm2.verify(point(value.certificate), value.to_sign, value.signature)


def test_a_version_4_seal_is_built_as_the_other_implementation_builds_it() -> None:
    seal = parse_seal((GOLDEN / "UserV4.esl").read_bytes())
    assert build_info(seal.info) == seal.info_encoding


@pytest.mark.parametrize("cut", [0, 1, 100, 16_000, 17_000])
def test_a_seal_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(DerError):
        parse_seal((GOLDEN / "UserV4.esl").read_bytes()[:cut])


def test_a_version_4_structure_that_claims_version_1_is_refused() -> None:
    data = (GOLDEN / "UserV4.esl").read_bytes()
    with pytest.raises(DerError, match="version"):
        parse_seal(data.replace(b"\x16\x02ES\x02\x01\x04", b"\x16\x02ES\x02\x01\x01", 1))
