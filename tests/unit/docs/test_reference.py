import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.declare import load_declaration
from contracts.licence_type import LicenceType
from core.cleaning.declaration import declaration_faults

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_pages_are_those_of_the_code(generate: ModuleType) -> None:
    assert generate.main(["--check"]) == 0


def test_every_setting_of_the_configuration_has_its_line(generate: ModuleType) -> None:
    page = generate.configuration()
    for setting in (
        "| `body_limit_bytes` |",
        "| `every_s` |",
        "| `actions` |",
        "| `master` |",
        "## [[client.grants]]",
    ):
        assert setting in page


def test_the_check_sees_a_page_that_is_out_of_date(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(generate.PAGES, "reference/configuration.md", lambda: "something else")
    assert generate.main(["--check"]) == 1


def test_every_key_of_an_interface_file_says_what_it_means(generate: ModuleType) -> None:
    rows = [line for line in generate.mapping().splitlines() if line.startswith("| `")]
    assert len(rows) > 80
    assert [row for row in rows if row.endswith("|  |")] == []


def test_the_examples_of_the_reference_are_sound_and_shown_where_they_belong(generate: ModuleType) -> None:
    page = generate.mapping()
    head = '[licence_type]\ncode = "11110000000000001R001"\nname = { zh-CN = "许可证" }\n'
    declared = [
        load_declaration(LicenceType, tomllib.loads(head + example)["licence_type"])
        for example in generate.EXAMPLES.values()
    ]
    assert [declaration_faults(licence_type) for licence_type in declared] == [[], []]
    assert declared[0].items["KZ_AQCK"].fields["floor"] == {"en": "Floor", "zh-CN": "楼层"}
    assert declared[1].cross_rules[0].when[0].left == "holder.code_type"
    sections = {title.partition("\n")[0]: title for title in page.split("\n## ")}
    assert "[licence_type.items.KZ_AQCK.fields]" in sections["[licence_type.items]: each value"]
    assert "when = [{ code" in sections["[[licence_type.cross_rules]]"]


def test_the_command_reference_has_every_command_with_an_example(generate: ModuleType) -> None:
    page = generate.commands()
    for command in ("interface apply", "ingest", "quarantine decide", "deadletter redrive", "journal verify"):
        assert f" licence-hub {command}\n" in page
    assert page.count("```\nlicence-hub") == page.count("Example: `licence-hub")


def test_what_is_written_by_hand_above_the_mark_stays(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# By hand\n\n{generate.MARK}\n\nold\n")
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    monkeypatch.setattr(generate, "PAGES", {"page.md": lambda: "new\n"})
    assert generate.main([]) == 0
    assert page.read_text() == f"# By hand\n\n{generate.MARK}\n\nnew\n"


def test_the_schema_of_interface_files_accepts_the_examples_and_refuses_a_slip(generate: ModuleType) -> None:
    schema = json.loads(generate.PAGES["reference/schemas/interface-file.schema.json"]())
    files = sorted(DOCS.parent.glob("examples/*/interface*.toml"))
    assert files
    for file in files:
        assert list(Draft202012Validator(schema).iter_errors(_json(file))) == []
    slipped = _json(files[0]) | {"interfaces": {}}
    assert list(Draft202012Validator(schema).iter_errors(slipped))


def _json(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))
