"""Every metric the code counts is in the catalogue, with exactly its labels."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
FOLDERS = ("core", "router", "adapters", "scheduler", "monitoring", "licencehub")
KINDS = {"count": "counter", "observe": "histogram", "gauge": "gauge"}


def uses() -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    for file in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in KINDS
            ):
                continue
            if "observer" not in ast.unparse(node.func.value).lower() or not isinstance(
                node.args[0], ast.Constant
            ):
                continue
            labels = tuple(
                sorted(word.arg for word in node.keywords if word.arg)
            )  # sorted: it names the test
            yield (
                f"{file.relative_to(ROOT)}:{node.lineno}",
                KINDS[node.func.attr],
                str(node.args[0].value),
                labels,
            )


@pytest.mark.parametrize(("place", "kind", "name", "labels"), list(uses()), ids=lambda value: str(value)[:60])
def test_a_metric_in_use_is_declared(place: str, kind: str, name: str, labels: tuple[str, ...]) -> None:
    declared = {metric.name: metric for metric in CATALOGUE}
    assert name in declared, place
    assert (kind, labels) == (declared[name].kind, tuple(sorted(declared[name].labels))), place


def test_the_code_counts_something() -> None:
    assert len(list(uses())) > 20
