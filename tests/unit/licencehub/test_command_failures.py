"""What goes wrong around a command is told in words with its exit code, never as a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from licencehub.__main__ import cli, main


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_named_with_the_cause(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = failed(capsys, "init", "/proc/no-such-folder/hub")
    assert code == 1
    assert "/proc/no-such-folder" in said
    assert "请检查" in said
    assert "Traceback" not in said


def test_a_redrive_of_what_is_not_parked_fails_and_journals_nothing(config: Path) -> None:
    result = CliRunner().invoke(
        cli, ["-c", str(config), "deadletter", "redrive", "unknown", "--reason", "x", "--json"]
    )
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"count": 0, "missing": 1, "discarded": False}
    journal = CliRunner().invoke(cli, ["-c", str(config), "journal", "verify", "--json"])
    assert json.loads(journal.stdout)["size"] == 0


def test_serve_ends_at_once_with_every_secret_that_is_missing(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "licence-hub.toml"
    text = config.read_text("utf-8")
    for name in ("master", "client-department", "client-developer"):
        text = text.replace(f"secrets/{name}.key", f"secrets/no-{name}.key")
    broken.write_text(text, "utf-8")
    code, said = failed(capsys, "-c", str(broken), "serve")
    assert code == 2
    for place in ("/keys/master", "/client/0/secret", "/client/1/secret"):
        assert said.count(place) == 2  # in English and in Chinese
    code, said = failed(capsys, "-c", str(broken), "serve", "--role", "worker")
    assert code == 2
    assert "/client/" not in said  # the host of a worker needs no client's secret


def test_serve_ends_at_once_when_the_master_key_is_another_stores(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A restored database with the wrong secrets: each part would fail, wait and try again for ever."""
    CliRunner().invoke(cli, ["init", str(tmp_path / "other")], catch_exceptions=False)
    foreign = config.with_name("foreign.toml")
    foreign.write_text(
        config.read_text("utf-8").replace(
            "file:secrets/master.key", f"file:{tmp_path}/other/secrets/master.key"
        )
    )
    for role in ("all", "worker"):
        code, said = failed(capsys, "-c", str(foreign), "serve", "--role", role)
        assert code == 2
        assert "master" in said


def test_a_hub_whose_store_was_out_of_reach_is_made_by_running_init_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "hub"
    monkeypatch.setenv("LICENCE_HUB__STORE__URL", "postgresql://nobody@127.0.0.1:1/none")
    code, said = failed(capsys, "init", str(folder))
    assert code == 1
    assert "out of reach" in said
    key = (folder / "secrets" / "master.key").read_text("ascii")
    monkeypatch.delenv("LICENCE_HUB__STORE__URL")
    result = CliRunner().invoke(cli, ["init", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0
    assert (folder / "secrets" / "master.key").read_text("ascii") == key


def test_a_locale_without_chinese_characters_costs_them_and_not_the_answer(config: Path) -> None:
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "licencehub", "-c", str(config), "interface", "list"]
    done = subprocess.run(command, env=plain, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"none" in done.stdout
