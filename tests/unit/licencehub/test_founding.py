"""``init`` after an attempt that failed half-way, and what of a new hub is on the disk."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.errors import ConfigError
from disk_material import at_flush, names
from licencehub.__main__ import cli

KILLED = """
import os, sys
from licencehub import foundation
foundation.create_seal = lambda *_: os._exit(137)
sys.argv = ["licence-hub", "init", sys.argv[1]]
from licencehub.__main__ import main
main()
"""


def init(folder: Path) -> Result:
    return CliRunner().invoke(cli, ["init", str(folder)])


def assert_sound(folder: Path, master: bytes) -> None:
    assert (folder / "secrets" / "master.key").read_bytes() == master, "the store may know it already"
    assert names(folder) == ["data", "licence-hub.toml", "seal", "secrets"]
    examined = CliRunner().invoke(cli, ["-c", str(folder / "licence-hub.toml"), "doctor"])
    assert examined.exit_code == 0, examined.output


def test_a_hub_whose_seal_found_the_disk_full_is_made_by_running_init_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "hub"

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("core.sealing.store.SealStore.add", full)
        assert isinstance(init(folder).exception, OSError)
    assert not (folder / "licence-hub.toml").exists()
    master = (folder / "secrets" / "master.key").read_bytes()
    assert init(folder).exit_code == 0
    assert_sound(folder, master)


def test_a_hub_made_elsewhere_by_variables_is_found_there_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "hub", tmp_path / 'an "odd" place'
    elsewhere.mkdir()
    with monkeypatch.context() as patched:
        patched.setenv("LICENCE_HUB__STORE__URL", f"sqlite:///{elsewhere}/hub.db")
        patched.setenv("LICENCE_HUB__BUS__URL", f"{elsewhere}/bus.db")
        assert init(folder).exit_code == 0
    assert {"hub.db", "bus.db"} <= {path.name for path in elsewhere.iterdir()}
    assert list((folder / "data").iterdir()) == []
    assert_sound(folder, (folder / "secrets" / "master.key").read_bytes())


def test_a_hub_whose_maker_was_killed_is_made_by_running_init_again(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False, capture_output=True)
    assert killed.returncode == 137, killed.stderr
    assert not (folder / "licence-hub.toml").exists()
    master = (folder / "secrets" / "master.key").read_bytes()
    assert init(folder).exit_code == 0
    assert_sound(folder, master)


def test_a_hub_that_is_there_is_left_alone(tmp_path: Path) -> None:
    assert init(tmp_path).exit_code == 0
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    refused = init(tmp_path)
    assert (refused.exit_code, "holds a hub already" in refused.output) == (2, True)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_all_that_a_new_hub_cannot_do_without_is_flushed_to_the_disk(tmp_path: Path) -> None:
    flushed: set[int] = set()
    with at_flush(lambda _place, descriptor: flushed.add(os.fstat(descriptor).st_ino)):
        assert init(tmp_path / "hub").exit_code == 0
    hub = tmp_path / "hub"
    places = [hub / "licence-hub.toml", *(hub / "secrets").rglob("*"), *(hub / "seal").rglob("*")]
    assert len(places) > 20
    assert [place for place in (tmp_path, hub, *places) if place.stat().st_ino not in flushed] == []
    private = [place for place in places if place.suffix == ".key"]
    assert {stat.S_IMODE(place.stat().st_mode) for place in private} == {0o600}


def test_an_empty_secret_of_a_failed_attempt_is_told_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "master.key").write_bytes(b"")
    refused = init(tmp_path).exception
    assert isinstance(refused, ConfigError)
    assert "master.key" in str(refused)
    assert [(fault.rule, "密钥文件存在但内容为空" in fault.message_zh) for fault in refused.faults] == [
        ("secret.empty", True)
    ]
    assert (tmp_path / "secrets" / "master.key").read_bytes() == b""
    assert names(tmp_path / "secrets") == ["master.key"]
