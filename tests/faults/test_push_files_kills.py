"""A gateway killed at every step between the first file of a push and its answer, on both stacks.

What was answered is in the library with all its files, whether or not the sender comes back; what was not, and was not repeated
either, leaves nothing but files that the purge removes.
"""

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from contracts.outcome import Outcome
from core.service.maintenance import Maintenance
from core.store.licences import LicenceQuery
from faults import hub_process
from faults.push_process import INTERFACE
from form_material import picture
from gateway_parts import TYPE, permits
from hub_material import KILLED, MadeHub
from licencehub.app import Hub

pytestmark = pytest.mark.faults
MOST_STEPS = 40
PROCESS = Path(__file__).parent / "push_process.py"
LATER_S = 4e9
"""A moment at which every retention is over."""


@pytest.fixture(params=["embedded", pytest.param("production", marks=pytest.mark.external)])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> MadeHub:
    made = MadeHub(tmp_path)
    if request.param == "production":
        postgres, broker = request.getfixturevalue("fresh_database"), request.getfixturevalue("fresh_vhost")
        made = MadeHub(tmp_path / "production", postgres_url=postgres, amqp_url=broker)
    with made.hub() as hub:
        registry = hub.store.registry
        registry.apply("licence-type", TYPE, PERMIT, "test")
        registry.apply("interface", INTERFACE, permits(INTERFACE, source_class="C"), "test")
        registry.set_state("interface", INTERFACE, "enabled", "test")
    return made


PERMIT = {"code": TYPE, "name": {"en": "Permit"}, "required": ["licence_number"]}


def push(made: MadeHub, number: str, kill_at: int) -> tuple[int, str]:
    """Exit status of the gateway, and the receipt the sender was given, if any."""
    command = [sys.executable, str(PROCESS), str(made.path), number, f"key-{number}", str(kill_at)]
    done = subprocess.run(
        command, env=made.environment, timeout=60, check=False, capture_output=True, text=True
    )
    if done.returncode not in {0, KILLED}:
        raise AssertionError(done.stderr[-4000:])
    return done.returncode, done.stdout.strip()


def library(hub: Hub) -> dict[str, list[bytes]]:
    """Every licence with the bytes of its pages."""
    page = hub.store.licences.find(LicenceQuery(scope="management"), limit=500)
    return {
        view.licence_number: [hub.store.blobs.get(bytes.fromhex(scan.digest)) for scan in view.scans]
        for view in page.licences
    }


def purge(hub: Hub) -> int:
    """Removes whatever nobody refers to, however young it is; returns how much that was."""
    before = stored_files(hub)
    Maintenance(hub.store, clock=lambda: LATER_S).purge_files()
    return before - stored_files(hub)


def stored_files(hub: Hub) -> int:
    with hub.store.database.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM blob").scalar_one())


def test_a_gateway_killed_anywhere_loses_no_accepted_file_and_leaves_no_garbage_for_good(
    made: MadeHub,
) -> None:
    answered: set[str] = set()
    killed = removed = 0
    with made.hub() as hub:
        for step in range(1, MOST_STEPS):
            number = f"N-{step}"
            status, receipt = push(made, number, step)
            if receipt:
                answered.add(number)
            removed += purge(hub)  # the worst moment: nothing of it is in the ledger yet
            if step % 2:  # every second sender comes back
                again, repeated = push(made, number, 0)
                assert again == 0
                assert receipt in ("", repeated)
                answered.add(number)
                assert UUID(repeated).version == 7
            if status != KILLED:
                break
            killed += 1
        assert killed >= 8
        purge(hub)
        hub_process.ROLES["worker"](hub, hub_process.Fuse(0))
        purge(hub)
        kept = library(hub)
        assert answered <= kept.keys()
        for number, pages in kept.items():
            assert pages == [picture() + number.encode(), picture("red")]
        # A record that was published, never answered and never repeated is held when its files went before it came.
        totals = hub.store.ledger.totals(interface=INTERFACE)
        assert totals.pop(Outcome.NEW) == len(kept)
        assert totals.keys() <= {Outcome.QUARANTINED, Outcome.REPEAT}
        assert stored_files(hub) == len(kept) + 1
        assert removed > 0
        assert hub.bus.parked() == []
