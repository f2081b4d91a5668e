"""Writes the reference pages that are made from the code; with ``--check`` only says which are out of date.

A page is a path below ``docs/`` and a function that renders it; ``make docs`` runs this file.
"""

import ast
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from adapters.api.openapi import openapi
from core.config import sections

DOCS = Path(__file__).parent
_SOURCE = Path(sections.__file__)
_TABLES = {"clients": "[[client]]", "subscribers": "[[subscriber]]"}


def configuration() -> str:
    """Every section and setting of the configuration file, from the docstrings beside them."""
    texts = _attribute_texts(_SOURCE.read_text(encoding="utf-8"))
    parts = [_INTRODUCTION]
    for name, kind in _sections():
        parts.append(f"## {name}\n\n{_summary(kind)}\n\n{_table(kind, texts)}")
    return "\n".join(parts)


def api() -> str:
    """The OpenAPI document without any registered interface; a running hub adds its own at ``/openapi.json``."""
    return json.dumps(openapi([]), indent=2, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "reference/configuration.md": configuration,
    "reference/openapi.json": api,
}

_INTRODUCTION = """\
# Configuration

One TOML file, `licence-hub.toml`; `licence-hub init DIR` writes one that works. The command looks for `-c FILE`, then for
`LICENCE_HUB_CONFIG`, then for `./licence-hub.toml`.

- Every setting can be overridden by an environment variable: `LICENCE_HUB__SECTION__SETTING`, for example
  `LICENCE_HUB__GATEWAY__PORT=8301`. The environment wins over the file.
- Relative paths count from the folder of the file.
- A secret stands in the file only by reference: `file:PATH` or `env:NAME`; inside a URL as `${file:PATH}` or `${env:NAME}`.
- A file with faults is refused as a whole, with every fault and its place; an unknown setting is a fault.

This page is made from the code (`core/config/sections.py`) by `make docs`.
"""


def _sections() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for name, hint in get_type_hints(sections.HubFile).items():
        kind = hint if isinstance(hint, type) and get_origin(hint) is None else get_args(hint)[0]
        yield _TABLES.get(name, f"[{name}]"), kind
        if kind is sections.Client:
            yield "[[client.grants]]", sections.Grant


def _summary(kind: type) -> str:
    """The docstring of a section behind its ``[name]:``."""
    text = (kind.__doc__ or "").partition(": ")[2]
    return text[:1].upper() + text[1:]


def _table(kind: type[msgspec.Struct], texts: dict[tuple[str, str], str]) -> str:
    rows = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for field in msgspec.structs.fields(kind):
        if field.name == "grants":
            continue
        meaning = texts[kind.__name__, field.name].replace("``", "`").replace("|", "\\|")
        rows.append(f"| `{field.encode_name}` | {_type_text(field.type)} | {_default(field)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _type_text(kind: Any) -> str:
    schema = msgspec.json.schema(kind)
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return "list of texts"
    text = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` \\| `false`"}[
        schema["type"]
    ]
    least = schema.get("minimum")
    return f"{text} ≥ {least}" if least is not None else text


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return f"`{json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)}`"


def _attribute_texts(source: str) -> dict[tuple[str, str], str]:
    """The text under each annotated attribute, by class and attribute."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            for attribute, text in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(attribute, ast.AnnAssign)
                    and isinstance(attribute.target, ast.Name)
                    and isinstance(text, ast.Expr)
                ):
                    value = ast.literal_eval(text.value)
                    found[node.name, attribute.target.id] = " ".join(value.split())
    return found


def main(arguments: list[str]) -> int:
    """Exit status 1 when ``--check`` finds a page out of date."""
    stale = [name for name, render in PAGES.items() if _stale(DOCS / name, render())]
    for name in stale:
        if "--check" not in arguments:
            (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
            (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name} {'is out of date' if '--check' in arguments else 'written'}")
    return 1 if stale and "--check" in arguments else 0


def _stale(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
