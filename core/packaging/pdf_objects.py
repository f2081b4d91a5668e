"""PDF syntax (ISO 32000-1) as bytes: objects, streams, strings, cross-reference tables."""

import zlib
from collections.abc import Mapping

from core.packaging.markup import number as plain_number

POINTS_PER_MM = 72 / 25.4
HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_LEVEL = 6
_FREE = b"0000000000 65535 f \n"


def points(mm: float) -> str:
    """A measure in PDF units."""
    return plain_number(mm * POINTS_PER_MM)


def indirect(number: int, body: str | bytes) -> bytes:
    """Indirect object ``number``."""
    data = body.encode("latin-1") if isinstance(body, str) else body
    return b"%d 0 obj\n%s\nendobj\n" % (number, data)


def stream(number: int, entries: str, data: bytes, *, packed: bool = True) -> bytes:
    """Stream object ``number``; ``entries`` go into its dictionary beside the length and, when packed, the filter."""
    if packed:
        data, entries = zlib.compress(data, _LEVEL), f"/Filter/FlateDecode{entries}"
    head = f"<<{entries}/Length {len(data)}>>".encode("latin-1")
    return indirect(number, b"%s\nstream\n%s\nendstream" % (head, data))


def text_string(text: str) -> str:
    """A text string for people: hexadecimal UTF-16BE with its byte order mark."""
    return f"<feff{text.encode('utf-16-be').hex()}>"


def offsets(objects: Mapping[int, bytes], start: int) -> dict[int, int]:
    """Where each object begins when they are written one after the other from ``start``."""
    found = {}
    for number, data in objects.items():
        found[number] = start
        start += len(data)
    return found


def first_table(places: Mapping[int, int], size: int) -> bytes:
    """Cross-reference table of a file's first revision; numbers below ``size`` without an object are free for good."""
    entries = [b"%010d 00000 n \n" % places[number] if number in places else _FREE for number in range(size)]
    return b"xref\n0 %d\n%s" % (size, b"".join(entries))


def later_table(places: Mapping[int, int]) -> bytes:
    """Cross-reference table of an incremental section."""
    return b"xref\n" + b"".join(
        b"%d 1\n%010d 00000 n \n" % (number, places[number]) for number in sorted(places)
    )
