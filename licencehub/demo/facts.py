"""What a department knows of one licence, and what must become of the row it sends about it."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One licence as its department has it; texts and dates as the generator chose them, sound or not."""

    holder_name: str
    holder_kind: str
    """``company``, ``shop`` (sole trader) or ``person``."""
    holder_code: str
    registration_number: str = ""
    legal_person: str = ""
    address: str = ""
    licence_name: str
    number: str
    category: str = "核准"
    content: str
    decided: date
    valid_from: date
    valid_until: date | None
    """None is 长期."""
    issuer_name: str
    issuer_code: str
    state: str = "1"
    texts: dict[str, str] = field(default_factory=dict)
    """Texts that stand in the row in place of what the facts would give, by the name of the fact."""

    def but(self, **changes: Any) -> "Facts":
        """The same licence with other facts."""
        return replace(self, **changes)

    def written(self, **texts: str) -> "Facts":
        """The same facts, badly written."""
        return replace(self, texts={**self.texts, **texts})

    def text(self, fact: str, value: str) -> str:
        """What the row holds for a fact."""
        return self.texts.get(fact, value)


@dataclass(frozen=True)
class Expected:
    """The one outcome that must come, and the rule (or filter) that must be named for it; empty: none."""

    outcome: str
    rule: str = ""


REFUSED = "refused"
"""Refused at the door: no receipt, the sender is told at once."""


@dataclass(frozen=True)
class Row:
    """One row to send: the case it stands for, its facts, and its fate."""

    case: str
    facts: Facts
    expected: Expected
    bad_bytes: bool = False
    """Bytes that no encoding has are put into the row."""
    extra_field: bool = False
    """A separator too many stands in the row."""
