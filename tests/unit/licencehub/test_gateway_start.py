"""A gateway that cannot listen says where, and leaves nothing behind that would fail when the hub is stopped."""

import json
import socket
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.errors import Unavailable
from licencehub.__main__ import cli
from licencehub.commands.shell import Shell
from licencehub.gateway import serve_gateway


def test_a_gateway_whose_port_is_taken_ends_with_its_watcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = CliRunner().invoke(cli, ["init", str(tmp_path), "--json"], catch_exceptions=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("LICENCE_HUB__GATEWAY__PORT", str(port))
        with (
            Shell(Path(json.loads(made.stdout)["config"])).hub("gateway") as hub,
            pytest.raises(Unavailable, match=f"127.0.0.1:{port}"),
        ):
            serve_gateway(hub, threading.Event())
    until = time.monotonic() + 10
    while any(thread.name == "gateway-stop" for thread in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.05)
