"""``licence-hub verify`` as people see it: the verdict first, in both languages, and nothing a file says steers the terminal."""

import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.errors import ConfigError
from core.ports.signer import Algorithm
from licencehub.__main__ import cli
from ofd_material import sealed, zipped
from pdf_material import foreign_pdf, with_store
from signing_material import material

ECDSA = material(Algorithm.ECDSA_P256_SHA256)


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    folder = tmp_path / "trust"
    folder.mkdir()
    for number, algorithm in enumerate((Algorithm.ECDSA_P256_SHA256, Algorithm.SM2_SM3)):
        (folder / f"{number}.cer").write_bytes(material(algorithm).root.certificate)
    return folder


def verify(trust: Path, name: str, data: bytes, *options: str) -> Result:
    file = trust.parent / name
    file.write_bytes(data)
    return CliRunner().invoke(cli, ["verify", str(file), "--trust", str(trust), *options])


def test_a_valid_file_exits_0_and_says_what_its_signature_does_not_cover(trust: Path) -> None:
    result = verify(trust, "a.pdf", with_store(foreign_pdf(ECDSA.signer), ECDSA.signer.certificate))
    assert result.exit_code == 0, result.output
    assert result.output.startswith("a.pdf: VALID 有效")
    assert "not covered 未覆盖" in result.output
    assert "DSS" in result.output


def test_a_refused_file_exits_1_with_the_first_failed_step_and_the_steps_not_run(trust: Path) -> None:
    data = foreign_pdf(ECDSA.signer).replace(b"[0 0 200 200]", b"[0 0 200 201]")
    result = verify(trust, "a.pdf", data)
    assert result.exit_code == 1
    first, why, zh = result.output.splitlines()[:3]
    assert first == "a.pdf: INVALID 无效"
    assert why.strip().startswith("digests: the content was changed after signing [digest-differs]")
    assert zh.strip() == "内容在签名后被改动"
    assert "not run 未执行" in result.output
    told = json.loads(verify(trust, "a.pdf", data, "--json").output)
    assert told["first_failed"]["step"] == "digests"


def test_an_unreadable_trust_store_is_a_usage_error(trust: Path) -> None:
    (trust / "bad.pem").write_bytes(b"junk")
    assert isinstance(
        verify(trust, "a.pdf", b"%PDF-").exception, ConfigError
    )  # which the program ends with 2


def test_names_in_a_file_neither_steer_the_terminal_nor_break_the_table(trust: Path) -> None:
    out = BytesIO(zipped(sealed()))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("Doc_0/[/bold]\x1b[2J\u202e.xml", b"x")
    result = verify(trust, "a.ofd", out.getvalue())
    assert result.exit_code == 1, result.exception
    assert "[/bold]" in result.output
    assert not {"\x1b", "\u202e"} & set(result.output)
