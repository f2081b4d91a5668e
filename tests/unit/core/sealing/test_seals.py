from datetime import timedelta

import pytest
from asn1crypto import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from core.errors import Refused
from core.gm import curve
from core.ports.signer import Algorithm
from core.sealing.making import SealDesign, make_seal
from core.sealing.picture import LIMIT_BYTES
from core.sealing.seal import Seal, SealOrder, signed_value, signed_values
from core.sealing.ses import parse_signature
from core.sealing.suites import suite_by_oid, suite_of
from signing_material import NOON, YEAR, bound_to_all, made_seal, material

PROPERTY = "/Doc_0/Signs/Sign_0/Signature.xml"


def check(certificate: bytes, message: bytes, signature: bytes) -> bool:
    """Verification by code that is not the hub's signer: plain Python for SM2, ``cryptography`` for the rest."""
    spki = x509.Certificate.load(certificate).public_key.dump()
    if curve_name(spki) == "1.2.156.10197.1.301":
        return curve.verify(spki[-65:], message, signature)
    key = serialization.load_der_public_key(spki)
    match key:
        case ec.EllipticCurvePublicKey():
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        case rsa.RSAPublicKey():
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        case ed25519.Ed25519PublicKey():
            key.verify(signature, message)
        case _:
            return False
    return True


def curve_name(spki: bytes) -> str:
    parsed = x509.PublicKeyInfo.load(spki)
    return str(parsed["algorithm"]["parameters"].native) if parsed.algorithm == "ec" else ""


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_signature_value_reads_back_and_verifies_in_every_suite(algorithm: Algorithm) -> None:
    made = material(algorithm)
    data_hash = made.seal.suite.digest(b"<Signature/>")
    value = parse_signature(signed_value(made.seal, data_hash, PROPERTY, NOON))
    assert (value.version, value.data_hash, value.property_info, value.signed_at) == (
        4,
        data_hash,
        PROPERTY,
        NOON,
    )
    assert value.seal.encoding == made.seal.der
    assert suite_by_oid(value.signature_algorithm) is suite_of(algorithm)
    assert check(value.certificate, value.to_sign, value.signature)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_the_maker_signs_information_certificate_and_algorithm(algorithm: Algorithm) -> None:
    ses = material(algorithm).ses
    assert check(ses.maker_certificate, ses.signed_forms()["info, certificate and algorithm"], ses.signature)


def test_a_batch_answers_in_order() -> None:
    orders = [
        SealOrder(bytes([number]) * 32, PROPERTY, NOON + timedelta(seconds=number)) for number in range(20)
    ]
    values = [parse_signature(value) for value in signed_values(material().seal, orders)]
    assert [value.data_hash for value in values] == [order.data_hash for order in orders]
    assert [value.signed_at for value in values] == [order.sealed_at for order in orders]


def test_a_seal_signs_only_for_what_it_is_bound_to() -> None:
    made = material()
    seal = Seal("bound", made.ses, made.signer, frozenset({"T1"}), frozenset({"I1", "I2"}))
    assert seal.may_sign("T1", "I2")
    assert not seal.may_sign("T2", "I1")
    assert not seal.may_sign("T1", "I3")
    assert made.seal.may_sign("any", "body")


def test_a_retired_seal_signs_nothing() -> None:
    made = material()
    retired = Seal("old", made.ses, made.signer, frozenset("*"), frozenset("*"), retired=True)
    assert not retired.may_sign("T1", "I1")
    with pytest.raises(Refused, match="retired"):
        signed_value(retired, bytes(32), PROPERTY, NOON)


@pytest.mark.parametrize("moment", [NOON - YEAR - timedelta(seconds=1), NOON + YEAR + timedelta(seconds=1)])
def test_a_seal_signs_nothing_outside_its_validity(moment: object) -> None:
    with pytest.raises(Refused, match="not valid"):
        signed_value(material().seal, bytes(32), PROPERTY, moment)  # type: ignore[arg-type]  # parametrised datetimes


def test_a_key_the_seal_does_not_list_cannot_use_it() -> None:
    made = material()
    with pytest.raises(Refused, match="does not list"):
        bound_to_all(made.ses, made.maker)


def test_a_seal_may_list_several_signers_so_that_keys_rotate() -> None:
    made = material()
    ses = made_seal(made.maker, made.signer, made.maker)
    assert bound_to_all(ses, made.signer).signer.key_id != bound_to_all(ses, made.maker).signer.key_id


def test_a_picture_too_large_makes_no_seal() -> None:
    design = SealDesign(
        name="x",
        picture_png=bytes(LIMIT_BYTES + 1),
        signer_certificates=[],
        created=NOON,
        valid_from=NOON,
        valid_until=NOON,
    )
    with pytest.raises(ValueError, match="picture has"):
        make_seal(material().maker, design)
