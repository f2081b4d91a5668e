import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from asn1crypto import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from core.errors import ConfigError, Refused
from core.ports.signer import Algorithm
from core.sealing.authority import (
    PDF_SIGNER,
    SEAL_SIGNER,
    Authority,
    create_authority,
    create_development_authorities,
    load_authority,
)
from core.sealing.certificates import DOCUMENT_SIGNING, Purpose
from core.sealing.keyfiles import certificates_pem, load_pkcs12_signer, load_signer
from core.sealing.signers import UnsupportedKey, algorithm_of, certificate_spki, key_id

ALGORITHMS = list(Algorithm)
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl command is not installed"
)


def openssl(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], cwd=cwd, check=False, capture_output=True)


@pytest.fixture(scope="module", params=ALGORITHMS, ids=str)
def authority(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = create_authority(tmp_path_factory.mktemp("ca"), request.param)
    made.issue("signer", Purpose.DOCUMENT_SIGNER)
    made.issue("locked", Purpose.DOCUMENT_SIGNER, password=b"open sesame")
    return made


def test_keys_on_disk_are_for_their_owner_alone_and_come_back_as_the_same_signer(
    authority: Authority,
) -> None:
    for file in authority.folder.glob("*.key"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    signer = authority.signer("signer")
    assert signer.algorithm is authority.root.algorithm
    assert signer.key_id == key_id(certificate_spki(signer.certificate))
    assert len(signer.key_id) == 32


def test_an_encrypted_key_opens_with_its_password_only(authority: Authority) -> None:
    assert b"ENCRYPTED" in (authority.folder / "locked.key").read_bytes()
    assert authority.signer("locked", b"open sesame").sign([b"x"])
    for wrong in (None, b"", b"open"):
        with pytest.raises(ConfigError, match="cannot be used") as caught:
            authority.signer("locked", wrong)
        assert "密钥无法使用" in caught.value.faults[0].message_zh


@needs_openssl
def test_openssl_accepts_the_certificates(authority: Authority) -> None:
    options = ["-x509_strict", "-CAfile", "root.crt", "signer.crt"]
    if authority.root.algorithm is Algorithm.SM2_SM3:
        options = ["-vfyopt", "distid:1234567812345678", *options]
    result = openssl("verify", *options, cwd=authority.folder)
    assert result.stdout == b"signer.crt: OK\n", result.stderr


@needs_openssl
def test_a_pkcs12_file_of_openssl_gives_the_same_signer(authority: Authority) -> None:
    command = ["pkcs12", "-export", "-inkey", "signer.key", "-in", "signer.crt", "-certfile", "root.crt"]
    result = openssl(*command, "-out", "signer.p12", "-passout", "pass:secret", cwd=authority.folder)
    assert result.returncode == 0, result.stderr
    signer = load_pkcs12_signer(authority.folder / "signer.p12", b"secret")
    plain = authority.signer("signer")
    assert (signer.key_id, signer.certificate) == (plain.key_id, plain.certificate)
    assert signer.chain == (authority.root.certificate,)
    with pytest.raises(ConfigError, match="cannot be used"):
        load_pkcs12_signer(authority.folder / "signer.p12", b"wrong")


def test_certificates_say_what_they_are_for(authority: Authority) -> None:
    root = x509.Certificate.load(authority.root.certificate)
    assert root.ca
    assert root.key_usage_value.native == {"key_cert_sign", "crl_sign"}
    leaf = x509.Certificate.load(authority.signer("signer").certificate)
    assert not leaf.ca
    assert leaf.key_usage_value.native == {"digital_signature", "non_repudiation"}
    assert [usage.dotted for usage in leaf.extended_key_usage_value] == [DOCUMENT_SIGNING]
    assert leaf.issuer == root.subject
    assert leaf.authority_key_identifier == root.key_identifier


def test_a_certificate_of_another_key_is_refused(authority: Authority) -> None:
    with pytest.raises(ConfigError, match="not that of the key"):
        load_signer(authority.folder / "signer.key", authority.folder / "root.crt")


def test_the_chain_follows_the_certificate_in_one_file(authority: Authority, tmp_path: Path) -> None:
    signer = authority.signer("signer")
    (tmp_path / "chain.crt").write_bytes(certificates_pem(signer.certificate, authority.root.certificate))
    loaded = load_signer(authority.folder / "signer.key", tmp_path / "chain.crt")
    assert loaded.chain == (authority.root.certificate,)


def test_an_authority_opens_again_and_is_never_overwritten(tmp_path: Path) -> None:
    made = create_authority(tmp_path, Algorithm.ED25519, password=b"pw")
    assert load_authority(tmp_path, password=b"pw").root.key_id == made.root.key_id
    with pytest.raises(FileExistsError):
        create_authority(tmp_path, Algorithm.ED25519)


def test_development_authorities_issue_what_a_hub_needs_once(tmp_path: Path) -> None:
    made = create_development_authorities(tmp_path)
    assert made.seals.signer(SEAL_SIGNER).algorithm is Algorithm.SM2_SM3
    assert made.documents.signer(PDF_SIGNER).algorithm is Algorithm.ECDSA_P256_SHA256
    assert set(made.roots) == {made.seals.root.certificate, made.documents.root.certificate}
    with pytest.raises(Refused, match="already holds"):
        create_development_authorities(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_files_that_are_no_keys_are_refused_with_a_reason(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_signer(tmp_path / "k", tmp_path / "k")
    assert caught.value.faults[0].rule == "key.unreadable"
    with pytest.raises(ConfigError):
        load_pkcs12_signer(tmp_path / "k", b"")
    with pytest.raises(ConfigError):
        load_signer(tmp_path / "missing", tmp_path / "k")


def test_weak_and_odd_keys_do_not_sign(tmp_path: Path) -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 1024)):
        with pytest.raises(UnsupportedKey):
            algorithm_of(key)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (tmp_path / "k").write_bytes(key.private_bytes(*form))
        with pytest.raises(ConfigError, match="only SM2"):
            load_signer(tmp_path / "k", tmp_path / "k")
