"""Secrets by reference: configuration and registry hold where a secret is, never the secret."""

import os
from pathlib import Path

from contracts.fault import Rule
from core.errors import ConfigError

FORM = Rule(
    code="secret.reference",
    en="is not a secret reference",
    zh="不是密钥引用",
    remedy_en="write file:PATH or env:NAME; the secret itself never stands here",
    remedy_zh="请写 file:路径 或 env:变量名，密钥本身不得写在此处",
)
MISSING = Rule(
    code="secret.missing",
    en="names a secret that cannot be read ({why})",
    zh="所引用的密钥无法读取（{why}）",
    remedy_en="create it, readable by the hub's user alone",
    remedy_zh="请创建该密钥，并只允许枢纽的运行用户读取",
)


def resolve(reference: str, base: Path) -> str:
    """The secret behind ``file:PATH`` (relative to ``base``) or ``env:NAME``, without surrounding white space.

    Raises ``ConfigError``, which names the reference and never a value.
    """
    kind, _, name = reference.partition(":")
    if kind == "file" and name:
        return _checked(reference, _file_text(reference, base / name))
    if kind == "env" and name:
        return _checked(reference, os.environ.get(name, ""))
    shown = f"{kind}:" if kind in {"file", "env"} else "a secret"
    raise ConfigError(shown, [FORM.at("")])


def _file_text(reference: str, path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(reference, [MISSING.at("", why=why)]) from None


def _checked(reference: str, text: str) -> str:
    secret = text.strip()
    if not secret:
        raise ConfigError(reference, [MISSING.at("", why="empty or not set")])
    return secret
