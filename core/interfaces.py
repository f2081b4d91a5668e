"""The registered interfaces as a gateway or a poller sees them: polled from the registry, compiled once per change.

A change bites within one poll; a registry that cannot be read closes the intake instead of leaving it as it was.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from contracts.fault import Rule
from contracts.interface import Interface
from contracts.mapping import Translator, compile_interface
from core.duty import Duty
from core.errors import Refused, Unavailable

log = logging.getLogger(__name__)

POLL_S = 2.0
"""How often the registry is read (ARCHITECTURE 4.14)."""

UNKNOWN = Rule(
    code="interface.unknown",
    en="there is no interface {name!r}",
    zh="不存在接口 {name!r}",
    remedy_en="Check the name in the URL against the registration.",
    remedy_zh="请核对 URL 中的接口名称与注册信息。",
)
DISABLED = Rule(
    code="interface.disabled",
    en="interface {name!r} is {state}, not enabled",
    zh="接口 {name!r} 的状态为 {state}，尚未启用",
    remedy_en="Ask the hub's operator to enable it.",
    remedy_zh="请联系平台运维人员启用该接口。",
)
PAUSED = Rule(
    code="interface.paused",
    en="interface {name!r} is paused",
    zh="接口 {name!r} 已暂停",
    remedy_en="Keep the data and send it when the interface is enabled again.",
    remedy_zh="请保留数据，待接口恢复后再发送。",
)
PROTOCOL = Rule(
    code="interface.protocol",
    en="interface {name!r} takes its data by {protocol}, not by {asked}",
    zh="接口 {name!r} 通过 {protocol} 接收数据，而不是 {asked}",
    remedy_en="Send it the way the interface declares, or register an interface for this way.",
    remedy_zh="请按接口声明的方式发送，或为该方式另行注册接口。",
)


class RegistryEntry(Protocol):
    """An entry of the registry, as much of it as is needed here."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def revision(self) -> int: ...
    @property
    def declaration(self) -> dict[str, Any]: ...


class RegistrySnapshot(Protocol):
    """All entries at one revision."""

    @property
    def revision(self) -> int: ...
    @property
    def entries(self) -> Sequence[RegistryEntry]: ...


class LiveInterface(msgspec.Struct, frozen=True):
    """A registered interface, compiled."""

    declaration: Interface
    state: str
    revision: int
    """Registry revision of the snapshot: records accepted now are finished under it."""
    translator: Translator


class InterfaceDirectory:
    """The interfaces of the latest snapshot; ``refresh`` from one thread, read from any."""

    def __init__(
        self,
        snapshot: Callable[[], RegistrySnapshot],
        *,
        stale_after_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._snapshot = snapshot
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._compiled: dict[str, tuple[int, Interface, Translator]] = {}
        self._live: dict[str, LiveInterface] = {}

    def refresh(self) -> None:
        """Reads the registry; raises ``TransientError`` when it is out of reach. What is unchanged is not compiled again."""
        snapshot = self._snapshot()
        with self._lock:
            self._live = {
                entry.name: live
                for entry in snapshot.entries
                if entry.kind == "interface" and (live := self._entry(entry, snapshot.revision)) is not None
            }
            self._read_at = self._clock()

    @property
    def fresh(self) -> bool:
        """Whether the registry was read recently enough to accept anything."""
        return self._clock() - self._read_at <= self._stale_after_s

    def all(self) -> list[LiveInterface]:
        """Every interface, whatever its state, by name."""
        return [live for _name, live in sorted(self._live.items())]

    def accepting(self, name: str, protocol: str = "") -> LiveInterface:
        """The interface, if it takes records now, and by this protocol where one is given.

        Raises ``Refused`` (404 unknown, 403 not enabled, 409 paused or other protocol) and ``Unavailable`` when the registry was
        not read for too long.
        """
        if not self.fresh:
            raise Unavailable(
                "the interface registry is out of reach", retry_after_s=2, summary_zh="接口注册表暂不可用"
            )
        live = self._live.get(name)
        if live is None:
            raise Refused.by(UNKNOWN.at("", name=name), status=404)
        if live.state == "paused":
            raise Refused.by(PAUSED.at("", name=name), status=409)
        if live.state != "enabled":
            raise Refused.by(DISABLED.at("", name=name, state=live.state), status=403)
        if protocol and live.declaration.protocol != protocol:
            declared = live.declaration.protocol
            raise Refused.by(PROTOCOL.at("", name=name, protocol=declared, asked=protocol), status=409)
        return live

    def _entry(self, entry: RegistryEntry, revision: int) -> LiveInterface | None:
        """The interface compiled; None for a declaration this release cannot read: the others go on."""
        known = self._compiled.get(entry.name)
        if known is None or known[0] != entry.revision:
            try:
                declaration = msgspec.convert(entry.declaration, Interface)
            except msgspec.ValidationError:
                log.exception("interface %s cannot be read", entry.name)
                return None
            known = (entry.revision, declaration, compile_interface(declaration))
            self._compiled[entry.name] = known
        return LiveInterface(known[1], entry.state, revision, known[2])


def poll(directory: InterfaceDirectory, stop: threading.Event, interval_s: float = POLL_S) -> None:
    """Refreshes until ``stop`` is set: the body of a process's registry thread. An outage is waited out, a defect outlived."""
    duty = Duty("reading the registry")
    while not stop.wait(interval_s):
        with duty:
            directory.refresh()
