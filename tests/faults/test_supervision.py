"""How the processes of a hub end: all of them signalled at once, and with a part that is stuck."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from hub_material import MadeHub
from licencehub.presence import WORKER_LEASE
from licencehub.supervision import PARENT
from outages import Sender, pause_for, ready, register_permits
from services.process import free_port, guarded, wait_until

SUPERVISED = Path(__file__).with_name("supervised_process.py")
STUCK = """
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from licencehub import supervision

stop = Event()

def stuck(_stop):
    stop.set()
    ThreadPoolExecutor(1).submit(Event().wait).result()

supervision.GRACE_S = 0.3
supervision.run_threads({"jobs": stuck, "others": Event.wait}, stop)
"""

HELD = """
import signal
from licencehub import supervision

stop = supervision.stop_on_signals()
with stop._cond:  # as in the first steps of Event.wait and Event.set
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)
stop.wait()
"""


def test_a_signal_to_the_whole_process_group_drains_and_ends_well(tmp_path: Path) -> None:
    made, port = MadeHub(tmp_path), free_port()
    with made.hub() as hub:
        register_permits(hub)
    secret = (tmp_path / "secrets" / "client-department.key").read_text().strip()
    settings = {"LICENCE_HUB__GATEWAY__PORT": str(port), "LICENCE_HUB__GATEWAY__DRAIN_S": "1.0"}
    command = guarded([sys.executable, str(SUPERVISED), str(made.path)])
    process = subprocess.Popen(
        command,
        env=made.environment | settings,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: ready(port), timeout_s=60, what="the gateway is ready")
    with made.hub() as hub:
        leases = hub.store.leases
        wait_until(
            lambda: leases.holder(WORKER_LEASE) is not None, timeout_s=60, what="the worker is at work"
        )
    sender = Sender(f"http://127.0.0.1:{port}", secret)
    sender.start()
    try:
        pause_for(sender, 20)
        os.killpg(process.pid, signal.SIGINT)
        before = len(sender.receipts)
        out, _errors = process.communicate(timeout=60)
    finally:
        sender.finish()
    assert (process.returncode, json.loads(out)) == (0, [0, 0])
    assert len(sender.receipts) > before
    with made.hub() as hub:
        manifests = hub.store.manifests.unreconciled(2**62)
        assert set(sender.receipts) <= {str(receipt) for one in manifests for receipt in one.receipts}
        assert hub.store.leases.holder(WORKER_LEASE) is None


def run(program: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_signals_that_come_while_the_process_begins_to_wait_are_heeded() -> None:
    ended = run(HELD, **{PARENT: "1"})
    assert ended.returncode == 0, ended.stderr


def test_a_second_signal_ends_a_process_without_supervisor_at_once() -> None:
    assert run(f"{HELD}\nsignal.pause()").returncode == 128 + signal.SIGINT


def test_a_process_ends_without_a_part_that_is_stuck_and_names_it() -> None:
    ended = run(STUCK)
    assert (ended.returncode, "jobs did not end in time" in ended.stderr) == (1, True), ended.stderr
