from pathlib import Path

import pytest

from core.errors import ConfigError
from core.gm import der
from core.ports.signer import Algorithm
from core.sealing.certificates import Purpose
from core.sealing.keyfiles import certificates_pem
from core.sealing.signers import SoftwareSigner, generate_key
from core.verification.certificates import Certificate
from core.verification.finding import Broken, Undecided
from core.verification.trust import LONGEST_CHAIN, TrustStore
from signing_material import issued, material, self_signed

ROOT = material().root


def test_a_store_is_a_folder_of_pem_and_der_certificates(tmp_path: Path) -> None:
    middle = issued(ROOT, Purpose.AUTHORITY)
    leaf = issued(middle, Purpose.DOCUMENT_SIGNER)
    (tmp_path / "root.pem").write_bytes(certificates_pem(ROOT.certificate))
    (tmp_path / "other.cer").write_bytes(material(Algorithm.RSA_SHA256).root.certificate)
    (tmp_path / "README").write_text("not a certificate")
    (tmp_path / "intermediates").mkdir()
    (tmp_path / "intermediates" / "middle.crt").write_bytes(certificates_pem(middle.certificate))
    store = TrustStore.load(tmp_path)
    assert len(store.anchors) == 2
    chain = store.chain(Certificate(leaf.certificate))
    assert [c.encoding for c in chain] == [leaf.certificate, middle.certificate, ROOT.certificate]


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_bytes(b"junk")
    with pytest.raises(ConfigError, match=r"bad\.pem"):
        TrustStore.load(tmp_path)


def test_an_intermediate_alone_is_nothing_to_trust() -> None:
    leaf = issued(ROOT, Purpose.DOCUMENT_SIGNER)
    with pytest.raises(Undecided):
        TrustStore.of([], [ROOT.certificate]).chain(Certificate(leaf.certificate))


def test_a_certificate_trusted_by_itself_needs_no_way() -> None:
    leaf = Certificate(issued(ROOT, Purpose.DOCUMENT_SIGNER).certificate)
    assert TrustStore((leaf,)).chain(leaf) == (leaf,)


def test_a_chain_longer_than_the_limit_is_not_followed() -> None:
    signer, between = ROOT, []
    for _ in range(LONGEST_CHAIN):
        signer = issued(signer, Purpose.AUTHORITY)
        between.append(signer.certificate)
    leaf = Certificate(issued(signer, Purpose.DOCUMENT_SIGNER).certificate)
    with pytest.raises(Undecided):
        TrustStore.of([ROOT.certificate], between).chain(leaf)


def test_certificates_signed_in_a_circle_end_the_search() -> None:
    keys = [generate_key(Algorithm.ECDSA_P256_SHA256) for _ in range(2)]
    circle = [self_signed(key) for key in keys]
    leaf = Certificate(issued(circle[0], Purpose.DOCUMENT_SIGNER).certificate)
    with pytest.raises(Undecided):
        TrustStore.of([], [c.certificate for c in circle]).chain(
            leaf, [Certificate(c.certificate) for c in circle]
        )


def test_another_key_under_the_name_of_the_root_issues_nothing() -> None:
    impostor = SoftwareSigner(generate_key(Algorithm.SM2_SM3), ROOT.certificate)
    leaf = Certificate(issued(impostor, Purpose.DOCUMENT_SIGNER).certificate)
    with pytest.raises(Undecided):
        TrustStore.of([ROOT.certificate]).chain(leaf)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_every_changed_byte_of_a_certificate_breaks_its_way_to_the_root(algorithm: Algorithm) -> None:
    made = material(algorithm)
    store = TrustStore.of([made.root.certificate])
    for position in range(0, len(made.signer.certificate), 7):
        changed = bytearray(made.signer.certificate)
        changed[position] ^= 0x01
        with pytest.raises(Exception) as caught:  # noqa: PT011  # malformed or untrusted, either is named
            store.chain(Certificate(bytes(changed)))
        assert type(caught.value).__name__ in ("Broken", "Undecided")


def test_a_key_without_a_single_bit_is_a_malformed_certificate() -> None:
    tbs, algorithm, signature = der.children(der.read_one(ROOT.certificate).content)
    parts = [part.encoding for part in der.children(tbs.content)]
    kind, _ = der.children(der.read_one(parts[6]).content)
    parts[6] = der.sequence(kind.encoding, der.tlv(der.BIT_STRING))
    bent = der.sequence(der.sequence(*parts), algorithm.encoding, signature.encoding)
    with pytest.raises(Broken, match="cannot be read"):
        _ = Certificate(bent).parsed
