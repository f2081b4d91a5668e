"""``style`` on a hub of its own."""

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.errors import ConfigError
from core.packaging.style_loader import STYLES
from licencehub.__main__ import cli


@pytest.fixture
def config(tmp_path: Path) -> Path:
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "hub"), "--json"], catch_exceptions=False)
    return Path(json.loads(result.stdout)["config"])


@pytest.fixture
def style(tmp_path: Path) -> Path:
    folder = shutil.copytree(STYLES / "permit", tmp_path / "own")
    file = folder / "style.toml"
    file.write_text(file.read_text("utf-8").replace('name = "permit"', 'name = "own"', 1), "utf-8")
    return folder


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["-c", str(config), "style", *arguments])


def test_a_style_that_can_no_longer_be_loaded_hides_no_other_from_the_list(config: Path, style: Path) -> None:
    assert run(config, "apply", str(style)).exit_code == 0
    assert run(config, "preview", "own", "-o", str(config.parent / "own.png")).exit_code == 0
    kept = next((config.parent / "data" / "styles").glob("own-*"))
    (kept / "base.jpg").unlink()
    with sqlite3.connect(config.parent / "data" / "hub.db") as store:  # nor is it in the store
        lost = hashlib.sha256((style / "base.jpg").read_bytes()).digest()
        store.execute("DELETE FROM blob WHERE digest = ?", (lost,))
    store.close()
    assert run(config, "preview", "own", "-o", str(config.parent / "own.png")).exit_code != 0
    listed = {
        row["name"]: (row["from"], row["version"]) for row in json.loads(run(config, "list", "--json").stdout)
    }
    assert listed == {
        "business-licence": ("shipped", 1),
        "certificate": ("shipped", 1),
        "own": ("registered", 1),
        "permit": ("shipped", 1),
    }


def test_a_style_of_a_shipped_name_is_told_to_take_its_place(config: Path, style: Path) -> None:
    assert "shipped" not in run(config, "apply", str(style)).stdout
    file = style / "style.toml"
    file.write_text(file.read_text("utf-8").replace('name = "own"', 'name = "permit"', 1), "utf-8")
    applied = run(config, "apply", str(style))
    assert applied.exit_code == 0
    assert "instead of the shipped style permit" in applied.stdout
    assert "取代内置样式 permit" in applied.stdout
    assert json.loads(run(config, "apply", str(style), "--json").stdout)["replaces_shipped"] is True


def test_the_list_shows_where_a_shipped_style_can_be_copied_from(config: Path, style: Path) -> None:
    assert run(config, "apply", str(style)).exit_code == 0
    folders = {row["name"]: row["folder"] for row in json.loads(run(config, "list", "--json").stdout)}
    assert (Path(folders["certificate"]) / "style.toml").is_file()
    assert folders["own"] == ""
    assert "core/packaging/styles/certificate" in run(config, "list").stdout


def test_a_name_that_leads_out_of_the_folder_of_styles_is_refused(config: Path, style: Path) -> None:
    file = style / "style.toml"
    file.write_text(file.read_text("utf-8").replace('name = "own"', 'name = "../../own"', 1), "utf-8")
    refused = run(config, "apply", str(style))
    assert isinstance(refused.exception, ConfigError)
    assert [fault.pointer for fault in refused.exception.faults] == ["/name"]
    assert not list(config.parent.parent.glob("own-*"))


TYPE = """
[licence_type]
code = "11110000000000001R001"
name = { en = "Permit", zh-CN = "许可证" }
style = "STYLE"
[licence_type.items]
KZ_DZ = { label = { en = "Address", zh-CN = "地址" } }
"""


def declared(folder: Path, style: str) -> str:
    file = folder / "type.toml"
    file.write_text(TYPE.replace("STYLE", style), "utf-8")
    return str(file)


def test_a_type_must_name_a_style_there_is_and_that_fits_it(config: Path, style: Path) -> None:
    unknown = CliRunner().invoke(
        cli, ["-c", str(config), "interface", "apply", "-f", declared(style.parent, "own")]
    )
    assert isinstance(unknown.exception, ConfigError)
    assert [fault.rule for fault in unknown.exception.faults] == ["registration.unknown-style"]
    file = style / "style.toml"
    asking = file.read_text("utf-8").replace('code = "CZZTDM"', 'code = "KZ_NONE"', 1)
    file.write_text(asking, "utf-8")
    assert run(config, "apply", str(style)).exit_code == 0
    unfit = CliRunner().invoke(
        cli, ["-c", str(config), "interface", "apply", "-f", declared(style.parent, "own")]
    )
    assert isinstance(unfit.exception, ConfigError)
    assert [(fault.rule, fault.pointer) for fault in unfit.exception.faults] == [
        ("style.unknown-item", "/licence_type/11110000000000001R001/style/field/3/code")
    ]


def test_a_new_version_of_a_style_must_fit_the_types_that_name_it(config: Path, style: Path) -> None:
    assert run(config, "apply", str(style)).exit_code == 0
    named = CliRunner().invoke(
        cli, ["-c", str(config), "interface", "apply", "-f", declared(style.parent, "own")]
    )
    assert named.exit_code == 0, named.output
    file = style / "style.toml"
    changed = file.read_text("utf-8").replace('code = "CZZTDM"', 'code = "KZ_NONE"', 1)
    file.write_text(changed.replace("version = 1", "version = 2", 1), "utf-8")
    refused = run(config, "apply", str(style))
    assert isinstance(refused.exception, ConfigError)
    assert [fault.rule for fault in refused.exception.faults] == ["style.unknown-item"]
