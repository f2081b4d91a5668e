"""Canonical field paths: the names that declarations use (``issued_on``, ``holder.code``, ``items.KZ_XKNR``)."""

from collections.abc import Callable
from operator import attrgetter
from typing import Literal

import msgspec

from contracts.licence_type import LicenceType
from contracts.record import LicenceRecord

Kind = Literal["text", "date", "number", "flag", "list"]


class Field(msgspec.Struct, frozen=True):
    """One canonical field: where it is and how to read it."""

    path: str
    pointer: str
    kind: Kind
    label_en: str
    label_zh: str
    read: Callable[[LicenceRecord], object]
    personal: bool = False


_SCALARS: dict[str, tuple[Kind, str, str]] = {
    "licence_type": ("text", "the licence type", "证照类型"),
    "licence_name": ("text", "the licence name", "证照名称"),
    "licence_number": ("text", "the licence number", "证照编号"),
    "issuer_name": ("text", "the issuing authority", "颁发机构"),
    "issuer_code": ("text", "the code of the issuing authority", "颁发机构代码"),
    "region": ("text", "the administrative division", "行政区划"),
    "issued_on": ("date", "the date of issue", "颁发日期"),
    "valid_from": ("date", "the first day of validity", "有效期起始日期"),
    "valid_until": ("date", "the last day of validity", "有效期截止日期"),
    "long_term": ("flag", "the mark of long-term validity", "长期有效标记"),
    "status": ("text", "the status", "证照状态"),
    "identifier": ("text", "the licence identifier", "电子证照标识"),
    "verified_by": ("text", "the person who verified the material", "核验人"),
}
_HOLDER: dict[str, tuple[str, str]] = {
    "name": ("the holder's name", "持证主体"),
    "code": ("the holder's code", "持证主体代码"),
    "code_type": ("the type of the holder's code", "持证主体代码类型代码"),
}


def find_field(path: str, licence_type: LicenceType) -> Field | None:
    """The field ``path`` names for this type, or None; ``holder.*`` means the first holder."""
    if path in _SCALARS:
        kind, en, zh = _SCALARS[path]
        return Field(path, f"/{path}", kind, en, zh, attrgetter(path))
    scope, _, name = path.partition(".")
    if scope == "holder" and name in _HOLDER:
        return _holder_field(name)
    if scope == "items" and name in licence_type.items:
        return _item_field(name, licence_type)
    return None


def holder_field(field: Field, index: int, *, personal: bool) -> Field:
    """The ``holder.*`` field of the holder at ``index``."""
    name = field.path.partition(".")[2]
    return msgspec.structs.replace(field, pointer=f"/holders/{index}/{name}", personal=personal)


def path_of(pointer: str) -> str:
    """The field path of a canonical pointer: ``/holders/1/code`` -> ``holder.code``, ``/items/KZ_A/0`` -> ``items.KZ_A``."""
    scope, *rest = pointer[1:].split("/")
    if scope == "holders":
        return f"holder.{rest[1]}" if len(rest) > 1 else "holder.name"
    if scope == "items" and rest:
        return "items." + rest[0].replace("~1", "/").replace("~0", "~")
    return scope


def _holder_field(name: str) -> Field:
    en, zh = _HOLDER[name]

    def read(record: LicenceRecord) -> object:
        return getattr(record.holders[0], name) if record.holders else None

    return Field(f"holder.{name}", f"/holders/0/{name}", "text", en, zh, read, personal=name != "code_type")


def _item_field(code: str, licence_type: LicenceType) -> Field:
    spec = licence_type.items[code]
    en, zh = spec.label.get("en", code), spec.label.get("zh-CN", code)
    pointer = "/items/" + code.replace("~", "~0").replace("/", "~1")
    return Field(
        f"items.{code}",
        pointer,
        spec.kind,
        en,
        zh,
        lambda record: record.items.get(code),
        personal=spec.personal,
    )
