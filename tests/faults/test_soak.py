"""A campaign: the whole hub under load for minutes while something fails every few seconds, drawn from a printed seed.

``LICENCE_HUB_SOAK_MINUTES`` (10) and ``LICENCE_HUB_SOAK_SEED``; the same seed draws the same faults in the same order.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random, SystemRandom

import pytest

from contracts.outcome import Outcome
from hub_material import MadeHub
from licencehub.app import Hub
from outages import Sender, missing, ready, register_permits, serve
from services.broker import OwnBroker
from services.database import OwnPostgres
from services.process import free_port, kill_tree, tree, wait_until

pytestmark = [pytest.mark.soak, pytest.mark.faults]
MINUTES = float(os.environ.get("LICENCE_HUB_SOAK_MINUTES", "10"))
SENDERS = 3
CALM_S = (2.0, 8.0)
"""Between the end of a fault and the next one."""
LONGEST_AWAY_S = 12.0


class Faults:
    """What may befall a hub and its servers; each fault ends by itself."""

    def __init__(
        self, random: Random, served: "subprocess.Popen[bytes]", broker: OwnBroker, database: OwnPostgres
    ) -> None:
        self._random, self._served = random, served
        self._broker, self._database = broker, database
        self.met: Counter[str] = Counter()

    def strike(self) -> None:
        """One fault, from its beginning to its end."""
        faults: list[Callable[[float], None]] = [
            self.process_killed,
            self.process_killed,
            self.broker_killed,
            self.database_killed,
            self.broker_frozen,
            self.database_frozen,
            self.broker_short_of_memory,
        ]
        fault = self._random.choice(faults)
        fault(self._random.uniform(0.5, LONGEST_AWAY_S))
        self.met[fault.__name__] += 1

    def process_killed(self, _away_s: float) -> None:
        """A process of the hub; its supervisor starts another."""
        if children := tree(self._served.pid)[1:]:
            with suppress(ProcessLookupError):
                os.kill(self._random.choice(children), signal.SIGKILL)

    def broker_killed(self, away_s: float) -> None:
        self._broker.settle()
        self._broker.kill()
        time.sleep(away_s)
        self._broker.start()

    def database_killed(self, away_s: float) -> None:
        self._database.kill()
        time.sleep(away_s)
        self._database.start()

    def broker_frozen(self, away_s: float) -> None:
        self._broker.pause()
        time.sleep(away_s)
        self._broker.resume()

    def database_frozen(self, away_s: float) -> None:
        self._database.pause()
        time.sleep(away_s)
        self._database.resume()

    def broker_short_of_memory(self, away_s: float) -> None:
        self._broker.set_memory_alarm()
        time.sleep(away_s)
        self._broker.clear_memory_alarm()


@pytest.mark.timeout(0)
def test_nothing_accepted_is_lost_whatever_fails_when(
    own_postgres: OwnPostgres, own_broker: OwnBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("LICENCE_HUB_SOAK_SEED", SystemRandom().randrange(1 << 32)))
    say(capsys, f"seed {seed}, {MINUTES:g} minutes")
    random = Random(seed)
    made = MadeHub(tmp_path, postgres_url=own_postgres.databases.fresh(), amqp_url=own_broker.url)
    with made.hub() as hub:
        register_permits(hub)
        port = free_port()
        served = serve(made, port)
        secret = (tmp_path / "secrets" / "client-department.key").read_text().strip()
        senders = [Sender(f"http://127.0.0.1:{port}", secret, f"S{number}") for number in range(SENDERS)]
        faults = Faults(random, served, own_broker, own_postgres)
        try:
            wait_until(lambda: ready(port), timeout_s=60, what="the hub to be ready")
            for sender in senders:
                sender.start()
            until = time.monotonic() + MINUTES * 60
            while time.monotonic() < until:
                time.sleep(random.uniform(*CALM_S))
                faults.strike()
            wait_until(lambda: ready(port), timeout_s=120, what="the hub to be ready again")
            for sender in senders:
                sender.finish()
            wait_until(lambda: not missing(hub.store, senders), timeout_s=300, what="every outcome")
            wait_until(lambda: settled(hub), timeout_s=300, what="every package and journal entry")
            verify_journal(made)
        finally:
            for sender in senders:
                sender.finish()
            served.send_signal(signal.SIGTERM)
            served.wait(60)
            kill_tree(served)
        receipts = [receipt for sender in senders for receipt in sender.receipts]
        answers = sum((sender.answers for sender in senders), Counter())
        say(capsys, f"{len(receipts)} records, answers {dict(answers)}, faults {dict(faults.met)}")
        assert set(answers) <= {0, 202, 503}
        assert len(set(receipts)) == len(receipts)
        stored = hub.store.ledger.totals()
        assert set(stored) == {Outcome.NEW}
        assert 0 <= stored[Outcome.NEW] - len(receipts) <= sum(sender.open for sender in senders)


def settled(hub: Hub) -> bool:
    """Nothing waits: every journal entry is numbered, every package made."""
    states = hub.store.packages.states()
    return not hub.store.journal.pending() and set(states) == {"packaged"}


def verify_journal(made: MadeHub) -> None:
    command = [sys.executable, "-m", "licencehub", "-c", str(made.path), "journal", "verify"]
    done = subprocess.run(command, env=made.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def say(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """A line for who watches the campaign."""
    with capsys.disabled():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
