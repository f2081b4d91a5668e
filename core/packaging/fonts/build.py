"""Makes the font the product ships: ``python -m core.packaging.fonts.build SOURCE.ttf [TARGET.ttf]``.

SOURCE is LXGW WenKai Regular (SIL Open Font License 1.1; Debian package fonts-lxgw-wenkai). Its licence reserves the names of the
original, so the subset is called "Hub Kai". Needs fontTools, which is a development dependency; the same source and the same
versions of HarfBuzz and fontTools give the same bytes.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import uharfbuzz as hb
from fontTools.ttLib import TTFont

FAMILY = "Hub Kai"
POSTSCRIPT_NAME = "HubKai-Regular"
VERSION = "Version 1.000; subset of version 1.250 of its source"
_HERE = Path(__file__).parent
_KEPT_NAMES = (0, 7, 13, 14)
"""Copyright, trademark, licence text and licence URL stay as the source states them."""
_DROPPED_TABLES = ("GSUB", "GPOS", "GDEF", "DSIG", "meta", "BASE", "kern", "vhea", "vmtx")
_GB2312_ROWS = range(0xA1, 0xF8)
_GB2312_CELLS = range(0xA1, 0xFF)
_MODIFIED = 3_786_912_000
"""2024-01-01 as seconds since 1904: the build leaves no trace of the day it ran."""


def charset() -> set[str]:
    """Every character the font shall have: ASCII, Latin-1, GB 2312 whole, and ``extra.txt``."""
    wanted = {chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x100))}
    wanted.update(_gb2312())
    lines = (_HERE / "extra.txt").read_text("utf-8").splitlines()
    wanted.update(char for line in lines if not line.startswith("#") for char in line if not char.isspace())
    return wanted


def _gb2312() -> Iterator[str]:
    for row in _GB2312_ROWS:
        for cell in _GB2312_CELLS:
            try:
                yield bytes((row, cell)).decode("gb2312")
            except UnicodeDecodeError:
                continue


def build(source: Path, target: Path) -> tuple[int, int]:
    """Write the subset of ``source`` to ``target``; answers (characters covered, size in bytes)."""
    plan = hb.SubsetInput()
    plan.unicode_set.update(map(ord, charset()))
    plan.drop_table_tag_set.update(int.from_bytes(tag.ljust(4).encode(), "big") for tag in _DROPPED_TABLES)
    plan.flags = hb.SubsetFlags.NO_HINTING
    subset = hb.subset(hb.Face(hb.Blob.from_file_path(str(source))), plan)
    font = TTFont(BytesIO(subset.blob.data), recalcTimestamp=False)
    _rename(font)
    font["post"].formatType = 3.0
    font["head"].modified = _MODIFIED
    font.save(target)
    return len(font.getBestCmap()), target.stat().st_size


def _rename(font: TTFont) -> None:
    table = font["name"]
    kept = {record.nameID: record.toUnicode() for record in table.names if record.nameID in _KEPT_NAMES}
    table.names = []
    named = kept | {
        1: FAMILY,
        2: "Regular",
        3: f"{FAMILY}: {VERSION}",
        4: FAMILY,
        5: VERSION,
        6: POSTSCRIPT_NAME,
    }
    for number, text in sorted(named.items()):
        table.setName(text, number, 3, 1, 0x409)


def main(arguments: list[str]) -> int:
    """Command line: SOURCE [TARGET]."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    target = Path(arguments[1]) if arguments[1:] else _HERE / "hub-kai.ttf"
    characters, size = build(Path(arguments[0]), target)
    sys.stdout.write(f"{target}: {characters} characters, {size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
