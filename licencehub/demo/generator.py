"""Everything the departments send, and for every row the outcome that must come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from licencehub.demo import cases
from licencehub.demo.authorities import HEALTH, MARKET, TRANSPORT, Authority, licences
from licencehub.demo.facts import Row
from licencehub.demo.writing import PUBLICITY_COLUMNS, publicity_csv, pushed_json, workbook

SINGLES = 40
"""Records of a push batch that are sent one by one."""
LINES = 100
"""Records in one NDJSON body."""
FURNITURE = 5
"""Numbered empty rows below the worksheet's records."""

FOOD, HYGIENE, ROAD = "food-permits", "hygiene-permits", "road-qualifications"


@dataclass(frozen=True)
class DroppedFile:
    """A file for a drop folder: a verdict on the whole, and its rows in order."""

    interface: str
    name: str
    content: bytes
    rows: tuple[Row, ...]
    verdict: str = "read"
    rules: tuple[str, ...] = ()
    """Rules that must be named for the file as a whole."""
    skipped: int = 0
    """Rows that are furniture of the sheet: no receipt."""


@dataclass(frozen=True)
class Body:
    """One request body with its rows in order."""

    id: str
    text: str
    rows: tuple[Row, ...]
    lines: bool


@dataclass(frozen=True)
class Wave:
    """What is sent at once; a later wave speaks of licences that an earlier one made."""

    files: tuple[DroppedFile, ...]
    bodies: tuple[Body, ...]

    @property
    def rows(self) -> list[Row]:
        """Rows of all files and bodies."""
        return [row for file in self.files for row in file.rows] + [
            row for body in self.bodies for row in body.rows
        ]


@dataclass(frozen=True)
class Sizes:
    """Licences of each department in the first wave."""

    food: int = 900
    hygiene: int = 240
    road: int = 440


def waves(random: Random, today: date, sizes: Sizes) -> tuple[Wave, Wave]:
    """The first wave and the one about what it made."""
    food = _first(MARKET, sizes.food, (*cases.COMMON, *cases.OF_FILES, *cases.OF_CSV), random, today)
    hygiene = _first(HEALTH, sizes.hygiene, (*cases.COMMON, *cases.OF_FILES), random, today)
    road = _first(TRANSPORT, sizes.road, (*cases.COMMON, *cases.OF_PUSH), random, today)
    stamp = f"{today:%Y%m%d}"
    night = DroppedFile(FOOD, f"food-permits-{stamp}.csv", publicity_csv(food), tuple(food))
    book = DroppedFile(
        HYGIENE,
        f"公共场所卫生许可-{stamp}.xlsx",
        workbook(hygiene, furniture=FURNITURE),
        tuple(hygiene),
        skipped=FURNITURE + 1,
    )
    first = Wave((night, book, _drifted(food, stamp)), bodies(road, "first"))
    later_food, later_hygiene, later_road = (
        cases.second_batch(rows, random, today) for rows in (food, hygiene, road)
    )
    later_night = DroppedFile(
        FOOD, f"food-permits-{stamp}-b.csv", publicity_csv(later_food), tuple(later_food)
    )
    later_book = DroppedFile(
        HYGIENE, f"公共场所卫生许可-{stamp}-b.xlsx", workbook(later_hygiene), tuple(later_hygiene)
    )
    again = DroppedFile(
        FOOD,
        f"food-permits-{stamp}-copy.csv",
        night.content,
        (),
        verdict="duplicate",
        rules=("drop.duplicate",),
    )
    return first, Wave((later_night, later_book, again), bodies(later_road, "second"))


def bodies(rows: Sequence[Row], name: str) -> tuple[Body, ...]:
    """Requests for the rows: some one by one, the rest in lines."""
    one_by_one, rest = rows[:SINGLES], rows[SINGLES:]
    singles = [
        Body(f"{name}-{number}", pushed_json(row.facts), (row,), lines=False)
        for number, row in enumerate(one_by_one)
    ]
    starts = range(0, len(rest), LINES)
    many = [tuple(rest[start : start + LINES]) for start in starts]
    batches = [
        Body(f"{name}-lines-{number}", "\n".join(pushed_json(row.facts) for row in part), part, lines=True)
        for number, part in enumerate(many)
    ]
    return (*singles, *batches)


def _first(
    authority: Authority, count: int, kinds: Sequence[cases.Case], random: Random, today: date
) -> list[Row]:
    return cases.first_batch(licences(authority, count, random, today), kinds, random, today)


def _drifted(rows: Sequence[Row], stamp: str) -> DroppedFile:
    """A file whose exporter was changed over night: one column renamed. It must be refused whole, with the difference."""
    content = publicity_csv(rows[:20]).replace(b"XK_XKBH,", b"XK_XKZSBH,", 1)
    assert PUBLICITY_COLUMNS.count("XK_XKBH") == 1  # noqa: S101 -- the column that is renamed
    rules = ("header.extra-columns", "header.missing-columns")
    return DroppedFile(FOOD, f"food-permits-{stamp}-drifted.csv", content, (), verdict="refused", rules=rules)
