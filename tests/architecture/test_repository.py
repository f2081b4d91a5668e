"""The repository speaks of the product alone, in names that say something, and every exception to a rule gives its reason."""

import re
from pathlib import Path

import pytest

from architecture.sources import PACKAGES, text_of, tracked_files, tracked_modules

# Written in pieces, so that this file does not hold what it looks for.
_MACHINE_PATHS = re.compile(
    "|".join(rf"(?<![\w.:/-])/{place}/" for place in ("work", "root", "far" + "m", "tmp/bri" + "ef"))
)
_FOREIGN_WORDS = re.compile(
    "|".join(("cla" + "ude", "anthro" + "pic", "chat" + "gpt", "co" + "pilot", "sub" + "agent")),
    re.IGNORECASE,
)
_DATA = {".csv", ".json", ".ndjson", ".xml"}  # what others wrote may hold any word
_EMPTY_NAMES = {
    "base",
    "common",
    "handler",
    "handlers",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "util",
    "utils",
}
_EXCEPTION = re.compile(r"#\s*(?:type:\s*ignore|noqa|pragma: no cover)(?P<rest>.*)$", re.MULTILINE)
_NAMED_WITH_REASON = re.compile(
    r"^(?:\[[a-z-]+(?:, ?[a-z-]+)*\]|:\s*[A-Z]+\d+(?:, ?[A-Z]+\d+)*|)\s*(?:#|--|:|-|\()?\s*\w.{7,}"
)


@pytest.mark.parametrize("pattern", [_MACHINE_PATHS, _FOREIGN_WORDS], ids=["machine paths", "foreign words"])
def test_no_file_holds_what_is_not_of_the_product(pattern: re.Pattern[str]) -> None:
    written = (path for path in tracked_files() if path.suffix not in _DATA)
    found = {str(path): match.group() for path in written if (match := pattern.search(text_of(path)))}
    assert found == {}


def test_the_search_finds_a_machine_path_and_leaves_addresses_alone() -> None:
    assert _MACHINE_PATHS.search("see /" + "work/main")
    assert not _MACHINE_PATHS.search("https://example.org/" + "work/item and ./" + "work/x")


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in tracked_modules(*PACKAGES, "tests") if path.stem in _EMPTY_NAMES] == []


def test_every_exception_to_a_rule_names_it_and_gives_a_reason() -> None:
    found = [
        f"{path}: {match.group()}"
        for path in tracked_modules(*PACKAGES, "tests", "bench", "docs", "examples")
        if path.name != Path(__file__).name
        for match in _EXCEPTION.finditer(text_of(path))
        if not _NAMED_WITH_REASON.match(match.group("rest"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("rest", "good"),
    [
        ("[arg-type]  # the stub is wrong here", True),
        (": S608 - the name is a constant", True),
        (": BLE001  # the thread reports it", True),
        ("[arg-type]", False),
        (": S608", False),
        ("", False),
    ],
)
def test_the_judgement_of_exceptions_is_right(rest: str, good: bool) -> None:
    assert bool(_NAMED_WITH_REASON.match(rest)) is good
