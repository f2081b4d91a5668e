import threading
from collections.abc import Callable

import pytest

from adapters.http import readiness as module
from adapters.http.readiness import Readiness
from adapters.http.server import Draining
from core.errors import Unavailable
from served_hub import wait_for


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE_EVERY_S", 0.01)
    monkeypatch.setattr(module, "OLDEST_S", 0.3)


def started(probe: Callable[[], None], draining: Draining | None = None) -> Readiness:
    readiness = Readiness({"store": probe, "bus": lambda: None}, draining or Draining())
    readiness.start()
    return readiness


def test_a_part_is_not_ready_before_it_was_probed() -> None:
    assert Readiness({"store": lambda: None}, Draining()).parts() == {"store": False, "serving": True}


def test_a_part_that_fails_is_named_and_comes_back() -> None:
    away = threading.Event()

    def probe() -> None:
        if away.is_set():
            raise Unavailable("away")

    readiness = started(probe)
    wait_for(lambda: all(readiness.parts().values()), 5)
    away.set()
    wait_for(lambda: readiness.parts() == {"store": False, "bus": True, "serving": True}, 5)
    away.clear()
    wait_for(lambda: all(readiness.parts().values()), 5)
    readiness.stop()


def test_a_probe_that_hangs_is_a_probe_that_fails() -> None:
    hang, released = threading.Event(), threading.Event()

    def probe() -> None:
        if hang.is_set():
            released.wait(10)

    readiness = started(probe)
    wait_for(lambda: all(readiness.parts().values()), 5)
    hang.set()
    wait_for(lambda: not readiness.parts()["store"], 5)
    assert readiness.parts()["bus"]
    released.set()
    readiness.stop()


def test_a_process_told_to_stop_is_not_ready_at_once() -> None:
    draining = Draining()
    readiness = started(lambda: None, draining)
    wait_for(lambda: all(readiness.parts().values()), 5)
    draining.begun = True
    assert readiness.parts() == {"store": True, "bus": True, "serving": False}
    readiness.stop()
