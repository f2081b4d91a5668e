"""XML fragments written as text: escaping, numbers and the OFD text object (GB/T 33190)."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby

from core.packaging.layout import Box, Line, SetText
from core.packaging.style import rgb

OFD_NAMESPACE = "http://www.ofdspec.org/2016"
XMLNS = f'xmlns:ofd="{OFD_NAMESPACE}"'
PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SHORTEST_RUN = 3
"""Equal advances in a row that are worth the ``g`` form of DeltaX."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile('[&<>"\r]')
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


def escape(text: str) -> str:
    """``text`` as XML character data or attribute value (in double quotes)."""
    return text.translate(_ESCAPES) if _SPECIAL.search(text) else text


def not_xml(text: str) -> tuple[str, ...]:
    """Characters of ``text`` that no XML 1.0 document may hold, each once."""
    return tuple(dict.fromkeys(_NOT_XML.findall(text)))


@lru_cache(maxsize=65536)
def number(value: float) -> str:
    """A measure in mm to the micrometre, without trailing zeros."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def numbers(values: Iterable[float]) -> str:
    """Measures separated by blanks."""
    return " ".join(map(number, values))


def boundary(box: Box) -> str:
    """The ``Boundary`` attribute of a box."""
    return numbers((box.x, box.y, box.width, box.height))


def text_object(object_id: int, box: Box, text: SetText, *, font: int, colour: str) -> str:
    """A TextObject with one TextCode per line."""
    codes = "".join(map(_text_code, text.lines))
    head, fill = _object_head(object_id, box, font), _fill(colour)
    return f'{head} Size="{number(text.size_mm)}">{fill}{codes}</ofd:TextObject>'


@lru_cache(maxsize=4096)
def _object_head(object_id: int, box: Box, font: int) -> str:
    return f'<ofd:TextObject ID="{object_id}" Boundary="{boundary(box)}" Font="{font}"'


@lru_cache(maxsize=256)
def _fill(colour: str) -> str:
    return f'<ofd:FillColor Value="{numbers(rgb(colour))}"/>'


def _text_code(line: Line) -> str:
    deltas = delta_x(line.advances[:-1])
    attribute = f' DeltaX="{deltas}"' if deltas else ""
    return f'<ofd:TextCode X="{number(line.x)}" Y="{number(line.baseline)}"{attribute}>{escape(line.text)}</ofd:TextCode>'


def delta_x(advances: Iterable[float]) -> str:
    """Advances as DeltaX; equal ones in a row as ``g COUNT ADVANCE``."""
    parts: list[str] = []
    for value, run in groupby(advances):
        count, advance = len(list(run)), number(value)
        parts.append(f"g {count} {advance}" if count >= _SHORTEST_RUN else " ".join([advance] * count))
    return " ".join(parts)


def custom_data(values: Iterable[tuple[str, str]]) -> str:
    """CustomData elements, names and texts escaped."""
    return "".join(
        f'<ofd:CustomData Name="{escape(name)}">{escape(text)}</ofd:CustomData>' for name, text in values
    )
