"""``make run ARGS=--once`` as a process: every row has its outcome, the tables say so, nothing is left running."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pika.exceptions
import psycopg
import pytest

from services.process import is_listening

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "licencehub.demo", "--once", "--scale", "0.15", "--home", str(home)]
    return subprocess.run([*command, *arguments], check=False, capture_output=True, text=True, timeout=380)


def _hubs(home: Path) -> list[Path]:
    return sorted(home.glob("demo-*"))


def test_the_embedded_demonstration_ends_with_every_row_as_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "LICENCE_HUB__GATEWAY__PORT", "1"
    )  # set for another hub: the demonstration has its own
    done = _run(tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "every row had its outcome" in done.stdout
    assert done.stderr == ""
    (hub,) = _hubs(tmp_path)
    assert (hub / "licence.ofd").stat().st_size > 10_000
    outcomes = set(re.findall(r"^ (\w+) +[0-9]+ +[0-9]+ +✓", done.stdout, re.MULTILINE))
    assert outcomes >= {"new", "newer", "repeat", "stale", "conflict", "history", "quarantined", "rejected"}
    for check in ("alert raised", "alert closed", "verified valid", "verified invalid", "journal valid"):
        assert check in done.stdout
    port = tomllib.loads((hub / "licence-hub.toml").read_text("utf-8"))["gateway"]["port"]
    assert not is_listening(port)


def test_production_without_servers_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICENCE_HUB_DEMO_POSTGRES", "postgresql://nobody@127.0.0.1:1/postgres")
    monkeypatch.setenv("LICENCE_HUB_DEMO_RABBITMQ", "amqp://guest:guest@127.0.0.1:1/")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = _run(tmp_path, "--stack", "production")
    assert done.returncode == 2
    assert "RabbitMQ" in done.stdout
    assert "LICENCE_HUB_DEMO_POSTGRES" in done.stdout
    assert _hubs(tmp_path) == []


def test_the_production_demonstration_leaves_nothing_on_the_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_vhost: str, postgres_url: str
) -> None:
    server = urlsplit(postgres_url)._replace(path="/postgres").geturl()
    monkeypatch.setenv("LICENCE_HUB_DEMO_POSTGRES", server)
    monkeypatch.setenv("LICENCE_HUB_DEMO_RABBITMQ", fresh_vhost)
    done = _run(tmp_path, "--stack", "production")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    (hub,) = _hubs(tmp_path)
    settings = tomllib.loads((hub / "licence-hub.toml").read_text("utf-8"))
    assert settings["bus"]["kind"] == "rabbitmq"
    database = urlsplit(settings["store"]["url"]).path.lstrip("/")
    with psycopg.connect(server) as connection:
        names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
    assert database not in names
    with pika.BlockingConnection(pika.URLParameters(fresh_vhost)) as broker:
        queue = f"{settings['bus']['prefix']}.work.records"
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="NOT_FOUND"):
            broker.channel().queue_declare(queue, passive=True)
