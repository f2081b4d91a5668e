import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

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
