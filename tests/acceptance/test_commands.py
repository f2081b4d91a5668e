"""The command line as a newcomer uses it: a hub from nothing to a verified package, every exit code as promised."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PERMITS = EXAMPLES / "sf-food-permits"
ANOTHER = "publicity-organisations"


class Cli:
    """``licence-hub`` as a process, in a hub's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str | Path, expect: int = 0) -> str:
        command = [sys.executable, "-m", "licencehub", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == expect, (arguments, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout if expect == 0 or done.stdout else done.stderr

    def json(self, *arguments: str | Path, expect: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", expect=expect))


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A hub with the permits of San Francisco ingested."""
    made = Cli(tmp_path_factory.mktemp("hub"))
    made.run("init", ".")
    made.run("interface", "apply", "-f", PERMITS / "interface.toml")
    return made


@pytest.fixture(scope="module")
def ingested(cli: Cli) -> dict[str, Any]:
    cli.run("interface", "enable", "sf-food-permits")
    (taken,) = cli.json("ingest", "sf-food-permits", PERMITS / "permits.csv")
    return dict(taken)


def test_a_new_interface_is_disabled_and_says_how_to_enable_it(cli: Cli) -> None:
    cli.run("interface", "apply", "-f", EXAMPLES / "double-publicity" / "interfaces.toml")
    (entry,) = [one for one in cli.json("interface", "list") if one["name"] == ANOTHER]
    assert entry["state"] == "registered"
    message = cli.run("ingest", ANOTHER, EXAMPLES / "double-publicity" / "organisations.csv", expect=1)
    assert f"interface enable {ANOTHER}" in message


def test_the_example_ends_as_its_expectation_says(cli: Cli, ingested: dict[str, Any]) -> None:
    expected = json.loads((PERMITS / "expected.json").read_text())
    assert ingested["outcomes"] == expected["outcomes"]
    totals = cli.json("ledger", "--totals", "--interface", "sf-food-permits")
    assert {outcome: totals[outcome] >= n for outcome, n in expected["outcomes"].items()} == dict.fromkeys(
        expected["outcomes"], True
    )


def test_the_ledger_explains_every_row(cli: Cli, ingested: dict[str, Any]) -> None:
    rejected = cli.json("ledger", "--outcome", "rejected", "--limit", "5")
    assert rejected
    (row,) = cli.json("ledger", "--receipt", rejected[0]["receipt"])
    fault = row["faults"][0]
    assert {"rule", "pointer", "value", "message", "remedy"} <= set(fault)
    assert fault["message"]["zh-CN"]


def test_the_same_file_again_is_a_duplicate_and_no_failure(cli: Cli, ingested: dict[str, Any]) -> None:
    (again,) = cli.json("ingest", "sf-food-permits", PERMITS / "permits.csv")
    assert again["verdict"] == "duplicate"


def test_a_shifted_header_refuses_the_file_with_exit_code_1(
    cli: Cli, ingested: dict[str, Any], tmp_path: Path
) -> None:
    shifted = tmp_path / "shifted.csv"
    shifted.write_text("a,b\n1,2\n")
    (taken,) = cli.json("ingest", "sf-food-permits", shifted, expect=1)
    assert taken["verdict"] == "refused"
    assert taken["faults"]


def test_a_dropped_file_lies_encrypted_and_is_written_back_as_it_was(
    cli: Cli, ingested: dict[str, Any], tmp_path: Path
) -> None:
    original = (PERMITS / "permits.csv").read_bytes()
    kept = list((cli.folder / "data/ingest/sf-food-permits/archive").iterdir())
    assert kept
    assert not any(original[:40] in one.read_bytes() for one in kept)
    cli.run("archive", ingested["submission"], "-o", tmp_path / "back.csv")
    assert (tmp_path / "back.csv").read_bytes() == original
    cli.run("archive", str(UUID(int=1)), "-o", tmp_path / "none.csv", expect=1)
    assert not (tmp_path / "none.csv").exists()


def test_a_replay_is_previewed_and_changes_nothing_when_the_terms_are_the_same(
    cli: Cli, ingested: dict[str, Any]
) -> None:
    preview = cli.json("replay", "--interface", "sf-food-permits", "--since", "2026-01-01", "--preview")
    replayed = cli.json("replay", "--interface", "sf-food-permits", "--since", "2026-01-01")
    assert preview["outcomes"] == replayed["outcomes"]
    assert not {"new", "newer", "conflict"} & set(replayed["outcomes"])


def test_licences_are_found_shown_and_not_given_out_before_they_are_sealed(
    cli: Cli, ingested: dict[str, Any]
) -> None:
    page = cli.json("licence", "find", "--status", "valid", "--limit", "3")
    identifier = page["licences"][0]["identifier"]
    shown = cli.json("licence", "show", identifier, "--history")
    assert shown["history"]["versions"][0]["outcome"] == "new"
    assert shown["package"]["state"] == "pending"
    assert "not sealed" in cli.run("licence", "package", identifier, "-o", "x.ofd", expect=1)
    assert cli.run("licence", "show", "nobody", expect=1)


def test_verify_tells_invalid_from_cannot_verify_and_exits_1_for_both(cli: Cli, tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "golden" / "ofd"
    trust = tmp_path / "trust"
    trust.mkdir()
    unsigned = cli.json("verify", golden / "unsigned.ofd", "--trust", trust, expect=1)
    assert unsigned["verdict"] == "cannot-verify"
    ended = cli.json("verify", golden / "ses_v4_certificate_ended.ofd", "--trust", trust, expect=1)
    assert ended["verdict"] in {"invalid", "cannot-verify"}
    assert ended["first_failed"]


def test_the_journal_verifies_and_the_doctor_finds_nothing(cli: Cli, ingested: dict[str, Any]) -> None:
    assert cli.json("journal", "verify")["valid"]
    assert cli.json("doctor")["healthy"]
    assert cli.json("deadletter", "list") == []


def test_a_declaration_with_faults_names_them_all_and_registers_nothing(cli: Cli, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    text = (PERMITS / "interface.toml").read_text()
    broken.write_text(
        text.replace('protocol = "file"', 'protocol = "pigeon"').replace(
            "[interface]", "[interface]\nnonsense = 1", 1
        )
    )
    message = cli.run("interface", "apply", "-f", broken, expect=2)
    assert "/interface/protocol" in message
    assert "nonsense" in message


def test_an_interface_can_be_exported_and_applied_again_unchanged(cli: Cli, tmp_path: Path) -> None:
    exported = tmp_path / "exported.toml"
    exported.write_text(cli.run("interface", "export", "sf-food-permits"))
    before = cli.json("interface", "show", "sf-food-permits")
    cli.run("interface", "apply", "-f", exported)
    assert cli.json("interface", "show", "sf-food-permits")["declaration"] == before["declaration"]


def test_a_wrong_configuration_names_every_fault_with_its_place(cli: Cli, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[gateway]\nport = "x"\nhots = "y"\n[store]\nurl = "postgresql://a:secret@h/d"\n')
    message = cli.run("-c", wrong, "doctor", expect=2)
    assert "/gateway/port" in message
    assert "hots" in message
    assert "secret@" not in message


def test_usage_errors_exit_2_and_every_command_has_help_with_an_example(cli: Cli) -> None:
    cli.run("licence", "find", "--status", "sleepy", expect=2)
    cli.run("nonsense", expect=2)
    for command in ("ingest", "ledger", "replay", "verify", "serve", "init", "doctor"):
        assert "Example:" in cli.run(command, "--help")


@pytest.fixture(scope="module")
def held(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Receipts of held records by the end of their licence number: a conflict (A), three out of range (B, C, D)."""
    file = tmp_path_factory.mktemp("push") / "held.json"
    sound = json.loads((EXAMPLES / "rest-push" / "record.json").read_text())
    lines = [
        {**sound, "zsbh": "FIRE-A"},
        {**sound, "zsbh": "FIRE-A", "area_m2": 999},
        *({**sound, "zsbh": f"FIRE-{letter}", "area_m2": 0.5} for letter in "BCD"),
    ]
    file.write_text(json.dumps(lines))
    cli.run("interface", "apply", "-f", EXAMPLES / "rest-push" / "interface.toml")
    cli.run("interface", "enable", "fire-permits")
    cli.json("ingest", "fire-permits", file)
    cases = cli.json("quarantine", "list", "--interface", "fire-permits", "--state", "open")
    shown = [cli.json("quarantine", "show", case["receipt"]) for case in cases]
    return {case["record"]["licence_number"][-1]: case["case"]["receipt"] for case in shown}


def outcome_of(cli: Cli, receipt: str) -> str:
    (row,) = cli.json("ledger", "--receipt", receipt)
    return str(row["outcome"])


def test_a_conflict_shows_what_differs_and_a_person_decides(cli: Cli, held: dict[str, str]) -> None:
    case = cli.json("quarantine", "show", held["A"])
    assert [d["field"] for d in case["differences"]] == ["items.KZ_JZMJ"]
    assert cli.json("quarantine", "claim", held["A"])[0]["state"] == "claimed"
    decided = cli.json("quarantine", "decide", held["A"], "take-new", "--reason", "measured again")
    assert decided["result"]["outcome"] == "newer"
    assert outcome_of(cli, held["A"]) == "conflict"
    assert "accepted by" in cli.run("quarantine", "reject", held["A"], "--reason", "too late", expect=1)


def test_a_held_record_is_accepted_as_it_is(cli: Cli, held: dict[str, str]) -> None:
    decided = cli.json("quarantine", "decide", held["B"], "accept", "--reason", "a kiosk, really")
    assert decided["result"]["outcome"] == "new"
    assert outcome_of(cli, held["B"]) == "quarantined"


def test_a_held_record_is_corrected_and_goes_in_under_a_receipt_of_its_own(
    cli: Cli, held: dict[str, str], tmp_path: Path
) -> None:
    record = cli.json("quarantine", "show", held["C"])["record"]
    record["items"]["KZ_JZMJ"] = 500
    corrected = tmp_path / "corrected.json"
    corrected.write_text(json.dumps(record))
    sent = cli.json("quarantine", "resubmit", held["C"], "-f", corrected, "--reason", "number corrected")
    assert sent["receipt"] != held["C"]
    (closed,) = [
        c for c in cli.json("quarantine", "list", "--state", "resubmitted") if c["receipt"] == held["C"]
    ]
    assert closed["resubmission"] == sent["receipt"]


def test_a_held_record_is_rejected_with_a_reason(cli: Cli, held: dict[str, str]) -> None:
    (case,) = cli.json("quarantine", "reject", held["D"], "--reason", "not a permit")
    assert (case["state"], case["reason"]) == ("rejected", "not a permit")
    again = cli.run("quarantine", "decide", held["D"], "accept", "--reason", "changed my mind", expect=1)
    assert "rejected by" in again
