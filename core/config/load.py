"""One TOML file and the environment into ``HubConfig``: the environment wins, every fault is reported at once."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.declare import DeclarationError, load_declaration, parse_toml
from contracts.fault import Fault, Rule, pointer
from core.config.sections import HubConfig, HubFile
from core.errors import ConfigError

PREFIX = "LICENCE_HUB__"
"""``LICENCE_HUB__GATEWAY__PORT=8301`` overrides ``port`` in ``[gateway]``."""

UNREADABLE = Rule(
    code="configuration.unreadable",
    en="cannot be read: {detail}",
    zh="无法读取：{detail}",
    remedy_en="Name an existing file with -c FILE, or make one with `licence-hub init DIR`.",
    remedy_zh="请用 -c FILE 指定已有文件，或用 `licence-hub init DIR` 生成。",
)
ENVIRONMENT = Rule(
    code="configuration.environment",
    en="environment variable {name} names no setting",
    zh="环境变量 {name} 没有对应的设置项",
    remedy_en="Write LICENCE_HUB__SECTION__SETTING.",
    remedy_zh="请写成 LICENCE_HUB__SECTION__SETTING。",
)
CLEAR_SECRET = Rule(
    code="configuration.clear-secret",
    en="a password stands in the URL",
    zh="URL 中直接写了口令",
    remedy_en="Put it into a file and write ${{file:PATH}} (or ${{env:NAME}}) in its place.",
    remedy_zh="请将口令放入文件，并在原处写 ${{file:PATH}}（或 ${{env:NAME}}）。",
)
TWICE = Rule(
    code="configuration.duplicate",
    en="{name!r} is declared twice",
    zh="{name!r} 重复声明",
    remedy_en="Give each its own name.",
    remedy_zh="请使用不同的名称。",
)
TLS_PAIR = Rule(
    code="configuration.tls-pair",
    en="a certificate needs its key, and a key its certificate",
    zh="证书与私钥必须同时设置",
    remedy_en="Set both gateway.tls_certificate and gateway.tls_key, or neither.",
    remedy_zh="请同时设置 gateway.tls_certificate 和 gateway.tls_key，或都不设置。",
)
BUS_URL = Rule(
    code="configuration.bus-url",
    en="a {kind} bus needs {expected}",
    zh="{kind} 总线需要 {expected}",
    remedy_en="Change kind or url.",
    remedy_zh="请修改 kind 或 url。",
)

STORE_URL = Rule(
    code="configuration.store-url",
    en="the store is kept in SQLite or PostgreSQL",
    zh="存储库仅支持 SQLite 或 PostgreSQL",
    remedy_en="Write sqlite:///PATH or postgresql://USER@HOST:PORT/DATABASE.",
    remedy_zh="请写成 sqlite:///路径 或 postgresql://用户@主机:端口/数据库。",
)
_STORES = ("sqlite:///", "postgresql://")


def load_config(path: Path, environment: Mapping[str, str] | None = None) -> HubConfig:
    """The configuration of the file; raises ``ConfigError`` with every fault and its place."""
    variables = os.environ if environment is None else environment
    from_variables: dict[str, str] = {}
    try:
        data = parse_toml(path.read_text(encoding="utf-8"))
        faults = _override(data, variables, from_variables)
        parsed = _parsed(data, faults)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [UNREADABLE.at("", detail=str(error))]) from error
    except DeclarationError as error:
        raise ConfigError(str(path), error.faults, from_variables) from error
    settings = {name: getattr(parsed, name) for name in HubFile.__struct_fields__}
    return HubConfig(**settings, folder=str(path.absolute().parent))


def _parsed(data: dict[str, Any], faults: list[Fault]) -> HubFile:
    """The sections, unless they or ``faults`` found before have something wrong."""
    try:
        parsed = load_declaration(HubFile, data)
    except DeclarationError as error:
        raise DeclarationError([*faults, *error.faults, *_beside(data, error.faults)]) from error
    if faults := [*faults, *_inconsistencies(parsed)]:
        raise DeclarationError(faults)
    return parsed


def _beside(data: dict[str, Any], wrong: list[Fault]) -> list[Fault]:
    """Faults between settings in the sections where each by itself is sound."""
    sections = {fault.pointer.split("/")[1] for fault in wrong if fault.pointer}
    try:
        return _inconsistencies(
            load_declaration(
                HubFile, {name: section for name, section in data.items() if name not in sections}
            )
        )
    except DeclarationError:
        return []


def _override(
    data: dict[str, Any], variables: Mapping[str, str], from_variables: dict[str, str]
) -> list[Fault]:
    """Writes ``LICENCE_HUB__SECTION__SETTING`` variables into ``data``; reports those of another shape.

    ``from_variables`` learns which variable stands behind which place.
    """
    faults = []
    for name in sorted(name for name in variables if name.startswith(PREFIX)):
        section, _, setting = name.removeprefix(PREFIX).lower().partition("__")
        if not setting or section not in _single_sections():
            faults.append(ENVIRONMENT.at("", name=name))
            continue
        table = data.setdefault(section, {})
        if isinstance(table, dict):
            table[setting] = _value(variables[name])
            from_variables[pointer(section, setting)] = name
    return faults


def _single_sections() -> set[str]:
    return {name for name in HubFile.__struct_fields__ if name not in {"clients", "subscribers"}}


def _value(text: str) -> Any:
    """A TOML value where the text is one (``8301``, ``true``, ``["a"]``), else the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _inconsistencies(config: HubFile) -> list[Fault]:
    """Faults between settings, which a schema cannot see."""
    faults = [CLEAR_SECRET.at(place) for place, url in _urls(config) if _has_clear_password(url)]
    for section, names in (
        ("client", [client.id for client in config.clients]),
        ("subscriber", [subscriber.name for subscriber in config.subscribers]),
    ):
        faults += [
            TWICE.at(pointer(section, index), name=name)
            for index, name in enumerate(names)
            if name in names[:index]
        ]
    if (config.bus.kind == "rabbitmq") != config.bus.url.startswith(("amqp://", "amqps://")):
        expected = "an amqp:// URL" if config.bus.kind == "rabbitmq" else "a file path"
        faults.append(BUS_URL.at("/bus/url", kind=config.bus.kind, expected=expected))
    if not config.store.url.startswith(_STORES):
        faults.append(STORE_URL.at("/store/url"))
    if config.store.migration_url and not config.store.migration_url.startswith(_STORES):
        faults.append(STORE_URL.at("/store/migration_url"))
    if bool(config.gateway.tls_certificate) != bool(config.gateway.tls_key):
        faults.append(TLS_PAIR.at("/gateway/tls_certificate"))
    return faults


def _urls(config: HubFile) -> list[tuple[str, str]]:
    posts = [(pointer("subscriber", index, "url"), s.url) for index, s in enumerate(config.subscribers)]
    stores = [("/store/url", config.store.url), ("/store/migration_url", config.store.migration_url)]
    return [*stores, ("/bus/url", config.bus.url), *posts]


def _has_clear_password(url: str) -> bool:
    """Whether user information carries a password that is not a ``${…}`` reference."""
    authority = url.partition("://")[2].rpartition("@")[0]
    password = authority.partition(":")[2]
    return bool(password) and not (password.startswith("${") and password.endswith("}"))
