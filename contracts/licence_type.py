"""Declaration of a licence type: what its records must hold and how they are cleaned, identified and shown."""

from typing import Any, Literal

import msgspec

from contracts.fault import Disposition

Label = dict[str, str]
"""Text by language tag: ``{"en": …, "zh-CN": …}``."""


class ItemSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One extended face item (扩展业务信息) of a type."""

    label: Label
    kind: Literal["text", "date", "number", "flag", "list"] = "text"
    required: bool = False
    max_length: int = 2000
    codes: dict[str, str] = {}
    """Closed code table: code -> text. Empty: any value."""
    pattern: str = ""
    """Regular expression the whole text must match."""
    minimum: float | None = None
    maximum: float | None = None
    personal: bool = False
    """Personal data: masked in logs and lists."""
    fields: dict[str, Label] = {}
    """For ``list``: the fields of each element, by code."""


class RuleOverride(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes what a finding of a built-in rule leads to; ``off`` needs a reason."""

    disposition: Literal["reject", "quarantine", "warn", "off"]
    reason: str = ""


class CrossRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A comparison between two fields of a record, or a field and a constant."""

    code: str
    left: str
    """Canonical field path: ``issued_on``, ``holder.code``, ``items.KZ_XKNR``."""
    op: Literal["=", "!=", "<", "<=", ">", ">=", "in", "not-in", "present", "absent"]
    right: str = ""
    """Canonical field path to compare with, when ``value`` is not given."""
    value: Any = None
    when: "tuple[CrossRule, ...]" = ()
    """The rule applies only when all of these hold."""
    message: Label = {}
    remedy: Label = {}
    disposition: Disposition = Disposition.QUARANTINE


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An authority entitled to issue a type, and where."""

    code: str
    name: str = ""
    regions: tuple[str, ...] = ()
    """Division prefixes (2, 4 or 6 digits) it may issue for; empty: any."""


class LicenceType(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A licence type of the catalogue, with the rules its records obey."""

    code: str
    """证照类型代码, 21 characters."""
    name: Label
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
    number_pattern: str = ""
    """Regular expression of the licence number."""
    rules: dict[str, RuleOverride] = {}
    """Overrides of built-in rules, by rule code."""
    cross_rules: tuple[CrossRule, ...] = ()
    style: str = "permit"
    """Name of the style (证照样式) its face is composed with."""
