"""The whole hub as its supervisor runs it, under load, while PostgreSQL and RabbitMQ are killed and started again.

Judged by a ledger of attempts: every record that was accepted has its one outcome in the end, and nobody had to lend a hand.
"""

import signal
import time
from pathlib import Path

import pytest

from core.store.licences import LicenceQuery
from gateway_parts import TYPE
from hub_material import MadeHub
from outages import Sender, missing, pause_for, ready, register_permits, serve
from services.broker import OwnBroker
from services.database import OwnPostgres
from services.process import free_port, kill_tree, wait_until

pytestmark = pytest.mark.faults
AWAY_S = 4.0


@pytest.mark.timeout(300)
def test_a_hub_under_load_survives_the_loss_of_its_database_and_its_broker(
    own_postgres: OwnPostgres, own_broker: OwnBroker, tmp_path: Path
) -> None:
    made = MadeHub(tmp_path, postgres_url=own_postgres.databases.fresh(), amqp_url=own_broker.url)
    with made.hub() as hub:
        register_permits(hub)
        assert hub.store.registry.show("licence-type", TYPE).state == "enabled"
        port = free_port()
        served = serve(made, port)
        secret = (tmp_path / "secrets" / "client-department.key").read_text().strip()
        sender = Sender(f"http://127.0.0.1:{port}", secret)
        try:
            wait_until(lambda: ready(port), timeout_s=60, what="the hub to be ready")
            sender.start()
            pause_for(sender, 20)
            for service in (own_postgres, own_broker):
                service.kill()
                time.sleep(AWAY_S)
                service.start()
                pause_for(sender, 20)
            sender.finish()
            wait_until(lambda: not missing(hub.store, [sender]), timeout_s=90, what="every outcome")
        finally:
            sender.finish()
            served.send_signal(signal.SIGTERM)
            served.wait(60)
            kill_tree(served)
        assert sender.answers[503] > 0
        assert set(sender.answers) <= {0, 202, 503}
        assert len(set(sender.receipts)) == len(sender.receipts)
        page = hub.store.licences.find(LicenceQuery(scope="management"), limit=500)
        assert len(page.licences) == min(len(sender.receipts), 500)
        assert {view.versions for view in page.licences} == {1}
