import logging
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import InternalError, Refused, Unavailable
from core.interfaces import InterfaceDirectory, poll
from gateway_parts import permits


class Registry:
    """A registry one can change and take away."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.revision = 0
        self.away = False
        self.defects = 0
        """So many readings meet a defect."""
        self.now_s = 0.0

    def put(self, name: str, state: str, **changes: Any) -> None:
        self.revision += 1
        declaration = permits(name, **changes)
        self.entries[name] = SimpleNamespace(
            kind="interface", name=name, state=state, revision=self.revision, declaration=declaration
        )

    def snapshot(self) -> Any:
        if self.away:
            raise Unavailable("away")
        if self.defects:
            self.defects -= 1
            raise InternalError("the store refuses the statement")
        return SimpleNamespace(revision=self.revision, entries=tuple(self.entries.values()))


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def directory(registry: Registry) -> InterfaceDirectory:
    return InterfaceDirectory(registry.snapshot, stale_after_s=5, clock=lambda: registry.now_s)


def refused(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.status, caught.value.code


def test_nothing_is_accepted_before_the_registry_was_read(directory: InterfaceDirectory) -> None:
    with pytest.raises(Unavailable):
        directory.accepting("permits")


def test_an_enabled_interface_accepts_under_the_revision_it_was_read_at(
    registry: Registry, directory: InterfaceDirectory
) -> None:
    registry.put("permits", "enabled")
    registry.put("other", "registered")
    directory.refresh()
    assert directory.accepting("permits", "rest").revision == 2
    assert directory.accepting("permits").declaration.name == "permits"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("draft", (403, "interface.disabled")),
        ("registered", (403, "interface.disabled")),
        ("certified", (403, "interface.disabled")),
        ("paused", (409, "interface.paused")),
        ("retired", (403, "interface.disabled")),
    ],
)
def test_every_other_state_refuses(
    registry: Registry, directory: InterfaceDirectory, state: str, expected: tuple[int, str]
) -> None:
    registry.put("permits", state)
    directory.refresh()
    assert refused(lambda: directory.accepting("permits")) == expected


def test_an_unknown_name_and_another_protocol_are_told_apart(
    registry: Registry, directory: InterfaceDirectory
) -> None:
    registry.put("permits", "enabled", protocol="file")
    directory.refresh()
    assert refused(lambda: directory.accepting("none")) == (404, "interface.unknown")
    assert refused(lambda: directory.accepting("permits", "rest")) == (409, "interface.protocol")


def test_a_pause_bites_at_the_next_reading(registry: Registry, directory: InterfaceDirectory) -> None:
    registry.put("permits", "enabled")
    directory.refresh()
    registry.put("permits", "paused")
    assert directory.accepting("permits").state == "enabled"
    directory.refresh()
    assert refused(lambda: directory.accepting("permits")) == (409, "interface.paused")


def test_a_registry_that_is_away_for_too_long_closes_the_intake_until_it_is_back(
    registry: Registry, directory: InterfaceDirectory
) -> None:
    registry.put("permits", "enabled")
    directory.refresh()
    registry.away = True
    registry.now_s = 4.9
    with pytest.raises(Unavailable):
        directory.refresh()
    assert directory.accepting("permits").state == "enabled"
    registry.now_s = 5.1
    with pytest.raises(Unavailable):
        directory.accepting("permits")
    registry.away = False
    directory.refresh()
    assert directory.accepting("permits").state == "enabled"


def test_what_has_not_changed_is_not_compiled_again(
    registry: Registry, directory: InterfaceDirectory
) -> None:
    registry.put("permits", "enabled")
    directory.refresh()
    first = directory.accepting("permits").translator
    registry.put("other", "enabled")
    directory.refresh()
    assert directory.accepting("permits").translator is first
    registry.put("permits", "enabled", rank=5)
    directory.refresh()
    assert directory.accepting("permits").translator is not first


def test_a_declaration_that_cannot_be_read_leaves_the_others_working(
    registry: Registry, directory: InterfaceDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    registry.put("broken", "enabled", no_such_setting=1)
    registry.put("permits", "enabled")
    directory.refresh()
    assert directory.accepting("permits").state == "enabled"
    assert refused(lambda: directory.accepting("broken")) == (404, "interface.unknown")
    assert "broken" in caplog.text


def test_polling_outlives_an_outage(registry: Registry, directory: InterfaceDirectory) -> None:
    registry.put("permits", "enabled")
    registry.away = True
    stop = threading.Event()
    thread = threading.Thread(target=poll, args=(directory, stop, 0.001))
    thread.start()
    registry.away = False
    while not directory.fresh:
        assert thread.is_alive()
    stop.set()
    thread.join()
    assert directory.accepting("permits").state == "enabled"


def test_polling_outlives_a_defect_and_tells_it_once(
    registry: Registry, directory: InterfaceDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    registry.defects = 3
    stop = threading.Event()
    thread = threading.Thread(target=poll, args=(directory, stop, 0.001))
    thread.start()
    while not directory.fresh:
        assert thread.is_alive()
    stop.set()
    thread.join()
    assert [entry.levelname for entry in caplog.records] == ["ERROR", "INFO"]
