"""Normal forms of texts, for keys and comparison only: what is printed on a licence is kept as it is.

NFKC is avoided on purpose: it would turn ``①`` into ``1`` and ``㎡`` into ``m2`` and so merge numbers that differ.
"""

import re

EMPTY_MARKERS = frozenset({"", "/", "-", "—", "——", "--", "无"})
"""What spreadsheets write where there is nothing (after folding to half width)."""

_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_FOLD_UPPER = {code: _UPPER.get(half, half) for code, half in _WIDTH.items()} | _UPPER
_INVISIBLE: dict[int, int | None] = dict.fromkeys(
    (
        *range(0x09, 0x0E),
        0x20,
        0x85,
        0xA0,
        0xAD,
        0x1680,
        *range(0x2000, 0x2010),
        0x2028,
        0x2029,
        0x202F,
        0x205F,
        0x2060,
        0x3000,
        0xFEFF,
    )
)
"""White space and characters without width."""
_BRACKETS: dict[int, int] = {
    **dict.fromkeys(map(ord, "〔［【〈《｛（[{<﹝﹙﹛"), ord("(")),
    **dict.fromkeys(map(ord, "〕］】〉》｝）]}>﹞﹚﹜"), ord(")")),
}
_SEPARATORS: dict[int, int] = dict.fromkeys(map(ord, "-‐‑‒–—―−－﹣_＿/／\\＼.．·•・‧∙"), ord("-"))
_COMPACT: dict[int, int | None] = {**_FOLD_UPPER, **_INVISIBLE}
_NUMBER: dict[int, int | None] = {**_COMPACT, **_BRACKETS, **_SEPARATORS}
_NAME: dict[int, int | None] = {**_FOLD_UPPER, **_BRACKETS, **dict.fromkeys(_INVISIBLE, 0x20)}

_SEPARATOR_RUN = re.compile("-+")
_SPACE_RUN = re.compile(" +")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def half_width(text: str) -> str:
    """``text`` with full-width ASCII and the ideographic space in half width."""
    return text if text.isascii() else text.translate(_WIDTH)


def fold(text: str) -> str:
    """``text`` in half width and upper case (ASCII letters) with all white space removed: the form codes are compared in."""
    return text.translate(_COMPACT)


def is_empty(text: str) -> bool:
    """Whether ``text`` is blank or one of the markers that mean nothing ("/", "无", "-")."""
    return len(text) < 8 and half_width(text).strip() in EMPTY_MARKERS


def normalise_licence_number(text: str) -> str:
    """The form of a licence number that goes into the licence key; idempotent.

    Half width, ASCII letters in upper case, white space removed, all brackets ``()``. Dashes, dots, slashes and underscores vary
    between the systems that print one number: a run of them is dropped, except between two digits or two letters, where it
    becomes ``-``; dropping it there would merge numbers that differ (``2021-1-23`` and ``2021-12-3``).
    """
    number = text.translate(_NUMBER)
    return _SEPARATOR_RUN.sub(_kept_separator, number) if "-" in number else number


def normalise_name(text: str) -> str:
    """The form names are compared in; idempotent.

    Half width, upper case, brackets ``()``, runs of white space to one space, none beside a character that is not ASCII.
    """
    name = text.translate(_NAME)
    return _SPACE_RUN.sub(_kept_space, name) if " " in name else name


def forbidden_character(text: str) -> str | None:
    """The first character no stored text may hold, or None.

    Control characters except tab, line feed, carriage return and next line; lone surrogates; non-characters; the marks that
    turn the writing direction, which make a text read otherwise than it is stored.
    """
    if text.isprintable():
        return None
    found = _FORBIDDEN.search(text)
    return found.group() if found else None


def escaped(text: str) -> str:
    """``text`` with forbidden characters written as escapes, safe to store and show."""
    return _FORBIDDEN.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _kept_separator(run: re.Match[str]) -> str:
    before, after = run.string[run.start() - 1 : run.start()], run.string[run.end() : run.end() + 1]
    ascii_pair = before.isascii() and after.isascii()
    same_kind = (before.isdigit() and after.isdigit()) or (before.isalpha() and after.isalpha())
    return "-" if ascii_pair and same_kind else ""


def _kept_space(run: re.Match[str]) -> str:
    before, after = run.string[: run.start()][-1:], run.string[run.end() : run.end() + 1]
    return " " if before and after and before.isascii() and after.isascii() else ""
