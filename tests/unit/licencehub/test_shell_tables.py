"""Tables of the commands: what is shown can be copied and read."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from contracts.identity import uuid7
from licencehub.__main__ import cli
from licencehub.commands.shell import readable, table

COLUMNS = ("receipt", "interface", "row", "outcome", "rules", "cause")
RULES = ("mapping.unknown-code", "holder.code-type-does-not-fit", "uscc.check-digit")


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("width", ["20", "80", "400"])
def test_ids_and_rules_are_never_folded_or_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: str, *, terminal: bool
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
    receipt, cause = str(uuid7()), f"resubmission:{uuid7()}"
    table("ledger", COLUMNS, [(receipt, "sf-food-permits", 1, "quarantined", RULES, cause)])
    shown = capsys.readouterr().out
    assert all(word in shown for word in (receipt, cause, *RULES, "sf-food-permits"))
    assert "…" not in shown


def test_an_output_that_is_no_terminal_has_a_line_a_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table("t", ("one", "two"), [("a b " * 200, "很长的说明" * 50)] * 3)
    lines = [line for line in capsys.readouterr().out.splitlines() if "a b" in line]
    assert len(lines) == 3


def test_prose_is_folded_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    table("t", ("id", "why"), [("x" * 36, "很长的说明" * 20)])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 60
    assert "x" * 36 in "".join(lines)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes 是"),
        (False, "no 否"),
        (["*"], "*"),
        ((), ""),
        (("a", "b"), "a, b"),
        (({"name": "王海", "code": "1"}, {"name": "李江"}), "name: 王海, code: 1\nname: 李江"),
        ({"on": True, "of": ["a"]}, "on: yes 是, of: a"),
        ("\x1b[31mred", "\\u001b[31mred"),
        (":x: [b]bold[/b]", ":x: [b]bold[/b]"),
    ],
)
def test_values_read_as_words_and_not_as_a_programs(
    value: object, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert readable(value) == text
    table("t", ("value",), [(value,)])
    shown = capsys.readouterr().out
    assert all(line in shown for line in text.splitlines())


def test_seals_are_listed_without_brackets_and_quotes(config: Path) -> None:
    shown = CliRunner().invoke(cli, ["-c", str(config), "seal", "list"]).stdout
    assert "no 否" in shown
    assert not {"[", "'"} & set(shown)
