"""A new hub for the tests of commands."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from licencehub.__main__ import cli


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its configuration file."""
    folder = tmp_path_factory.mktemp("hub")
    result = CliRunner().invoke(cli, ["init", str(folder), "--json"], catch_exceptions=False)
    return Path(json.loads(result.stdout)["config"])
