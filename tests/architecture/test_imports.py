"""The direction of imports and the edge of each driver, judged by import-linter over the packages under test."""

import configparser
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CONTRACTS = _ROOT / ".importlinter"


def _lint(config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run in a foreign folder, so that the packages judged are the ones installed."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(config), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def test_every_import_contract_is_kept(tmp_path: Path) -> None:
    run = _lint(_CONTRACTS, tmp_path)
    assert run.returncode == 0, run.stdout
    assert " 0 broken" in run.stdout


def test_a_contract_that_cannot_be_kept_is_reported_as_broken(tmp_path: Path) -> None:
    config = configparser.ConfigParser()
    config.read(_CONTRACTS)
    config["importlinter:contract:upside-down"] = {
        "name": "core above licencehub",
        "type": "layers",
        "layers": "\ncontracts\ncore",
    }
    broken = tmp_path / "broken.ini"
    with broken.open("w") as file:
        config.write(file)
    run = _lint(broken, tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "core above licencehub BROKEN" in run.stdout


def test_every_top_level_package_is_under_contract() -> None:
    config = configparser.ConfigParser()
    config.read(_CONTRACTS)
    packages = {path.parent.name for path in _ROOT.glob("*/__init__.py")} - {
        "bench"
    }  # measures the product, is not shipped
    assert set(config["importlinter"]["root_packages"].split()) == packages
