"""Secrets are found by reference, and errors never quote them."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.secrets import resolve


def test_a_file_is_read_relative_to_the_base_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_text("s3cret\n")
    assert resolve("file:master.key", tmp_path) == "s3cret"
    assert resolve(f"file:{tmp_path}/master.key", Path("/")) == "s3cret"


def test_an_environment_variable_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SECRET", "s3cret")
    assert resolve("env:HUB_SECRET", tmp_path) == "s3cret"


@pytest.mark.parametrize("reference", ["file:none", "env:HUB_NOT_SET", "file:", "env:", "file:."])
def test_a_missing_secret_names_its_reference(reference: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=reference.split(":", maxsplit=1)[0]):
        resolve(reference, tmp_path)


def test_an_empty_secret_is_missing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(ConfigError, match="file:empty"):
        resolve("file:empty", tmp_path)


def test_a_secret_written_in_place_of_a_reference_is_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve("hunter2", tmp_path)
    assert "hunter2" not in str(caught.value)
