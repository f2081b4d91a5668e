"""Rows of one licence gathered into one record with a repeated item (aggregator, EIP)."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from contracts.checks import citizen_id
from contracts.codes.holder import is_natural_person
from contracts.fault import Disposition, Fault, masked
from contracts.mapping.rules import ROWS_DISAGREE
from contracts.mapping.translator import Translated
from contracts.record import Holder, LicenceRecord

_NOTHING = ("", False)


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one row brings to its licence; small enough to be spooled."""

    position: int
    record: LicenceRecord | None = None
    faults: tuple[Fault, ...] = ()
    source_order: str = ""
    source_digest: bytes = b""
    element: dict[str, Any] = {}

    @classmethod
    def of(cls, position: int, made: Translated) -> "Part":
        """The part of a translated row."""
        return cls(
            position=position,
            record=made.record,
            faults=made.faults,
            source_order=made.source_order,
            source_digest=made.source_digest,
            element=dict(made.element or {}),
        )


def join(parts: Sequence[Part], item: str, sources: Mapping[str, str]) -> Part:
    """One part out of all rows of a licence, in their order, at the position of the first.

    The record is the first row's with the elements of all (equal ones once) under ``item``; rows that state it otherwise are a
    fault. ``sources`` names the column of each canonical field. The digest does not depend on the order of the rows.
    """
    faults = dict.fromkeys(fault for part in parts for fault in part.faults)
    records = [part.record for part in parts if part.record is not None]
    faults.update(dict.fromkeys(_disagreements(records, sources)))
    elements: list[dict[str, Any]] = []
    for part in parts:
        if part.element and part.element not in elements:
            elements.append(part.element)
    rejected = any(fault.disposition is Disposition.REJECT for fault in faults)
    record = None if rejected or not records else records[0]
    return Part(
        position=parts[0].position,
        record=record and replace(record, items={**record.items, item: elements}),
        faults=tuple(faults),
        source_order=max(part.source_order for part in parts),
        source_digest=hashlib.sha256(b"".join(sorted(part.source_digest for part in parts))).digest(),
    )


def _disagreements(records: Sequence[LicenceRecord], sources: Mapping[str, str]) -> Iterator[Fault]:
    """A fault for each field of which rows state different values, with these; the record has the first of them."""
    others = [record for record in records[1:] if record != records[0]]
    if not others:
        return
    stated = [dict(_stated(record)) for record in (records[0], *others)]
    for field in dict.fromkeys(field for values in stated for field in values):
        texts = dict.fromkeys(values.get(field, _NOTHING) for values in stated)
        if len(texts) > 1:
            source = sources.get(field, "")
            shown = " | ".join(masked(text) if personal else text for text, personal in texts)
            yield ROWS_DISAGREE.at(source, shown, field=source.removeprefix("/") or field)


def _stated(record: LicenceRecord) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Canonical path -> value as text, and whether it is personal, of every field that holds something."""
    for name in LicenceRecord.__struct_fields__:
        value = getattr(record, name)
        if name == "items":
            for code, item in value.items():
                yield f"items.{code}", (str(item), citizen_id.is_likely(str(item)))
        elif name == "holders":
            personal = any(not one.code_type or is_natural_person(one.code_type) for one in value)
            for part in Holder.__struct_fields__:
                yield (
                    f"holder.{part}",
                    (", ".join(getattr(one, part) for one in value), personal and part != "code_type"),
                )
        elif value is not None:
            yield name, (str(value), False)
