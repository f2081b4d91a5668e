"""The interface registry's use cases: declarations from files in, checked whole; states moved; declarations out again.

A file holds ``[interface]`` and ``[licence_type]`` tables (or arrays of them). All files of one call are checked before the
first is applied: a call registers everything or nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from contracts.declare import DeclarationError, load_declaration, parse_toml
from contracts.fault import Fault, Rule, pointer
from contracts.interface import Interface
from contracts.licence_type import LicenceType
from contracts.mapping import interface_faults
from core.cleaning.declaration import declaration_faults
from core.errors import ConfigError, NotFound
from core.packaging.style_checks import style_faults
from core.service.fitting import misfits
from core.service.styles import StyleRegistry
from core.store.registry import EntryKind, RegistryEntry, RegistryStore

UNREADABLE = Rule(
    code="registration.unreadable",
    en="cannot be read: {detail}",
    zh="无法读取该文件",
    remedy_en="name a readable TOML file in UTF-8",
    remedy_zh="请指定可读取的 UTF-8 编码 TOML 文件",
)
NOTHING = Rule(
    code="registration.nothing",
    en="declares neither [interface] nor [licence_type]",
    zh="既没有 [interface] 也没有 [licence_type]",
    remedy_en="put the declaration into one of these tables",
    remedy_zh="请将声明写入其中一个表",
)
UNKNOWN_TABLE = Rule(
    code="registration.unknown-table",
    en="[{name}] is not known here",
    zh="此处不识别 [{name}]",
    remedy_en="use [interface] and [licence_type]",
    remedy_zh="请使用 [interface] 和 [licence_type]",
)
UNKNOWN_STYLE = Rule(
    code="registration.unknown-style",
    en="style {name} is neither registered nor shipped",
    zh="样式 {name} 未登记，也不是内置样式",
    remedy_en="register it first (licence-hub style apply), or name another",
    remedy_zh="请先登记该样式（licence-hub style apply），或改用其他样式",
)
UNKNOWN_TYPE = Rule(
    code="registration.unknown-type",
    en="licence type {code} is registered nowhere",
    zh="证照类型 {code} 未登记",
    remedy_en="apply the file that declares it first, or in the same call",
    remedy_zh="请先登记声明该类型的文件，或与本文件一并登记",
)


class Declaration(msgspec.Struct, frozen=True):
    """One checked declaration of a file."""

    kind: EntryKind
    name: str
    content: dict[str, Any]


class Registration:
    """Declarations in and out of the registry."""

    def __init__(self, registry: RegistryStore) -> None:
        self._registry = registry

    def apply(self, files: Sequence[Path], actor: str, styles: StyleRegistry) -> list[RegistryEntry]:
        """Registers what the files declare, types first; raises ``ConfigError`` with all faults of the first file with any.

        A type's style must be one of ``styles`` and fit the type, or its licences would wait unsealed.
        """
        declared = [declaration for file in files for declaration in read_declarations(file)]
        self._check_types(files, declared)
        _check_styles(files, declared, styles)
        ordered = sorted(declared, key=lambda declaration: declaration.kind != "licence-type")
        return [self._registry.apply(item.kind, item.name, item.content, actor) for item in ordered]

    def set_state(self, name: str, state: str, actor: str) -> RegistryEntry:
        """Moves an interface to a state; raises ``NotFound`` and ``Refused``."""
        return self._registry.set_state("interface", name, state, actor)

    def export(self, name: str) -> str:
        """The interface's file: declaration and type as TOML that ``apply`` takes; raises ``NotFound``."""
        entry = self._registry.show("interface", name)
        tables: dict[str, Any] = {"interface": _without_empty(entry.declaration)}
        types = {other.name: other for other in self._registry.list("licence-type")}
        used = types.get(str(entry.declaration.get("licence_type", "")))
        if used is not None:
            tables["licence_type"] = _without_empty(used.declaration)
        return tomli_w.dumps(tables, multiline_strings=True)

    def _check_types(self, files: Sequence[Path], declared: Iterable[Declaration]) -> None:
        """Every interface fits its type, which is registered or declared beside it."""
        declared = list(declared)
        known = {entry.name: entry.declaration for entry in self._registry.list("licence-type")}
        known |= {item.name: item.content for item in declared if item.kind == "licence-type"}
        faults: list[Fault] = []
        for item in declared:
            if item.kind != "interface":
                continue
            place, code = pointer("interface", item.name), item.content["licence_type"]
            if code not in known:
                faults.append(UNKNOWN_TYPE.at(place + "/licence_type", code, code=code))
                continue
            interface = msgspec.convert(item.content, Interface)
            faults += _placed(place, misfits(interface, msgspec.convert(known[code], LicenceType)))
        if faults:
            raise ConfigError(", ".join(map(str, files)), faults)


def _check_styles(files: Sequence[Path], declared: Iterable[Declaration], styles: StyleRegistry) -> None:
    faults: list[Fault] = []
    for item in declared:
        if item.kind != "licence-type":
            continue
        licence_type = msgspec.convert(item.content, LicenceType)
        place = pointer("licence_type", item.name, "style")
        try:
            style = styles.load(licence_type.style)
        except NotFound:
            faults.append(UNKNOWN_STYLE.at(place, licence_type.style, name=licence_type.style))
            continue
        faults += _placed(place, style_faults(style, licence_type))
    if faults:
        raise ConfigError(", ".join(map(str, files)), faults)


def read_declarations(file: Path) -> list[Declaration]:
    """The declarations of one file; raises ``ConfigError`` with every fault and its place."""
    try:
        data = parse_toml(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), [UNREADABLE.at("", detail=str(error))]) from error
    except DeclarationError as error:
        raise ConfigError(str(file), error.faults) from error
    faults: list[Fault] = [UNKNOWN_TABLE.at(pointer(name), name=name) for name in data if name not in _TABLES]
    found = list(_declared(data, faults))
    if not found and not faults:
        faults.append(NOTHING.at(""))
    if faults:
        raise ConfigError(str(file), faults)
    return found


def _declared(data: Mapping[str, Any], faults: list[Fault]) -> Iterator[Declaration]:
    for table, (kind, shape, name, check) in _TABLES.items():
        if table not in data:
            continue
        several = isinstance(data[table], list)
        for index, content in enumerate(data[table] if several else [data[table]]):
            place = pointer(table, index) if several else pointer(table)
            try:
                loaded = load_declaration(shape, content)
            except DeclarationError as error:
                faults += _placed(place, error.faults)
                continue
            wrong = check(loaded)
            faults += _placed(place, wrong)
            if not wrong:
                yield Declaration(kind, getattr(loaded, name), msgspec.to_builtins(loaded))


def _placed(place: str, faults: Iterable[Fault]) -> list[Fault]:
    return [msgspec.structs.replace(fault, pointer=place + fault.pointer) for fault in faults]


_TABLES: dict[str, tuple[EntryKind, type[Any], str, Callable[[Any], Sequence[Fault]]]] = {
    "licence_type": ("licence-type", LicenceType, "code", declaration_faults),
    "interface": ("interface", Interface, "name", interface_faults),
}


def _without_empty(value: Any) -> Any:
    """The declaration without defaults that TOML cannot say (None) and nobody needs to read (empty)."""
    if isinstance(value, dict):
        kept = {key: _without_empty(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner not in (None, "", [], {}, ())}
    if isinstance(value, list | tuple):
        return [_without_empty(inner) for inner in value]
    return value
