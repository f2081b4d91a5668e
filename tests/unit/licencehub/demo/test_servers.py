"""Finding the production stack: what is named, what is on the standard ports, what an engine can start, or a clear message."""

from pathlib import Path

import pytest

from core.store.databases import create_database
from licencehub.demo import servers

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No server at the named places, and a folder that is the whole path of programs."""
    monkeypatch.setenv(servers.POSTGRES_VARIABLE, f"postgresql://nobody@{NOWHERE}/postgres")
    monkeypatch.setenv(servers.RABBITMQ_VARIABLE, f"amqp://guest:guest@{NOWHERE}/")
    monkeypatch.setenv("PATH", str(tmp_path))
    compose = tmp_path / "compose.yaml"
    compose.touch()
    monkeypatch.setattr(servers, "COMPOSE", compose)
    return tmp_path


def _program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_without_servers_and_engine_the_message_names_both_and_what_to_do(nothing_runs: Path) -> None:
    with pytest.raises(servers.NoServers) as refused:
        servers.find_servers("licence-hub-demo-1", lambda _line: None)
    text = str(refused.value)
    assert "PostgreSQL: " in text
    assert "RabbitMQ: " in text
    assert servers.POSTGRES_VARIABLE in text


def test_an_engine_that_answers_is_asked_to_start_the_compose_file(
    nothing_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The wheel ships no compose file: the demonstration finds it beside the checkout it runs from.
    monkeypatch.setattr(servers, "COMPOSE", Path(__file__).parents[4] / "deploy" / "compose.yaml")
    _program(nothing_runs, "docker", f'[ "$1" = info ] && exit 0\necho "$*" > {nothing_runs}/asked\nexit 1')
    said: list[str] = []
    with pytest.raises(servers.NoServers):
        servers.find_servers("licence-hub-demo-1", said.append)
    asked = (nothing_runs / "asked").read_text().split()
    assert asked == ["compose", "-f", str(servers.COMPOSE), "up", "--detach", "--wait"]
    assert len(said) == 1


def test_an_engine_without_its_daemon_is_left_alone(nothing_runs: Path) -> None:
    _program(nothing_runs, "docker", f'[ "$1" = info ] && exit 1\ntouch {nothing_runs}/asked')
    with pytest.raises(servers.NoServers):
        servers.find_servers("licence-hub-demo-1", lambda _line: None)
    assert not (nothing_runs / "asked").exists()


@pytest.mark.parametrize("name", ["", "Licence", "a b", 'a"; DROP DATABASE b; --', "1a"])
def test_a_database_name_that_would_need_quoting_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="database name"):
        create_database(f"postgresql://nobody@{NOWHERE}/postgres", name)
