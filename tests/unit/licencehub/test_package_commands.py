"""``package``: what waits is listed, what is held is released with a reason, wrong calls say so."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from core.errors import NotFound
from licencehub.__main__ import cli
from licencehub.commands.shell import Shell
from store_material import candidate


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["-c", str(config), "package", *arguments])


def told(config: Path, *arguments: str) -> Any:
    result = run(config, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def held(config: Path, number: str, state: str, detail: str) -> str:
    """A licence whose package is held; its national identifier."""
    with Shell(config).hub() as hub:
        (result,) = hub.store.records.commit([candidate(number)], [])
        assert result.licence_id is not None
        (claim,) = hub.store.packages.claim([(result.licence_id, 1)], 60)
        hub.store.packages.hold(claim, state, detail)
        return hub.store.licences.get(result.licence_id).identifier


def test_the_list_shows_what_waits_since_when_and_why_in_text_and_json(config: Path) -> None:
    identifier = held(config, "L-1", "needs-glyph", "𠮷")
    (found,) = told(config, "list", "--state", "needs-glyph", "--limit", "1")["packages"]
    assert (found["identifier"], found["detail"], found["tries"]) == (identifier, "𠮷", 1)
    assert found["since_ms"] >= found["asked_ms"]
    text = run(config, "list").output
    assert "needs-glyph" in text
    assert "𠮷" in text
    assert told(config, "list", "--state", "claimed") == {"packages": [], "next": ""}


def test_a_licence_is_released_by_its_identifier_and_the_journal_says_who_and_why(config: Path) -> None:
    identifier = held(config, "R-1", "failed", "KeyError")
    assert told(config, "release", "--licence", identifier, "--reason", "record corrected") == {"released": 1}
    assert isinstance(
        run(config, "release", "--licence", identifier, "--reason", "again").exception, NotFound
    )
    assert isinstance(run(config, "release", "--licence", "nobody", "--reason", "x").exception, NotFound)
    with Shell(config).hub() as hub:
        hub.store.journal.sequence(0)
        entries = [e.data for e in hub.store.journal.entries(-1, 1000) if e.kind == "package.released"]
    assert [entry["reason"] for entry in entries if "state" not in entry] == ["record corrected"]
    assert entries[0]["actor"]


def test_all_of_a_state_are_released_at_once(config: Path) -> None:
    for number in ("S-1", "S-2"):
        held(config, number, "failed", "KeyError")
    assert told(config, "release", "--state", "failed", "--reason", "mended") == {"released": 2}
    assert told(config, "list", "--state", "failed")["packages"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("release", "--reason", "x"),
        ("release", "--state", "failed"),
        ("release", "--state", "failed", "--reason", " "),
        ("release", "--state", "pending", "--reason", "x"),
        ("release", "--state", "failed", "--licence", "a", "--reason", "x"),
        ("list", "--state", "packaged"),
        ("list", "--limit", "0"),
    ],
)
def test_wrong_calls_are_usage_errors(config: Path, arguments: tuple[str, ...]) -> None:
    assert run(config, *arguments).exit_code == 2


def test_help_has_an_example_and_tells_packages_that_wait_from_files_that_are_fetched(config: Path) -> None:
    assert "licence package" in " ".join(run(config, "--help").output.split())
    for command in ("list", "release"):
        assert "Example:" in run(config, command, "--help").output
