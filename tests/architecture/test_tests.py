"""The tests themselves: found by pytest, without package files, and each of them able to fail."""

import ast
from pathlib import Path

from architecture.sources import text_of, tracked_modules

_CHECKS = (ast.Assert, ast.With, ast.AsyncWith, ast.Raise)


def _test_functions(text: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    found = (
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [node for node in found if node.name.startswith("test_")]


def _called_name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _can_fail(test: ast.AST) -> bool:
    nodes = list(ast.walk(test))
    calls = [_called_name(node) for node in nodes if isinstance(node, ast.Call)]
    return any(isinstance(node, _CHECKS) for node in nodes) or any("assert" in name for name in calls)


def test_every_test_can_fail() -> None:
    found = [
        f"{path}::{test.name}"
        for path in tracked_modules("tests")
        for test in _test_functions(text_of(path))
        if not _can_fail(test)
    ]
    assert found == []


def test_a_test_without_a_check_is_seen() -> None:
    (idle,) = _test_functions("def test_idle() -> None:\n    print(1)\n")
    (useful,) = _test_functions("def test_useful() -> None:\n    assert_same(1, 1)\n")
    assert not _can_fail(idle)
    assert _can_fail(useful)


def test_the_tests_are_no_packages() -> None:
    assert [path for path in tracked_modules("tests") if path.name == "__init__.py"] == []


def test_every_test_module_is_found_by_its_name() -> None:
    strays = [
        path
        for path in tracked_modules("tests")
        if _test_functions(text_of(path)) and not path.name.startswith("test_") and path != Path(__file__)
    ]
    assert strays == []
