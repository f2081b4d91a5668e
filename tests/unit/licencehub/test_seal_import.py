"""Keys and seals made elsewhere, taken in by the command: every algorithm and kind of file seals; what cannot says why."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from core.errors import ConfigError, NotFound, Refused
from core.packaging.bundle import Bundle, package_bundles
from core.packaging.stored import assemble
from core.packaging.style_loader import shipped_style
from core.ports.signer import Algorithm
from core.sealing.authority import PDF_SIGNER
from core.sealing.certificates import Purpose
from core.sealing.keyfiles import certificates_pem, private_pem
from core.sealing.signers import SoftwareSigner, generate_key
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from licencehub.__main__ import cli
from licencehub.commands.shell import Shell
from packaging_material import business_licence, request_for
from signing_material import issued, made_seal, self_signed

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
TODAY = (NOW - DAY, NOW + DAY)
PASSWORD = {"SEAL_PASSWORD": "pw"}
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl command is not installed"
)


class Elsewhere(NamedTuple):
    """A foreign authority with a seal maker."""

    root: SoftwareSigner
    maker: SoftwareSigner


def elsewhere(algorithm: Algorithm) -> Elsewhere:
    root = self_signed(generate_key(algorithm), valid_from=TODAY[0], valid_until=TODAY[1])
    return Elsewhere(root, issued(root, Purpose.SEAL_MAKER, validity=TODAY))


def files(
    folder: Path,
    origin: Elsewhere,
    *,
    purpose: Purpose = Purpose.DOCUMENT_SIGNER,
    validity: tuple[datetime, datetime] = TODAY,
) -> SoftwareSigner:
    """``s.esl``, ``s.key``, ``locked.key`` and ``s.crt`` of a new seal; its signer."""
    key = generate_key(origin.root.algorithm)
    signer = issued(origin.root, purpose, key=key, validity=validity)
    (folder / "s.esl").write_bytes(made_seal(origin.maker, signer, validity=TODAY).encoding)
    (folder / "s.key").write_bytes(private_pem(key))
    (folder / "locked.key").write_bytes(private_pem(key, b"pw"))
    (folder / "s.crt").write_bytes(certificates_pem(signer.certificate))
    return signer


def taken_in(
    config: Path, name: str, folder: Path, *key: str, env: Mapping[str, str] | None = None
) -> Result:
    arguments = [str(folder / part) if (folder / part).is_file() else part for part in key]
    command = ["-c", str(config), "seal", "import", name, str(folder / "s.esl"), *arguments]
    return CliRunner().invoke(cli, command, env=env)


PEM = ("--key", "s.key", "--certificate", "s.crt")
LOCKED = ("--key", "locked.key", "--certificate", "s.crt", "--password", "env:SEAL_PASSWORD")
PKCS12 = ("--pkcs12", "s.p12", "--password", "env:SEAL_PASSWORD")


def pkcs12(folder: Path) -> None:
    command = ["openssl", "pkcs12", "-export", "-inkey", "s.key", "-in", "s.crt", "-out", "s.p12"]
    subprocess.run([*command, "-passout", "pass:pw"], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize(
    "kind", [PEM, LOCKED, pytest.param(PKCS12, marks=needs_openssl)], ids=("pem", "locked", "pkcs12")
)
def test_a_key_of_every_kind_seals_ofd_and_pdf_that_verify(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    algorithm: Algorithm,
    kind: tuple[str, ...],
) -> None:
    monkeypatch.setenv("SEAL_PASSWORD", "pw")
    origin = elsewhere(algorithm)
    signer = files(tmp_path, origin)
    if kind is PKCS12:
        pkcs12(tmp_path)
    name = f"{algorithm.value}-{kind[1].replace('.', '-')}"
    result = taken_in(config, name, tmp_path, *kind)
    assert result.exit_code == 0, result.exception
    with Shell(config).hub() as hub:
        seal, documents = hub.seals.open(name), hub.keys(PDF_SIGNER).signer()
        trust = TrustStore.of([origin.root.certificate, *(anchor.encoding for anchor in hub.trust.anchors)])
    request = request_for(business_licence(), made_at=datetime.now(UTC).replace(microsecond=0))
    (made,) = package_bundles([request], shipped_style("business-licence"), seal, documents)
    assert isinstance(made, Bundle)
    assert made.pdf is not None
    templates = {template.template_id: template for template in made.templates}
    for stored, key in ((made.ofd, signer), (made.pdf, documents)):
        report = verify_file(assemble(stored, templates[stored.template_id]), trust)
        assert report.verdict.value == "valid", report.as_dict()
        assert (report.signatures[0].algorithm, report.signatures[0].key_id) == (
            key.algorithm.value,
            key.key_id,
        )


@pytest.mark.parametrize("algorithm", [Algorithm.SM2_SM3, Algorithm.ECDSA_P256_SHA256])
@pytest.mark.parametrize(
    "kind", [LOCKED, pytest.param(PKCS12, marks=needs_openssl)], ids=("locked", "pkcs12")
)
def test_a_wrong_password_is_named_in_both_languages(
    config: Path, tmp_path: Path, algorithm: Algorithm, kind: tuple[str, ...]
) -> None:
    files(tmp_path, elsewhere(algorithm))
    if kind is PKCS12:
        pkcs12(tmp_path)
    error = taken_in(config, "x", tmp_path, *kind, env={"SEAL_PASSWORD": "wrong"}).exception
    assert isinstance(error, ConfigError)
    assert error.faults[0].rule == "key.unreadable"
    assert "password" in str(error)
    assert "密钥无法使用" in error.summary_zh


@pytest.mark.parametrize(
    ("purpose", "validity", "code"),
    [
        (Purpose.JOURNAL, TODAY, "seal-wrong-purpose"),
        (Purpose.SEAL_MAKER, TODAY, "seal-wrong-purpose"),
        (Purpose.DOCUMENT_SIGNER, (NOW - 9 * DAY, NOW - DAY), "seal-ended"),
        (Purpose.DOCUMENT_SIGNER, (NOW + 9000 * DAY, NOW + 9001 * DAY), "seal-never-valid"),
    ],
)
def test_a_certificate_that_could_not_make_valid_packages_is_refused(
    config: Path, tmp_path: Path, purpose: Purpose, validity: tuple[datetime, datetime], code: str
) -> None:
    files(tmp_path, elsewhere(Algorithm.ECDSA_P256_SHA256), purpose=purpose, validity=validity)
    error = taken_in(config, "x", tmp_path, *PEM).exception
    assert isinstance(error, Refused)
    assert error.code == code
    assert error.summary_zh != error.summary


def test_a_key_with_another_certificate_and_a_seal_of_another_key_are_told_apart(
    config: Path, tmp_path: Path
) -> None:
    origin = elsewhere(Algorithm.ECDSA_P256_SHA256)
    files(tmp_path, origin)
    other = tmp_path / "other"
    other.mkdir()
    files(other, origin)
    shutil.copy(other / "s.crt", tmp_path / "other.crt")
    mismatch = taken_in(config, "x", tmp_path, "--key", "s.key", "--certificate", "other.crt").exception
    assert isinstance(mismatch, ConfigError)
    assert mismatch.faults[0].rule == "key.certificate-mismatch"
    shutil.copy(other / "s.esl", tmp_path / "s.esl")
    unlisted = taken_in(config, "x", tmp_path, *PEM).exception
    assert isinstance(unlisted, Refused)
    assert unlisted.code == "seal-foreign-key"


def test_a_seal_that_its_maker_did_not_sign_is_refused(config: Path, tmp_path: Path) -> None:
    files(tmp_path, elsewhere(Algorithm.ECDSA_P256_SHA256))
    changed = bytearray((tmp_path / "s.esl").read_bytes())
    changed[-5] ^= 1
    (tmp_path / "s.esl").write_bytes(changed)
    error = taken_in(config, "x", tmp_path, *PEM).exception
    assert isinstance(error, Refused)
    assert error.code == "seal-signature"


def test_a_binding_to_other_types_or_issuers_leaves_a_licence_without_a_seal_and_names_both(
    tmp_path: Path,
) -> None:
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "hub"), "--json"], catch_exceptions=False)
    path = Path(json.loads(result.stdout)["config"])
    with Shell(path).hub() as hub:
        hub.seals.retire("development")
    files(tmp_path, elsewhere(Algorithm.ECDSA_P256_SHA256))
    bound = ("--type", "11110000000000001R001", "--issuer", "I1")
    assert taken_in(path, "county", tmp_path, *PEM, *bound).exit_code == 0
    with Shell(path).hub() as hub:
        assert hub.dressing.seal("11110000000000001R001", "I1").name == "county"
        for licence_type, issuer in (("T2", "I1"), ("11110000000000001R001", "I2")):
            with pytest.raises(NotFound, match=f"{licence_type} of {issuer}"):
                hub.dressing.seal(licence_type, issuer)


def test_the_last_seal_is_retired_only_when_a_gap_is_meant(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["init", str(tmp_path), "--json"], catch_exceptions=False)
    path = json.loads(result.stdout)["config"]
    narrow = ["-c", path, "seal", "new", "narrow", "--owner", "甲", "--type", "11110000000000001R001"]
    assert CliRunner().invoke(cli, narrow).exit_code == 0
    refused = CliRunner().invoke(cli, ["-c", path, "seal", "retire", "development"]).exception
    assert isinstance(refused, Refused)
    assert refused.code == "seal-last"
    assert CliRunner().invoke(cli, ["-c", path, "seal", "retire", "narrow"]).exit_code == 0
    assert (
        CliRunner().invoke(cli, ["-c", path, "seal", "retire", "development", "--leave-gap"]).exit_code == 0
    )
