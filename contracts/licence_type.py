"""Declaration of a licence type: what its records must hold and how they are cleaned, identified and shown."""

from typing import Any, Literal

import msgspec

from contracts.fault import Disposition

Label = dict[str, str]
"""Text by language tag: ``{"en": …, "zh-CN": …}``."""


class ItemSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One extended face item (扩展业务信息) of a type."""

    label: Label
    """Name for people, by language: printed on the face and named in findings."""
    kind: Literal["text", "date", "number", "flag", "list"] = "text"
    """What the item holds."""
    required: bool = False
    """Every record must have it."""
    max_length: int = 2000
    """Longest text, in characters."""
    codes: dict[str, str] = {}
    """Closed code table: code -> text. Empty: any value."""
    pattern: str = ""
    """Regular expression the whole text must match."""
    minimum: float | None = None
    """Smallest number."""
    maximum: float | None = None
    """Largest number."""
    personal: bool = False
    """Personal data: masked in logs and lists."""
    fields: dict[str, Label] = {}
    """For ``list``: the fields of each element, code -> label like the item's own, ``{ en = "…", zh-CN = "…" }``; empty: any."""


class RuleOverride(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes what a finding of a built-in rule leads to; ``off`` needs a reason."""

    disposition: Literal["reject", "quarantine", "warn", "off"]
    """What the finding leads to instead."""
    reason: str = ""
    """Why; kept with the declaration."""


class CrossRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A comparison between two fields of a record, or a field and a constant."""

    code: str
    """Code of the rule, as it is named in findings."""
    left: str
    """Canonical field path: ``issued_on``, ``holder.code``, ``items.KZ_XKNR``."""
    op: Literal["=", "!=", "<", "<=", ">", ">=", "in", "not-in", "present", "absent"]
    """How the two are compared."""
    right: str = ""
    """Canonical field path to compare with, when ``value`` is not given."""
    value: Any = None
    """A constant to compare with."""
    when: "tuple[CrossRule, ...]" = ()
    """The rule applies only when all of these comparisons hold. Each is written like the rule itself, with ``code``, ``left``,
    ``op`` and ``right`` or ``value``, not like the ``when`` of a field or filter."""
    message: Label = {}
    """Text of the finding, by language."""
    remedy: Label = {}
    """What is to be done, by language."""
    disposition: Disposition = Disposition.QUARANTINE
    """What a finding leads to."""


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An authority entitled to issue a type, and where."""

    code: str
    """Its USCC."""
    name: str = ""
    """Its name."""
    regions: tuple[str, ...] = ()
    """Division prefixes (2, 4 or 6 digits) it may issue for; empty: any."""


class LicenceType(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A licence type of the catalogue, with the rules its records obey."""

    code: str
    """证照类型代码, 21 characters."""
    name: Label
    """Name for people, by language."""
    kind: Literal["approval", "certificate", "licence", "appraisal", "proof"] = "certificate"
    """批文, 证件, 执(牌)照, 鉴定报告, 证明材料."""
    required: tuple[str, ...] = (
        "licence_name",
        "licence_number",
        "issuer_name",
        "issuer_code",
        "issued_on",
        "holder.name",
    )
    """Canonical fields every record must have."""
    holder_code_types: tuple[str, ...] = ()
    """Holder code types allowed; empty: any of the national table."""
    holder_in_key: bool = False
    """The licence number is unique only together with its holder."""
    validity: Literal["required", "optional", "none"] = "optional"
    """有效期必采: whether the paper states a validity."""
    issuers: tuple[Issuer, ...] = ()
    """Authorities entitled to issue it; empty: any with a valid code."""
    items: dict[str, ItemSpec] = {}
    """Face items by code, e.g. ``KZ_XKNR``."""
    number_pattern: str = ""
    """Regular expression that the whole licence number must match, as it is written or in half width: the brackets of （2026）1号
    are matched by ``（`` and ``）`` as well as by ``[(]`` and ``[)]``."""
    rules: dict[str, RuleOverride] = {}
    """Overrides of built-in rules, by rule code."""
    cross_rules: tuple[CrossRule, ...] = ()
    """Comparisons between fields, over the built-in rules."""
    style: str = "permit"
    """Name of the style (证照样式) its face is composed with."""
