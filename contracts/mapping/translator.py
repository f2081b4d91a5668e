"""The translator: a declared interface compiled to closures that turn decoded fields into the canonical record (EIP).

Nothing a declaration holds is ever turned into source text; operators and kinds are closed lists.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from msgspec.structs import replace

from contracts.dates import LONG_TERM
from contracts.fault import Disposition, Fault
from contracts.interface import FieldMapping, Group, Interface, Source
from contracts.mapping.conditions import compile_all
from contracts.mapping.files import NO_FILES, ORIGINAL, SCANS, Files, reserved_faults
from contracts.mapping.order import ReadOrder, compile_order
from contracts.mapping.places import Fields, Get, Place, columns_of, place_of
from contracts.mapping.rules import GROUP_KEY_EMPTY, HOLDERS_DIFFER
from contracts.mapping.scalars import as_text, text_order
from contracts.mapping.takes import places_of
from contracts.mapping.values import HOLDER_FIELDS, ITEM_PREFIX, Read, compile_field, field_places
from contracts.record import Holder, LicenceRecord

_KEY_SEPARATOR = "\t"


class Translated(NamedTuple):
    """What became of one decoded record."""

    record: LicenceRecord | None
    """None when it was filtered or a fault rejects it; with faults that quarantine it holds what could be read."""
    faults: tuple[Fault, ...]
    filtered_by: str
    """Name of the filter that dropped it, else empty."""
    source_order: str
    source_digest: bytes
    group_key: str
    """Equal for rows of one licence; empty when the interface does not group, or the row names no licence."""
    element: Mapping[str, Any] | None
    """The repeated item's element this row adds, when the interface groups."""


class Translator:
    """A compiled interface; immutable, safe to share between threads."""

    def __init__(self, interface: Interface) -> None:
        source = interface.source
        self.interface = interface
        self.columns = columns_of(places_read(interface))
        """Top-level columns the mapping reads; a table without them is refused."""
        self._filters = [(filter_.name, compile_all(filter_.when, source)) for filter_ in interface.filters]
        self._skips = [(skip.name, compile_all(skip.when, source)) for skip in source.skip]
        self._reads = _reads(interface, plain=True)
        self._holder_reads = [
            (name.removeprefix("holder."), compile_field(name, interface.fields[name], source))
            for name in HOLDER_FIELDS
            if name in interface.fields
        ]
        self._item_reads = _reads(interface, plain=False)
        self._order: ReadOrder | None = compile_order(interface.order.by, source)
        self._flat = [place.column for place in places_read(interface) if place.flat]
        self._nested: list[Get] = [place.get for place in places_read(interface) if not place.flat]
        self._group = _GroupReader(interface.group, source) if interface.group else None
        self._base = {"licence_type": interface.licence_type, "source_class": interface.source_class}
        self.sources = source_pointers(interface)
        self._state = self.sources.get("status")
        self._quarantined = frozenset(interface.quarantine_faults)

    def translate(self, fields: Fields, files: Files = NO_FILES) -> Translated:
        """The canonical record of ``fields`` and ``files`` with every finding; never raises for what a sender sent."""
        digest = self._digest(fields, files)
        if SCANS in fields or ORIGINAL in fields:  # before the filters, and whatever the interface declares
            return Translated(None, tuple(reserved_faults(fields)), "", "", digest, "", None)
        for name, holds in self._filters:
            if holds(fields):
                return Translated(None, (), name, "", digest, "", None)
        faults: list[Fault] = []
        record = self._record(fields, files, faults)
        order = self._order(fields, faults) if self._order else ""
        key, element = self._group.read(fields, faults) if self._group else ("", None)
        if not faults:
            return Translated(record, (), "", order, digest, key, element)
        found = self.disposed(faults)
        kept = None if any(map(self._forbids_record, found)) else record
        return Translated(kept, found, "", order, digest, key, element)

    def readable(self, fields: Fields, files: Files, faults: list[Fault]) -> LicenceRecord:
        """What can be read of a record whatever is wrong with it, for a person to mend; findings are added to ``faults``.

        A state that is not known reads as the default here: such a record must not go on as it is.
        """
        return self._record(fields, files, faults)

    def element_of(self, fields: Fields) -> dict[str, Any]:
        """The repeated item's element that a row adds; empty when the interface does not group."""
        return self._group.read(fields, [])[1] if self._group else {}

    def skipped_by(self, fields: Fields) -> str:
        """Name of the declared furniture of a sheet that this row is, else empty."""
        return next((name for name, holds in self._skips if holds(fields)), "")

    def disposed(self, faults: Iterable[Fault]) -> tuple[Fault, ...]:
        """The faults with the disposition the interface declares (``quarantine_faults``); equal ones once."""
        return tuple(
            replace(fault, disposition=Disposition.QUARANTINE)
            if fault.rule in self._quarantined and fault.disposition is Disposition.REJECT
            else fault
            for fault in dict.fromkeys(faults)
        )

    def _forbids_record(self, fault: Fault) -> bool:
        """Whether no record may be made with this fault: refused, or of unknown state, which must not be taken for valid."""
        return fault.disposition is Disposition.REJECT or fault.pointer == self._state

    def _record(self, fields: Fields, files: Files, faults: list[Fault]) -> LicenceRecord:
        values: dict[str, Any] = self._base.copy()
        if files is not NO_FILES:
            values |= {"scans": files.scans, "original": files.original}
        for name, read in self._reads:
            value = read(fields, faults)
            if value is not None:
                values[name] = value
        if values.get("valid_until") is LONG_TERM:
            del values["valid_until"]
            values["long_term"] = True
        items = {}
        for name, read in self._item_reads:
            value = read(fields, faults)
            if value is not None:
                items[name] = value
        if items:
            values["items"] = items
        return LicenceRecord(holders=self._holders(fields, faults), **values)

    def _holders(self, fields: Fields, faults: list[Fault]) -> tuple[Holder, ...]:
        values = {}
        for name, read in self._holder_reads:
            value = read(fields, faults)
            if value is not None:
                values[name] = value
        if not values:
            return ()
        if any(isinstance(value, list) for value in values.values()):
            return _several(values, self.interface, faults)
        return (Holder(**values),)

    def _digest(self, fields: Fields, files: Files) -> bytes:
        values = list(map(fields.get, self._flat)) + [get(fields) for get in self._nested]
        if files is not NO_FILES:
            values += ["original" if files.original else "scans", *files.digests]
        try:
            encoded = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # a lone surrogate or an integer beyond 64 bits: faulty, but it has a digest too
            encoded = repr(values).encode("utf-8", "surrogatepass")
        return hashlib.sha256(encoded).digest()


class _GroupReader:
    """Reads what ties the rows of one licence together, and what each adds."""

    def __init__(self, group: Group, source: Source) -> None:
        self._places: list[Place] = [place_of(name, source) for name in group.by]
        self._fields = [
            (name, compile_field(ITEM_PREFIX + name, mapping, source))
            for name, mapping in group.fields.items()
        ]

    def read(self, fields: Fields, faults: list[Fault]) -> tuple[str, dict[str, Any]]:
        texts = [text_order(as_text(place.get(fields)) or "") for place in self._places]
        if not any(texts):
            names = ", ".join(place.name for place in self._places)
            faults.append(GROUP_KEY_EMPTY.at(self._places[0].pointer, fields=names))
        read = ((name, one(fields, faults)) for name, one in self._fields)
        element = {name: value for name, value in read if value is not None}
        return _KEY_SEPARATOR.join(texts) if any(texts) else "", element


def compile_interface(interface: Interface) -> Translator:
    """The translator of an interface that ``interface_faults`` finds nothing wrong with."""
    return Translator(interface)


def source_pointers(interface: Interface) -> dict[str, str]:
    """Canonical field path (``holder.code``) -> pointer of the (first) source field it comes from."""
    return {
        target: places[0].pointer
        for target, mappings in interface.fields.items()
        if (places := field_places(mappings, interface.source))
    }


def _reads(interface: Interface, *, plain: bool) -> list[tuple[str, Read]]:
    """Readers of the plain canonical fields, or of the items (named without their prefix)."""
    return [
        (target.removeprefix(ITEM_PREFIX), compile_field(target, mapping, interface.source))
        for target, mapping in interface.fields.items()
        if target not in HOLDER_FIELDS and target.startswith(ITEM_PREFIX) is not plain
    ]


def places_read(interface: Interface) -> list[Place]:
    """Every place that fields, group and order read, once and sorted: what the source digest covers."""
    source = interface.source
    found: list[Place] = []
    for mappings in interface.fields.values():
        found += field_places(mappings, source)
    found += _order_and_group_places(interface, interface.order.by)
    return [place for _name, place in sorted({place.pointer: place for place in found}.items())]


def _order_and_group_places(interface: Interface, by: Sequence[FieldMapping]) -> list[Place]:
    source, group = interface.source, interface.group
    found = [place for mapping in by for place in places_of(mapping, source)]
    if group:
        found += [place_of(name, source) for name in group.by]
        found += [place for mapping in group.fields.values() for place in field_places(mapping, source)]
    return found


def _several(values: dict[str, Any], interface: Interface, faults: list[Fault]) -> tuple[Holder, ...]:
    """Holders out of parallel lists; a single value (a code type) holds for all."""
    lengths = {name: len(value) for name, value in values.items() if isinstance(value, list)}
    if len(set(lengths.values())) > 1:
        place = field_places(interface.fields["holder." + next(iter(lengths))], interface.source)[0]
        faults.append(
            HOLDERS_DIFFER.at(place.pointer, lengths=", ".join(f"{k} {n}" for k, n in lengths.items()))
        )
    count = min(lengths.values())
    columns = {name: value if isinstance(value, list) else [value] * count for name, value in values.items()}
    return tuple(
        Holder(**{name: column[i] for name, column in columns.items() if column[i] is not None})
        for i in range(count)
    )
