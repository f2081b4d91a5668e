"""``seal`` and ``ca`` on a hub of their own."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.errors import ConfigError
from core.ports.signer import Algorithm
from core.sealing.certificates import Purpose
from core.sealing.keyfiles import certificates_pem, private_pem
from core.sealing.seal import signed_value
from core.sealing.signers import generate_key
from licencehub.__main__ import cli
from licencehub.commands.shell import Shell
from signing_material import NOON, issued, made_seal, material


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    result = CliRunner().invoke(cli, ["init", str(folder), "--json"], catch_exceptions=False)
    return Path(json.loads(result.stdout)["config"])


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["-c", str(config), *arguments])


def told(config: Path, *arguments: str) -> dict[str, object]:
    result = run(config, *arguments, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


def test_a_new_seal_signs_lists_and_retires(config: Path) -> None:
    made = told(
        config,
        "seal",
        "new",
        "city",
        "--owner",
        "滨海市行政审批服务局",
        "--line",
        "电子证照专用章",
        "--type",
        "T1",
    )
    assert (made["owner"], made["licence_types"], made["retired"]) == ("滨海市行政审批服务局", ["T1"], False)
    with Shell(config).hub() as hub:
        seal = hub.seals.open("city")
        assert signed_value(seal, bytes(32), "/x", seal.valid_from)
        assert seal.may_sign("T1", "anybody")
    assert told(config, "seal", "retire", "city")["retired"] is True
    listed = run(config, "seal", "list")
    assert "city" in listed.output
    with Shell(config).hub() as hub:
        assert not hub.seals.open("city").may_sign("T1", "anybody")


def test_a_name_is_given_once_and_leaves_no_key_behind_when_refused(config: Path) -> None:
    assert run(config, "seal", "new", "twice", "--owner", "甲").exit_code == 0
    with Shell(config).hub() as hub:
        before = sorted(hub.authority_folder.rglob("*.key"))
    for name in ("twice", "Not a name"):
        assert run(config, "seal", "new", name, "--owner", "甲").exit_code == 1
    with Shell(config).hub() as hub:
        assert sorted(hub.authority_folder.rglob("*.key")) == before


def test_a_seal_made_elsewhere_is_taken_in_with_its_key_where_it_is(config: Path, tmp_path: Path) -> None:
    key = generate_key(Algorithm.SM2_SM3)
    made = material()
    signer = issued(made.root, Purpose.DOCUMENT_SIGNER, key=key)
    (tmp_path / "s.esl").write_bytes(made_seal(made.maker, signer).encoding)
    (tmp_path / "s.key").write_bytes(private_pem(key))
    (tmp_path / "s.crt").write_bytes(certificates_pem(signer.certificate))
    files = ["--key", str(tmp_path / "s.key"), "--certificate", str(tmp_path / "s.crt")]
    told(config, "seal", "import", "county", str(tmp_path / "s.esl"), *files)
    with Shell(config).hub() as hub:
        assert signed_value(hub.seals.open("county"), bytes(32), "/x", NOON)
    assert not (config.parent / "seal" / "seals" / "county" / "s.key").exists()
    (tmp_path / "other.crt").write_bytes(certificates_pem(made.maker.certificate))
    wrong = ["--key", str(tmp_path / "s.key"), "--certificate", str(tmp_path / "other.crt")]
    refused = run(config, "seal", "import", "wrong", str(tmp_path / "s.esl"), *wrong)
    assert refused.exit_code != 0
    (tmp_path / "junk.esl").write_bytes(b"junk")
    assert isinstance(
        run(config, "seal", "import", "wrong", str(tmp_path / "junk.esl"), *files).exception, ConfigError
    )
    assert "wrong" not in {row["name"] for row in json.loads(run(config, "seal", "list", "--json").stdout)}


def test_both_kinds_of_key_or_none_are_a_wrong_call(config: Path, tmp_path: Path) -> None:
    (tmp_path / "s.esl").write_bytes(material().ses.encoding)
    result = run(config, "seal", "import", "x", str(tmp_path / "s.esl"))
    assert result.exit_code == 2
    assert "--pkcs12" in result.output


def test_authorities_are_made_once(config: Path) -> None:
    result = run(config, "ca", "init")
    assert result.exit_code == 1
    assert "already holds" in str(result.exception)


def test_what_is_done_to_seals_is_journaled(config: Path) -> None:
    told(config, "seal", "new", "noted", "--owner", "乙")
    with Shell(config).hub() as hub:
        hub.store.journal.sequence(0)
        kinds = [entry.kind for entry in hub.store.journal.entries(0, 1000)]
    assert "seal.created" in kinds
