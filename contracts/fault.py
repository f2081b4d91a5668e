"""What is wrong with a piece of input: rule, place, value seen, remedy, in English and Chinese.

A ``Rule`` is declared once, beside the code that checks it; a ``Fault`` is one finding. Texts are rendered when the fault is
made, so a stored verdict reads the same after the rule has changed.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec

VALUE_LIMIT = 120
"""Characters of the value seen that a fault keeps; longer values are cut with an ellipsis."""


class Disposition(StrEnum):
    """What a finding does to its record."""

    REJECT = "reject"
    """Refused as what it is: the source must send something else."""
    QUARANTINE = "quarantine"
    """Held: a person here can mend or accept it."""
    WARN = "warn"
    """Recorded beside the outcome; the record goes on."""


class Fault(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One finding about one place of one record."""

    rule: str
    """Stable dotted code, e.g. ``uscc.check-digit``."""
    pointer: str
    """RFC 6901 pointer into what the sender sent (``/XK_XDR_SHXYM``), or ``""`` for the whole record."""
    field: str = ""
    """RFC 6901 pointer into the canonical record, where ``pointer`` names the sender's own column instead."""
    message: str
    message_zh: str
    remedy: str
    remedy_zh: str
    value: str | None = None
    """The value seen, at most ``VALUE_LIMIT`` characters; None where there was none or it must not be shown."""
    disposition: Disposition = Disposition.REJECT

    def as_dict(self) -> dict[str, Any]:
        """The fault as the JSON that every protocol shows: rule, pointer, field, value, message and remedy in both languages."""
        return {
            "rule": self.rule,
            "pointer": self.pointer,
            "field": self.field or self.pointer,
            "value": self.value,
            "message": {"en": self.message, "zh-CN": self.message_zh},
            "remedy": {"en": self.remedy, "zh-CN": self.remedy_zh},
            "disposition": self.disposition.value,
        }


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A declared check: its code, its texts (``str.format`` templates) and what a finding leads to."""

    code: str
    en: str
    zh: str
    remedy_en: str
    remedy_zh: str
    disposition: Disposition = Disposition.REJECT
    personal: bool = False
    """The value seen is personal data: it is masked to its last four characters."""

    def at(self, pointer: str, value: object = None, **params: object) -> Fault:
        """A fault of this rule at ``pointer``; ``params`` fill the templates."""
        return Fault(
            rule=self.code,
            pointer=pointer,
            value=_shown(value, personal=self.personal),
            message=self.en.format(**params),
            message_zh=self.zh.format(**params),
            remedy=self.remedy_en.format(**params),
            remedy_zh=self.remedy_zh.format(**params),
            disposition=self.disposition,
        )


def worst(faults: Iterable[Fault]) -> Disposition | None:
    """The disposition that decides: reject before quarantine before warn; None without faults."""
    found = {fault.disposition for fault in faults}
    return next(
        (d for d in (Disposition.REJECT, Disposition.QUARANTINE, Disposition.WARN) if d in found), None
    )


def masked(value: str) -> str:
    """A personal value with all but its last four characters hidden."""
    return "*" * max(len(value) - 4, 0) + value[-4:] if len(value) > 4 else "*" * len(value)


def pointer(*parts: str | int) -> str:
    """RFC 6901 pointer from its reference tokens."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _shown(value: object, *, personal: bool) -> str | None:
    if value is None:
        return None
    text = str(value)
    if personal:
        text = masked(text)
    return text if len(text) <= VALUE_LIMIT else text[: VALUE_LIMIT - 1] + "…"
