"""The header of a table against what its interface declares: a shifted or drifted one refuses the file, with the difference."""

from collections import Counter
from collections.abc import Sequence

from adapters.decoding.rules import HEADER_EXTRA, HEADER_MISSING, HEADER_MOVED, HEADER_TWICE
from contracts.fault import Fault
from contracts.interface import Source
from contracts.mapping import Translator
from contracts.mapping.places import normalise_column
from core.errors import ContractError

_SHOWN = 12


def accept_header(cells: Sequence[str], translator: Translator) -> list[str]:
    """The column names of a table; raises ``ContractError`` with the difference to what is declared or read."""
    found = [normalise_column(cell) for cell in cells]
    while found and not found[-1]:
        found.pop()
    faults = header_faults(found, translator.interface.source, translator.columns)
    if faults:
        summary, summary_zh = "; ".join(f.message for f in faults), "；".join(f.message_zh for f in faults)
        raise ContractError(summary, faults, summary_zh)
    return found


def header_faults(found: Sequence[str], source: Source, needed: Sequence[str]) -> list[Fault]:
    """Missing, extra and moved columns, all at once; where no columns are declared only what the mapping reads must be there."""
    expected = [normalise_column(column) for column in source.columns]
    missing = [column for column in expected or needed if column not in found]
    extra = [column or "(empty)" for column in found if column not in expected] if expected else []
    twice = [
        column for column, count in Counter(found).items() if count > 1 and (expected or column in needed)
    ]
    faults = [
        rule.at("", columns=_listed(columns))
        for rule, columns in ((HEADER_MISSING, missing), (HEADER_EXTRA, extra), (HEADER_TWICE, twice))
        if columns
    ]
    if expected and not faults:
        moved = [f"{c} ({found.index(c) + 1}→{i})" for i, c in enumerate(expected, 1) if found[i - 1] != c]
        faults += [HEADER_MOVED.at("", columns=_listed(moved))] if moved else []
    return faults


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(columns[:_SHOWN]) + (f" … (+{len(columns) - _SHOWN})" if len(columns) > _SHOWN else "")
