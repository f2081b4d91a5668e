"""Writes the reference pages that are made from the code; with ``--check`` only says which are out of date.

A page is a path below ``docs/`` and a function that renders it; what stands above a page's mark is written by hand
and stays. ``make docs`` runs this file.
"""

import ast
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

import click
import msgspec

from adapters.api.openapi import openapi
from adapters.decoding.rules import DECODING_RULES
from adapters.filedrop.rules import DROP_RULES
from adapters.rest.form_rules import FORM_RULES
from contracts import dates, interface, licence_type, record
from contracts.fault import Rule
from contracts.interface import LIFECYCLE
from contracts.mapping.rules import MAPPING_RULES
from contracts.mapping.values import CANONICAL_FIELDS
from contracts.outcome import Outcome
from core.cleaning import CATALOGUE
from core.config import sections
from core.packaging.file_kinds import FILE_RULES
from core.store.attachments import GONE
from licencehub.__main__ import cli
from monitoring import catalogue

DOCS = Path(__file__).parent
MARK = "<!-- Below this line the page is made from the code: change the code, then run `make docs`. -->"
_TABLES = {"clients": "[[client]]", "subscribers": "[[subscriber]]"}
_SCALARS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` \\| `false`"}


def configuration() -> str:
    """Every section and setting of the configuration file, from the docstrings beside them."""
    return "\n".join(
        f"## {name}\n\n{_summary(kind)}\n\n{_table(kind, sections)}" for name, kind in _sections()
    )


def mapping() -> str:
    """Interface files and licence types: every table and key, and what the translator knows."""
    parts = []
    for title, kind, module in _DECLARATIONS:
        summary = " ".join((kind.__doc__ or "").split()).replace("``", "`")
        parts.append(f"## {title}\n\n{summary}\n\n{_table(kind, module)}")
        if kind in EXAMPLES:
            parts.append(f"```toml\n{EXAMPLES[kind]}```\n")
    parts.append("## Canonical fields 规范字段\n\n" + ", ".join(f"`{name}`" for name in CANONICAL_FIELDS))
    parts.append(
        "and `items.<CODE>` for each item that the licence type declares. Others are refused, unless the type gives the rule"
    )
    parts.append("`item.undeclared` the disposition `warn` or `off` in so many words.\n")
    known = [(f"`{form.value}`", form.shown) for form in dates.DateFormat]
    always = ", ".join(form.shown for form in dates.UNAMBIGUOUS)
    parts.append(
        f"## Date formats\n\nRead without being declared: {always}, each with or without a time of day.\n"
    )
    parts.append(_rows(("format", "looks like"), known))
    states = [
        (f"`{state}`", ", ".join(f"`{to}`" for to in after) or "-") for state, after in LIFECYCLE.items()
    ]
    parts.append("## States of an interface\n\n" + _rows(("state", "may become"), states))
    return "\n".join(parts)


def commands() -> str:
    """Every command with its arguments, options and example, from the click commands themselves."""
    context = click.Context(cli, info_name="licence-hub")
    parts: list[str] = []
    for name, command in _below(cli, context):
        parts += _command(command, click.Context(command, info_name=name, parent=context))
    return "\n".join(parts)


def metrics() -> str:
    """Every metric with its kind, labels and meaning."""
    parts = []
    for title, group in (
        ("Counted while working", catalogue.CATALOGUE),
        ("Read at each scrape", catalogue.STATE),
    ):
        rows = [
            (
                f"`hub_{metric.name}`",
                metric.kind,
                ", ".join(f"`{label}`" for label in metric.labels),
                metric.help,
            )
            for metric in group
        ]
        parts.append(f"## {title}\n\n" + _rows(("metric", "kind", "labels", "meaning"), rows))
    return "\n".join(parts)


def rules() -> str:
    """Every outcome, and every rule that can be named for one, with its remedy in both languages."""
    texts = _attribute_texts(sys.modules[Outcome.__module__])
    outcomes = [
        (f"`{outcome.value}`", texts.get(("Outcome", outcome.name), "A licence nobody knew."))
        for outcome in Outcome
    ]
    parts = [_rows(("outcome", "meaning"), outcomes)]
    for title, group in (
        ("Decoding 解码", DECODING_RULES),
        ("Dropped files 文件投递", DROP_RULES),
        ("Forms with files 随附文件", (*FORM_RULES, *FILE_RULES, GONE)),
        ("Mapping 映射", (*MAPPING_RULES, *dates.RULES)),
        ("Cleaning 清洗", tuple(CATALOGUE.values())),
    ):
        parts.append(f"## {title}\n\n" + _rows(("rule", "leads to", "finding", "remedy"), map(_rule, group)))
    return "\n".join(parts)


def api() -> str:
    """The OpenAPI document without any registered interface; a running hub adds its own at ``/openapi.json``."""
    return _json(openapi([]))


def _schema(*kinds: type[msgspec.Struct], title: str) -> str:
    """The JSON Schema of a struct, or of a file with one table for each."""
    references, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    whole: dict[str, Any] = references[0]
    if len(kinds) > 1:
        tables = zip(("interface", "licence_type"), references, strict=True)
        whole = {
            "type": "object",
            "properties": {name: {"anyOf": [one, {"type": "array", "items": one}]} for name, one in tables},
            "additionalProperties": False,
        }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return _json({**head, **whole, "$defs": components})


PAGES: dict[str, Callable[[], str]] = {
    "reference/configuration.md": configuration,
    "reference/mapping.md": mapping,
    "reference/cli.md": commands,
    "reference/metrics.md": metrics,
    "reference/outcomes.md": rules,
    "reference/openapi.json": api,
    "reference/schemas/configuration.schema.json": lambda: _schema(
        sections.HubFile, title="licence-hub.toml"
    ),
    "reference/schemas/interface-file.schema.json": lambda: _schema(
        interface.Interface, licence_type.LicenceType, title="Interface file"
    ),
    "reference/schemas/licence-record.schema.json": lambda: _schema(
        record.LicenceRecord, title="Canonical licence record"
    ),
}

_DECLARATIONS: tuple[tuple[str, type[msgspec.Struct], ModuleType], ...] = (
    ("[interface]", interface.Interface, interface),
    ("[interface.source]", interface.Source, interface),
    ("[interface.drop]", interface.Drop, interface),
    ("[interface.fields]: each value", interface.FieldMapping, interface),
    ("[[interface.filters]], [[interface.source.skip]]", interface.Filter, interface),
    ("when of a field, a filter or a skip: each condition", interface.Condition, interface),
    ("[interface.group]", interface.Group, interface),
    ("[interface.order]", interface.Order, interface),
    ("[interface.expects]", interface.Expectation, interface),
    ("[licence_type]", licence_type.LicenceType, licence_type),
    ("[licence_type.items]: each value", licence_type.ItemSpec, licence_type),
    ("[licence_type.rules]: each value", licence_type.RuleOverride, licence_type),
    ("[[licence_type.cross_rules]]", licence_type.CrossRule, licence_type),
    ("[[licence_type.issuers]]", licence_type.Issuer, licence_type),
)

EXAMPLES: dict[type[msgspec.Struct], str] = {
    licence_type.ItemSpec: """\
[licence_type.items.KZ_AQCK]
label = { en = "Emergency exits", zh-CN = "安全出口" }
kind = "list"

[licence_type.items.KZ_AQCK.fields]
floor = { en = "Floor", zh-CN = "楼层" }
count = { en = "Number of exits", zh-CN = "出口数量" }
""",
    licence_type.CrossRule: """\
[[licence_type.cross_rules]]
code = "permit.begins-when-issued"
left = "valid_from"
op = ">="
right = "issued_on"
when = [{ code = "permit.of-an-organisation", left = "holder.code_type", op = "in", value = ["001", "099"] }]
message = { en = "an organisation's permit begins when it is issued", zh-CN = "单位证照的有效期不得早于颁发日期" }
""",
}
"""By struct: what the table alone does not show."""


def _command(command: click.Command, context: click.Context, depth: int = 2) -> Iterator[str]:
    """A command and those below it."""
    parts = [f"{'#' * depth} {context.command_path}\n\n{(command.help or '').strip()}\n"]
    if isinstance(command, click.Group):
        yield from parts
        for name, below in _below(command, context):
            yield from _command(below, click.Context(below, info_name=name, parent=context), depth + 1)
        return
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts.append(f"```\n{usage}\n```\n")
    options = [
        found
        for one in command.params
        if isinstance(one, click.Option)
        if (found := one.get_help_record(context)) and "--help" not in found[0]
    ]
    if options:
        parts.append(_rows(("option", "meaning"), [(f"`{option}`", meaning) for option, meaning in options]))
    if command.epilog:
        label, _, example = command.epilog.partition(": ")
        parts.append(f"{label}: `{example}`\n")
    yield from parts


def _below(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None:
            yield name, command


def _rule(rule: Rule) -> tuple[str, str, str, str]:
    return (
        f"`{rule.code}`",
        rule.disposition.value,
        f"{rule.en}<br>{rule.zh}",
        f"{rule.remedy_en}<br>{rule.remedy_zh}",
    )


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


def _table(kind: type[msgspec.Struct], module: ModuleType) -> str:
    texts = _attribute_texts(module)
    return _rows(
        ("setting", "type", "default", "meaning"),
        [
            (
                f"`{field.encode_name}`",
                _type_text(field.type),
                _default(field),
                texts.get((kind.__name__, field.name), ""),
            )
            for field in msgspec.structs.fields(kind)
            if field.name != "grants"
        ],
    )


def _rows(columns: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("\\|", "|").replace("|", "\\|").split())


def _type_text(kind: Any) -> str:
    schema = msgspec.json.schema(kind)
    return _schema_text(schema, schema.get("$defs", {}))


def _schema_text(schema: dict[str, Any], defined: dict[str, Any]) -> str:
    """A type in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _schema_text(defined[name], defined) if "enum" in defined[name] else "table"
    if "anyOf" in schema:
        texts = [_schema_text(one, defined) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(texts))
    if "enum" in schema:
        return " | ".join(f"`{value}`" if value != "" else '`""`' for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_schema_text(schema.get('items', {}), defined).replace('text', 'texts').replace('table', 'tables')}"
    if schema.get("type") == "object":
        return "table"
    text = _SCALARS.get(schema.get("type", ""), "any value")
    least = schema.get("minimum")
    return f"{text} ≥ {least}" if least is not None else text


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    built = msgspec.to_builtins(value)
    if built is None or isinstance(value, msgspec.Struct):
        return "-" if built is None else "its defaults"
    return f"`{json.dumps(built, ensure_ascii=False)}`"


def _attribute_texts(module: ModuleType) -> dict[tuple[str, str], str]:
    """The text under each attribute, by class and attribute."""
    found = {}
    for node in ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for attribute, text in zip(node.body, node.body[1:], strict=False):
            name = _attribute_name(attribute)
            if name and isinstance(text, ast.Expr):
                found[node.name, name] = " ".join(ast.literal_eval(text.value).split())
    return found


def _attribute_name(node: ast.stmt) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Exit status 1 when ``--check`` finds a page out of date."""
    stale = {
        name: text for name, render in PAGES.items() if (text := _page(DOCS / name, render())) is not None
    }
    for name, text in stale.items():
        if "--check" not in arguments:
            (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
            (DOCS / name).write_text(text, encoding="utf-8")
        print(f"docs/{name} {'is out of date' if '--check' in arguments else 'written'}")
    return 1 if stale and "--check" in arguments else 0


def _page(path: Path, made: str) -> str | None:
    """The page with what is made from the code below its mark; None when it is so already."""
    present = path.read_text(encoding="utf-8") if path.exists() else ""
    head, mark, _old = present.partition(MARK)
    text = f"{head}{mark}\n\n{made}" if mark else made
    return None if text == present else text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
