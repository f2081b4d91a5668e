"""``seal`` and ``ca`` on a hub of their own."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.errors import ConfigError, Refused
from core.ports.signer import Algorithm
from core.sealing.certificates import Purpose
from core.sealing.keyfiles import certificates_pem, private_pem
from core.sealing.seal import signed_value
from core.sealing.signers import generate_key
from licencehub.__main__ import cli
from licencehub.commands.shell import Shell
from signing_material import NOON, issued, made_seal, material

TYPE = "11110000000000001R001"


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
        TYPE,
    )
    assert (made["owner"], made["licence_types"], made["retired"]) == ("滨海市行政审批服务局", [TYPE], False)
    with Shell(config).hub() as hub:
        seal = hub.seals.open("city")
        assert signed_value(seal, bytes(32), "/x", seal.valid_from)
        assert seal.may_sign(TYPE, "anybody")
    assert told(config, "seal", "retire", "city")["retired"] is True
    listed = run(config, "seal", "list")
    assert "city" in listed.output
    with Shell(config).hub() as hub:
        assert not hub.seals.open("city").may_sign(TYPE, "anybody")


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


@pytest.mark.parametrize("code", ["123", TYPE[:-1], ""])
def test_a_seal_is_bound_only_to_what_is_a_type_code(config: Path, code: str) -> None:
    refused = run(config, "seal", "new", "odd", "--owner", "甲", "--type", TYPE, "--type", code).exception
    assert isinstance(refused, Refused)
    assert (refused.code, refused.status) == ("seal-type", 400)
    assert "21位" in refused.summary_zh
    assert "odd" not in run(config, "seal", "list").output


@pytest.mark.parametrize(("owner", "line"), [("吉𠮷局", ""), ("甲局", "𠮷"), (" ", "专用章")])
def test_a_text_that_cannot_be_drawn_makes_no_seal(config: Path, owner: str, line: str) -> None:
    result = run(config, "seal", "new", "odd", "--owner", owner, "--line", line)
    assert isinstance(result.exception, Refused)
    assert result.exception.code in {"seal-glyph", "seal-owner"}


def test_authorities_are_made_once(config: Path) -> None:
    result = run(config, "ca", "init")
    assert result.exit_code == 1
    assert "already holds" in str(result.exception)


def test_what_is_done_to_seals_is_journaled(config: Path) -> None:
    told(config, "seal", "new", "noted", "--owner", "乙")
    with Shell(config).hub() as hub:
        hub.store.journal.sequence(0)
        kinds = [entry.kind for entry in hub.store.journal.entries(-1, 1000)]
    assert "seal.created" in kinds


def test_keys_of_pdf_packages_and_the_journal_are_renewed_listed_and_journaled(config: Path) -> None:
    before = {row["name"]: row for row in json.loads(run(config, "ca", "list", "--json").stdout)}
    assert [before[name]["in_use"] for name in ("pdf-signer", "journal")] == [True, True]
    with Shell(config).hub() as hub:
        hub.store.journal.record("interface.changed", "x", {})
        hub.store.journal.sequence(0)
        hub.store.journal.sign_head(hub.journal_signer())
    made = told(config, "ca", "renew", "journal")
    assert made["name"] == "journal-2"
    assert made["key_id"] != before["journal"]["key_id"]
    with Shell(config).hub() as hub:
        assert hub.journal_signer().key_id == made["key_id"]
        hub.store.journal.sequence(0)
        hub.store.journal.sign_head(hub.journal_signer())
        kinds = [entry.kind for entry in hub.store.journal.entries(-1, 1000)]
    assert "key.renewed" in kinds
    assert told(config, "journal", "verify")["checkpoints"] == 2
    assert run(config, "ca", "renew", "seal-maker").exit_code == 2
    assert "journal-2" in run(config, "ca", "list").output
