import stat
from pathlib import Path

import pytest

from core.config import load_config, write_default_config
from core.errors import ConfigError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "licence-hub.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path, environment: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(path, environment or {})
    return caught.value


def test_an_empty_file_is_a_hub_with_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ""), {})
    assert config.bus.kind == "embedded"
    assert config.folder == str(tmp_path)
    assert config.data == tmp_path / "data"
    assert config.clients == ()


def test_every_fault_is_reported_at_once_with_its_place(tmp_path: Path) -> None:
    error = refusal(
        write(
            tmp_path,
            """
            [hub]
            nam = "x"
            [gateway]
            port = "eighty"
            drain_s = -1
            [[client]]
            id = "a"
            kind = "hmca"
            [gatway]
            port = 1
            [store]
            url = "mysql://hub@db/hub"
            """,
        )
    )
    found = {fault.pointer: fault for fault in error.faults}
    assert set(found) == {
        "/hub/nam", "/gateway/port", "/gateway/drain_s", "/client/0/kind", "/client/0/secret", "/gatway",
        "/store/url",
    }  # fmt: skip
    assert found["/hub/nam"].remedy == "Did you mean 'name'?"
    assert found["/gatway"].remedy == "Did you mean 'gateway'?"
    assert "hmac" in found["/client/0/kind"].remedy
    assert "应为" in found["/gateway/port"].message_zh


def test_a_secret_written_in_place_of_its_reference_is_refused_and_not_shown(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, '[[client]]\nid = "a"\nsecret = "hunter2"\n'))
    assert [fault.pointer for fault in error.faults] == ["/client/0/secret"]
    assert "hunter2" not in str(error)
    assert error.faults[0].value is None


@pytest.mark.parametrize("setting", ["url", "migration_url"])
def test_a_password_in_a_url_is_refused_and_not_shown(tmp_path: Path, setting: str) -> None:
    error = refusal(write(tmp_path, f'[store]\n{setting} = "postgresql://hub:hunter2@db/hub"\n'))
    assert [(fault.rule, fault.pointer) for fault in error.faults] == [
        ("configuration.clear-secret", f"/store/{setting}")
    ]
    assert "hunter2" not in str(error)


def test_a_password_by_reference_is_accepted(tmp_path: Path) -> None:
    url = "postgresql://hub:${file:secrets/db}@db/hub"
    assert load_config(write(tmp_path, f'[store]\nurl = "{url}"\n'), {}).store.url == url


def test_a_fault_of_a_variable_names_the_variable_and_one_of_the_file_the_file(tmp_path: Path) -> None:
    path = write_default_config(tmp_path)
    path.write_text(path.read_text("utf-8").replace('region = "110000"', "region = 1"), "utf-8")
    told = str(refusal(path, {"LICENCE_HUB__GATEWAY__PORT": "abc"})).splitlines()
    assert sorted(line.split(": ")[0] for line in told) == sorted(["LICENCE_HUB__GATEWAY__PORT", str(path)])


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, '[gateway]\nport = 1\nhost = "a"\n')
    config = load_config(path, {"LICENCE_HUB__GATEWAY__PORT": "8301", "LICENCE_HUB__HUB__NAME": "north"})
    assert (config.gateway.port, config.gateway.host, config.hub.name) == (8301, "a", "north")


@pytest.mark.parametrize(
    "name", ["LICENCE_HUB__PORT", "LICENCE_HUB__CLIENTS__ID", "LICENCE_HUB__GATWAY__PORT"]
)
def test_a_variable_that_names_no_section_is_refused(tmp_path: Path, name: str) -> None:
    assert [fault.rule for fault in refusal(write(tmp_path, ""), {name: "1"}).faults] == [
        "configuration.environment"
    ]


def test_a_variable_that_names_no_setting_is_refused(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, ""), {"LICENCE_HUB__GATEWAY__PROT": "1"})
    assert [(fault.pointer, fault.remedy) for fault in error.faults] == [
        ("/gateway/prot", "Did you mean 'port'?")
    ]


def test_a_client_declared_twice_is_refused(tmp_path: Path) -> None:
    one = '[[client]]\nid = "a"\nsecret = "env:A"\n'
    assert [fault.pointer for fault in refusal(write(tmp_path, one * 2)).faults] == ["/client/1"]


def test_a_bus_that_does_not_fit_its_url_is_refused(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, '[bus]\nkind = "rabbitmq"\n'))
    assert [fault.pointer for fault in error.faults] == ["/bus/url"]


@pytest.mark.parametrize("url", ["mysql://hub@db/hub", "data/hub.db", ""])
def test_a_store_of_another_kind_is_refused_with_those_there_are(tmp_path: Path, url: str) -> None:
    error = refusal(write(tmp_path, f'[store]\nurl = "{url}"\n'))
    assert [(fault.rule, fault.pointer) for fault in error.faults] == [
        ("configuration.store-url", "/store/url")
    ]
    assert "sqlite:///PATH" in error.faults[0].remedy


def test_a_section_with_a_fault_of_its_own_is_not_judged_beside_others(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, '[bus]\nkind = "kafka"\nurl = "amqp://broker/"\n'))
    assert [fault.pointer for fault in error.faults] == ["/bus/kind"]


def test_broken_toml_names_its_line(tmp_path: Path) -> None:
    assert "line 2" in str(refusal(write(tmp_path, "[hub]\nname =\n")))


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    assert "licence-hub init" in str(refusal(tmp_path / "none.toml"))


@pytest.mark.parametrize("stack", ["embedded", "production"])
def test_the_configuration_written_by_init_loads_and_its_secrets_are_private(
    tmp_path: Path, stack: str
) -> None:
    path = write_default_config(tmp_path / "hub", "production" if stack == "production" else "embedded")
    config = load_config(path, {})
    assert config.bus.kind == ("rabbitmq" if stack == "production" else "embedded")
    references = [client.secret for client in config.clients] + [config.keys.master]
    files = [config.path(reference.removeprefix("file:")) for reference in references]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert len({file.read_text() for file in files}) == len(files)
    assert not any(file.read_text().strip() in repr(config) for file in files)


def test_init_never_overwrites(tmp_path: Path) -> None:
    write_default_config(tmp_path)
    with pytest.raises(FileExistsError):
        write_default_config(tmp_path)
