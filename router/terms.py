"""The terms a record was accepted on: its interface and licence type as they stood at the envelope's registry revision."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import msgspec

from contracts.interface import Interface
from contracts.licence_type import LicenceType
from contracts.mapping import source_pointers
from core.cleaning import Cleaner, compile_rules
from core.errors import NotFound
from core.store.registry import RegistryStore

Key = TypeVar("Key")
Value = TypeVar("Value")

CACHED = 256
"""Interfaces and types kept compiled per worker."""


class Rules(msgspec.Struct, frozen=True):
    """A licence type's cleaner and the registry revision it was declared at."""

    licence_type: LicenceType
    cleaner: Cleaner
    revision: int


class Terms:
    """Looks up and compiles declarations once per revision; one instance per worker thread."""

    def __init__(self, registry: RegistryStore) -> None:
        self._registry = registry
        self._interfaces: OrderedDict[tuple[str, int], Interface] = OrderedDict()
        self._columns: OrderedDict[tuple[str, int], dict[str, str]] = OrderedDict()
        self._rules: OrderedDict[tuple[str, int], Rules | None] = OrderedDict()

    def interface(self, name: str, revision: int) -> Interface:
        """The interface's declaration at ``revision``; raises ``NotFound``."""

        def read() -> Interface:
            entry = self._registry.at("interface", name, revision)
            return msgspec.convert(entry.declaration, Interface)

        return _cached(self._interfaces, (name, revision), read)

    def columns(self, name: str, revision: int) -> dict[str, str]:
        """Canonical field -> pointer of the sender's column, as the interface maps them at ``revision``; raises ``NotFound``."""
        key = (name, revision)
        return _cached(self._columns, key, lambda: source_pointers(self.interface(name, revision)))

    def rules(self, type_code: str, revision: int) -> Rules | None:
        """The licence type's rules at ``revision``; None when no such type was registered then."""

        def read() -> Rules | None:
            try:
                entry = self._registry.at("licence-type", type_code, revision)
            except NotFound:
                return None
            licence_type = msgspec.convert(entry.declaration, LicenceType)
            return Rules(licence_type, compile_rules(licence_type), entry.revision)

        return _cached(self._rules, (type_code, revision), read)


def _cached(cache: OrderedDict[Key, Value], key: Key, read: Callable[[], Value]) -> Value:
    if key in cache:
        cache.move_to_end(key)
        return cache[key]
    value = cache[key] = read()
    if len(cache) > CACHED:
        cache.popitem(last=False)
    return value
