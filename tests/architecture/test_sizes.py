"""Rooms that want walls: no module and no function grows past what a reader can hold."""

import ast
from pathlib import Path

import pytest

from architecture.sources import PACKAGES, text_of, tracked_modules

MODULE_LINES = 400
FUNCTION_LINES = 60
_FOLDERS = (*PACKAGES, "tests", "examples", "bench", "docs")


def _code_lines(text: str) -> int:
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))


def _functions(text: str) -> list[tuple[str, int]]:
    found = (
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in found]


@pytest.mark.parametrize("path", tracked_modules(*_FOLDERS), ids=str)
def test_a_module_stays_small(path: Path) -> None:
    text = text_of(path)
    assert _code_lines(text) <= MODULE_LINES
    assert [name for name, lines in _functions(text) if lines > FUNCTION_LINES] == []


def test_the_measure_sees_a_function_that_is_too_long() -> None:
    text = "def long() -> None:\n" + "    pass\n" * FUNCTION_LINES
    assert _functions(text) == [("long", FUNCTION_LINES + 1)]
    assert _code_lines(text + "\n# remark\n") == FUNCTION_LINES + 1
