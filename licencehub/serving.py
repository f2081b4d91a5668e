"""``serve``: one role in this process, or the whole hub: threads on the embedded stack, processes in production."""

import shutil
from pathlib import Path

from licencehub.app import Hub
from licencehub.credentials import require_secrets
from licencehub.roles import ROLES, parts
from licencehub.supervision import Child, run_processes, run_threads, stop_on_signals

ENDS_FIRST = ("gateway", "poller", "worker", "packager", "scheduler", "sequencer")
"""Order in which the roles are ended: intake first, so that what was accepted is finished."""


def serve_role(hub: Hub, role: str, config: Path) -> None:
    """Runs until SIGTERM or SIGINT.

    Raises ``ConfigError`` before anything starts when a secret cannot be used, or the master key is another store's.
    """
    require_secrets(hub, tuple(ROLES) if role == "all" else (role,))
    stop = stop_on_signals()
    if role == "all" and hub.config.bus.kind == "rabbitmq":
        with hub:
            _open_store(hub)
        shutil.rmtree(hub.metrics_folder, ignore_errors=True)  # figures of processes that no longer exist
        run_processes(_children(hub, config), stop)
        return
    with hub:
        _open_store(hub)
        run_threads(parts(hub, tuple(ROLES) if role == "all" else (role,)), stop)


def _open_store(hub: Hub) -> None:
    """Now rather than in every part: with a wrong key they would fail, wait and try again for ever."""
    hub.prepare()
    _ = hub.store


def _children(hub: Hub, config: Path) -> list[Child]:
    counts = {"worker": hub.config.worker.processes, "packager": hub.config.packager.processes}
    return [
        Child(slot, ["-c", str(config), "serve", "--role", role, "--slot", slot])
        for role in ENDS_FIRST
        for slot in ([role] if counts.get(role, 1) == 1 else [f"{role}-{n + 1}" for n in range(counts[role])])
    ]
