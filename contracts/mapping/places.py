"""Where a value stands in a decoded record: compiled once, read many times."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from contracts.fault import pointer
from contracts.interface import Source

Fields = Mapping[str, object]
"""A decoded record: column -> text, or the members of a JSON object."""
Get = Callable[[Fields], object]

ANY_FIELD = "*"


class Place(NamedTuple):
    """One source field."""

    name: str
    """As the declaration writes it."""
    column: str
    """Top-level column or member it lies in."""
    pointer: str
    get: Get
    """The value, None where there is none."""

    @property
    def flat(self) -> bool:
        """Whether it is a column or top-level member."""
        return pointer(self.column) == self.pointer


def place_of(name: str, source: Source) -> Place:
    """The place a declaration names: a column of a table, or a JSON path (dots, or a pointer when it starts with ``/``)."""
    steps = steps_of(name, source)
    return Place(name, steps[0], pointer(*steps), _walk(steps) if len(steps) > 1 else _member(steps[0]))


def steps_of(name: str, source: Source) -> tuple[str, ...]:
    """Reference tokens of a declared name."""
    if source.format in ("csv", "xlsx"):
        return (normalise_column(name),)
    if name.startswith("/"):
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in name[1:].split("/"))
    return tuple(name.split("."))


def normalise_column(name: str) -> str:
    """A column name without line breaks and surrounding white space, as headers are compared and fields are called."""
    return "".join(part.strip() for part in name.splitlines()).strip()


def columns_of(places: Iterable[Place]) -> tuple[str, ...]:
    """Top-level columns of the places, each once, sorted."""
    return tuple(sorted({place.column for place in places}))


def _member(name: str) -> Get:
    def get(fields: Fields) -> object:
        return fields.get(name)

    return get


def _walk(steps: tuple[str, ...]) -> Get:
    first, rest = steps[0], steps[1:]

    def get(fields: Fields) -> object:
        value = fields.get(first)
        for step in rest:
            if type(value) is dict:
                value = value.get(step)
            elif type(value) is list:
                value = _item(value, step)
            else:
                return None
        return value

    return get


def _item(items: list[object], step: str) -> object:
    return items[int(step)] if step.isdecimal() and int(step) < len(items) else None
