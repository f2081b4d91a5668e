"""The hub of the demonstration: a folder with its configuration, three interfaces, and the process that serves it."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import tomli_w

from core.config import load_config, write_default_config
from core.durable import put_file
from core.service.registration import Registration
from licencehub.app import Hub
from licencehub.demo.servers import Servers
from licencehub.foundation import found_hub
from licencehub.supervision import PARENT

PORT = 8300
CLIENT = "transport-bureau"
SUBSCRIBER = "neighbour-library"
KEPT_RUNS = 3
READY_S = 60.0
END_S = 40.0


class DidNotStart(Exception):
    """The hub does not answer; the text names its log."""


@dataclass(frozen=True)
class Stage:
    """A made hub."""

    folder: Path
    base: str
    servers: Servers | None

    @property
    def config(self) -> Path:
        """Its configuration file."""
        return self.folder / "licence-hub.toml"

    @property
    def log(self) -> Path:
        """What the serving processes write."""
        return self.folder / "serve.log"

    @property
    def drops(self) -> Path:
        """The folder with the drop folders."""
        return self.folder / "data" / "drop"

    def secret(self, name: str) -> Path:
        """The file of a secret."""
        return self.folder / "secrets" / f"{name}.key"


def run_name(stack: str) -> str:
    """A name of this run alone; it sorts by time."""
    return f"demo-{stack}-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"  # noqa: DTZ005 -- a name for the people of this machine


def forget_old_runs(home: Path) -> None:
    """Removes the folders of all but the latest runs."""
    old = sorted(
        (path for path in home.glob("demo-*") if path.is_dir()), key=lambda path: path.stat().st_mtime
    )
    for path in old[: -KEPT_RUNS or None]:
        shutil.rmtree(path, ignore_errors=True)


def make_stage(folder: Path, servers: Servers | None, subscriber_url: str, *, lasting: bool) -> Stage:
    """Writes the configuration, founds the hub and registers and enables the three interfaces.

    A ``lasting`` hub gets the usual port where it is free; one that nobody visits takes any, so that runs never meet.
    """
    stage = Stage(folder, f"http://127.0.0.1:{_free_port(usual=lasting)}", servers)
    folder.mkdir(parents=True)
    path = write_default_config(folder, "production" if servers else "embedded")
    for name in (CLIENT, SUBSCRIBER):
        _write_secret(stage.secret(name), secrets.token_urlsafe(32))
    settings = tomllib.loads(path.read_text("utf-8"))
    _adapt(settings, stage, subscriber_url)
    path.write_text(tomli_w.dumps(settings), "utf-8")
    with Hub(load_config(path), "demo") as hub:
        found_hub(hub)
        _register(hub)
    return stage


def _adapt(settings: dict[str, Any], stage: Stage, subscriber_url: str) -> None:
    settings["hub"] |= {
        "name": "demonstration",
        "library_name": "示范市电子证照库",
        "library_code": "DEMO",
    }
    settings["gateway"]["port"] = urlsplit(stage.base).port
    # Alerts and sweeps every second, so that they can be watched.
    settings["scheduler"] = {"alert_sweep_s": 1.0, "package_sweep_s": 5.0, "reconcile_s": 2.0, "lease_s": 5.0}
    settings["client"].append(
        {
            "id": CLIENT,
            "secret": f"file:secrets/{CLIENT}.key",
            "department": "示范市交通运输局",
            "grants": [{"actions": ["push", "receipt.read", "quarantine.read"], "interfaces": ["road-*"]}],
        }
    )
    settings["subscriber"] = [
        {"name": SUBSCRIBER, "url": subscriber_url, "secret": f"file:secrets/{SUBSCRIBER}.key"}
    ]
    if stage.servers:
        _place_on_servers(settings, stage, stage.servers)


def _place_on_servers(settings: dict[str, Any], stage: Stage, servers: Servers) -> None:
    """Database and prefix of this run; passwords go into files, as the configuration demands."""
    store, bus = urlsplit(servers.postgres), urlsplit(servers.rabbitmq)
    settings["store"]["url"] = _with_reference(
        stage, store._replace(path="/" + servers.database).geturl(), "store"
    )
    settings["bus"] |= {"url": _with_reference(stage, bus.geturl(), "bus"), "prefix": servers.prefix}


def _with_reference(stage: Stage, url: str, name: str) -> str:
    """The URL with its password moved into a file of the stage."""
    password = urlsplit(url).password
    if not password:
        return url
    _write_secret(stage.secret(f"{name}-password"), password)
    head, _, tail = url.partition(f":{password}@")
    return f"{head}:${{file:secrets/{name}-password.key}}@{tail}"


def _write_secret(path: Path, value: str) -> None:
    put_file(path, f"{value}\n".encode())


def _register(hub: Hub) -> None:
    registration = Registration(hub.store.registry)
    with as_file(files("licencehub.demo").joinpath("interfaces")) as folder:
        entries = registration.apply(sorted(folder.glob("*.toml")), "demonstration", hub.styles)
    for entry in entries:
        if entry.kind == "interface":
            registration.set_state(entry.name, "enabled", "demonstration")


def _free_port(*, usual: bool) -> int:
    """The usual port where it is wanted and free, else any."""
    for port in (PORT, 0) if usual else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DidNotStart("no free TCP port on 127.0.0.1")


class Serving:
    """``licence-hub serve`` in a process group of its own, so that Ctrl-C ends it once and in order."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        command = [sys.executable, "-P", "-m", "licencehub", "-c", str(stage.config), "serve"]
        self._log = stage.log.open("ab")
        environment = {**os.environ, PARENT: str(os.getpid())}
        self._process = subprocess.Popen(  # noqa: S603 -- our own program
            command, stderr=self._log, stdout=self._log, env=environment, start_new_session=True
        )

    def wait_until_ready(self) -> None:
        """Returns when ``/readyz`` says yes; raises ``DidNotStart``."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self.is_alive():
            try:
                if httpx.get(f"{self._stage.base}/readyz", timeout=2, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise DidNotStart(f"the hub did not become ready 枢纽未就绪; see {self._stage.log}")

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def end(self) -> int | None:
        """SIGTERM, then patience; returns the exit status, None when it had to be killed."""
        if self.is_alive():
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            return None
        finally:
            self._log.close()
