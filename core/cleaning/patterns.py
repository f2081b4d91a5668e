"""Declared patterns, bounded before they run: Python's matcher backtracks, and a pattern comes from a file.

``compile_pattern`` estimates the number of ways a pattern can split a text of ``TEXT_LIMIT`` characters and refuses patterns with
more than ``WAYS_LIMIT``, so that ``([A-Z]+)*`` never meets a record.
"""

import re
from collections.abc import Callable

TEXT_LIMIT = 100
"""Longest text a pattern is tried on; a longer one does not match."""
WAYS_LIMIT = 2_000_000
"""Room for three unbounded repeats in a row; the worst such pattern takes some tens of milliseconds."""

Matches = Callable[[str], bool]

_REPEAT = re.compile(r"[*+?]|\{(?P<exact>[0-9]+)\}|\{(?P<least>[0-9]*),(?P<most>[0-9]*)\}")
_GROUP_START = re.compile(r":|P<\w+>")


class CostlyPattern(ValueError):
    """The pattern could take a very long time, or uses a construct whose time cannot be bounded."""

    def __init__(self, why: str, why_zh: str) -> None:
        super().__init__(why)
        self.why_zh = why_zh


def compile_pattern(pattern: str) -> Matches:
    """Whether a whole text matches; raises ``re.error`` for bad syntax and ``CostlyPattern`` for nested repeats and the like."""
    match_whole = re.compile(pattern).fullmatch
    if (ways := _Estimate(pattern).ways()) > WAYS_LIMIT:
        most = min(ways, 10**12)
        raise CostlyPattern(f"up to {most} ways to match one text", f"匹配一个文本最多有{most}种方式")

    def matches(text: str) -> bool:
        return len(text) <= TEXT_LIMIT and match_whole(text) is not None

    return matches


class _Estimate:
    """Reads a pattern that ``re`` accepts and multiplies up the choices a matcher has."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def ways(self) -> int:
        """Upper bound of the ways to match one text."""
        total = self._alternatives()
        if self._at < len(self._pattern):
            raise CostlyPattern("unreadable pattern", "无法解析该表达式")
        return total

    def _alternatives(self) -> int:
        total = self._sequence()
        while self._take("|"):
            total += self._sequence()
        return total

    def _sequence(self) -> int:
        product = 1
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            product = min(product * self._repeated(self._atom()), 10**30)
        return product

    def _atom(self) -> int:
        if self._take("("):
            return self._group()
        if self._take("["):
            self._skip_class()
        elif self._take("\\"):
            self._skip_escape()
        else:
            self._at += 1
        return 1

    def _group(self) -> int:
        if self._take("?"):
            named = _GROUP_START.match(self._pattern, self._at)
            if named is None:
                raise CostlyPattern(
                    "only plain, named and (?:) groups are allowed", "只允许普通分组、命名分组和(?:)分组"
                )
            self._at = named.end()
        ways = self._alternatives()
        self._take(")")
        return ways

    def _skip_class(self) -> None:
        self._take("^")
        self._take("]")
        while not self._take("]"):
            self._at += 2 if self._pattern[self._at] == "\\" else 1

    def _skip_escape(self) -> None:
        if self._pattern[self._at].isdigit():
            raise CostlyPattern("references to groups are not allowed", "不允许引用分组")
        self._at += 1

    def _repeated(self, ways: int) -> int:
        repeat = _REPEAT.match(self._pattern, self._at)
        if repeat is None:
            return ways
        self._at = repeat.end()
        if not self._take("?"):
            self._take("+")
        least, most = _bounds(repeat)
        return max(most - least + 1, 1) * (1 if ways == 1 else ways**most)

    def _take(self, character: str) -> bool:
        found = self._pattern.startswith(character, self._at)
        self._at += found
        return found


def _bounds(repeat: re.Match[str]) -> tuple[int, int]:
    """Least and most repetitions, no more than a text has characters."""
    if exact := repeat["exact"]:
        return int(exact), min(int(exact), TEXT_LIMIT)
    if repeat.group() == "?":
        return 0, 1
    return int(repeat["least"] or 0), min(int(repeat["most"] or TEXT_LIMIT), TEXT_LIMIT)
