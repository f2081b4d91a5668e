"""What the poller's part does beside the folders: it outlives defects, and ends with the part."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.filedrop.poller import DropPoller
from core.config import load_config
from core.errors import InternalError
from licencehub import poller
from licencehub.app import Hub


def test_a_manifest_that_met_a_defect_is_written_in_the_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "MANIFEST_EVERY_S", 0.001)
    stop, rounds = threading.Event(), iter([InternalError("refused"), RuntimeError("can't start new thread")])

    def write() -> None:
        for error in rounds:
            raise error
        stop.set()

    hub: Any = SimpleNamespace(manifest=SimpleNamespace(write=write))
    poller.write_manifests(hub, stop)
    assert stop.is_set()


def test_a_part_that_fails_leaves_no_threads_behind_and_its_last_manifest_written(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def run(_poller: DropPoller, _stop: threading.Event) -> None:
        written.clear()
        raise RuntimeError("a defect")

    monkeypatch.setattr(DropPoller, "run", run)
    with Hub(load_config(config, {})) as hub:
        hub.prepare()
        monkeypatch.setattr(hub.manifest, "write", lambda: written.append("written"))
        before = threading.active_count()
        for _restart in range(3):
            with pytest.raises(RuntimeError, match="a defect"):
                poller.poll_drops(hub, threading.Event())
            assert written
        assert threading.active_count() == before
