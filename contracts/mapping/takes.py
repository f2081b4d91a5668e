"""Taking a trimmed text out of a decoded record, with the findings that make it untakable."""

from collections.abc import Callable, Sequence
from string import Formatter

from contracts.fault import Fault
from contracts.interface import FieldMapping, Source
from contracts.mapping.places import Fields, Get, Place, place_of
from contracts.mapping.rules import FORBIDDEN_CHARACTER, TOO_LONG, WRONG_TYPE
from contracts.mapping.scalars import as_text
from contracts.text import escaped, forbidden_character

MAX_TEXT = 32_768
"""Characters of one text: what a spreadsheet cell holds, and far more than a licence prints."""

Take = Callable[[Fields, list[Fault]], str | None]
"""The trimmed text, ``""`` where there is none, None where there is one that cannot be taken (its fault is added)."""
Trim = Callable[[str], str]

_FOUND = {bool: ("a flag", "布尔值"), list: ("a list", "列表"), dict: ("an object", "对象")}


def placeholders(template: str) -> list[tuple[str, str]]:
    """(literal text, column that follows it) of a template; ValueError when its braces do not match."""
    return [(literal, column or "") for literal, column, _spec, _conversion in Formatter().parse(template)]


def places_of(mapping: FieldMapping, source: Source) -> list[Place]:
    """Every source field that a mapping takes its value from."""
    names = [mapping.source] if isinstance(mapping.source, str) else list(mapping.source)
    names += [column for _literal, column in placeholders(mapping.template) if column]
    return [place_of(name, source) for name in names if name]


def compile_take(mapping: FieldMapping, source: Source) -> Take:
    """The text of a mapping with a source or a template."""
    trim = _trim(mapping, source)
    places = places_of(mapping, source)
    if mapping.template:
        return _take_template(placeholders(mapping.template), {p.name: _take_one(p, trim) for p in places})
    takes = [_take_one(place, trim) for place in places]
    return takes[0] if len(takes) == 1 else _take_first(takes)


def empty_texts(mapping: FieldMapping, source: Source) -> frozenset[str]:
    """The texts that mean no value to a mapping, the empty one among them."""
    return frozenset(("", *mapping.empty, *source.empty))


def checked(text: str, pointer: str, faults: list[Fault]) -> str | None:
    """``text``, or None and a fault when it is too long or holds a character that no stored text may hold."""
    if len(text) > MAX_TEXT:
        faults.append(TOO_LONG.at(pointer, escaped(text[:200]), length=len(text), limit=MAX_TEXT))
        return None
    character = forbidden_character(text)
    if character is None:
        return text
    faults.append(FORBIDDEN_CHARACTER.at(pointer, escaped(text), character=f"U+{ord(character):04X}"))
    return None


def wrong_type(value: object, pointer: str) -> Fault:
    """The fault of a value that is no single value."""
    english, chinese = _FOUND.get(type(value), (type(value).__name__, type(value).__name__))
    return WRONG_TYPE.at(pointer, None, found=english, found_zh=chinese)


def _trim(mapping: FieldMapping, source: Source) -> Trim | None:
    """None for plain trimming, the common case, which the take does by itself."""
    empty = empty_texts(mapping, source)
    if mapping.strip:
        return (lambda text: "" if (bare := text.strip()) in empty else bare) if len(empty) > 1 else None
    return lambda text: "" if text.strip() in empty else text


def _take_one(place: Place, trim: Trim | None) -> Take:
    get: Get = place.get
    pointer = place.pointer

    def take(fields: Fields, faults: list[Fault]) -> str | None:
        value = get(fields)
        if type(value) is not str:
            text = as_text(value)
            if text is None:
                faults.append(wrong_type(value, pointer))
                return None
            value = text
        value = value.strip() if trim is None else trim(value)
        return value if len(value) <= MAX_TEXT and value.isprintable() else checked(value, pointer, faults)

    return take


def _take_first(takes: Sequence[Take]) -> Take:
    def take(fields: Fields, faults: list[Fault]) -> str | None:
        for one in takes:
            text = one(fields, faults)
            if text != "":
                return text
        return ""

    return take


def _take_template(parts: Sequence[tuple[str, str]], takes: dict[str, Take]) -> Take:
    def take(fields: Fields, faults: list[Fault]) -> str | None:
        texts = {column: one(fields, faults) for column, one in takes.items()}
        if None in texts.values():
            return None
        if not any(texts.values()):
            return ""
        return "".join(literal + (texts[column] or "" if column else "") for literal, column in parts)

    return take
