"""DER by tag, length and value: writing by concatenation, reading strictly (X.690).

The reader takes only what the writer would have written (definite, minimal lengths), so parsed values have one encoding.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x13, 0x16, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
GENERALIZED_FORMAT = "%Y%m%d%H%M%SZ"


class DerError(ValueError):
    """Bytes that are not the DER encoding expected here."""


class Tlv(NamedTuple):
    """One element: its tag byte, its content, and the whole encoding."""

    tag: int
    content: bytes
    encoding: bytes


def tlv(tag: int, *parts: bytes) -> bytes:
    """One element of ``tag`` around the concatenated ``parts``."""
    content = b"".join(parts)
    return header(tag, len(content)) + content


def header(tag: int, size: int) -> bytes:
    """Tag and minimal definite length for a content of ``size`` bytes."""
    if size < 0x80:
        return bytes((tag, size))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of encoded parts."""
    return tlv(SEQUENCE, *parts)


def integer(value: int) -> bytes:
    """INTEGER; negative numbers as two's complement."""
    return tlv(
        INTEGER, value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)
    )


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(OCTET_STRING, value)


def bits(value: bytes) -> bytes:
    """BIT STRING of whole octets."""
    return tlv(BIT_STRING, b"\0", value)


def ia5(text: str) -> bytes:
    """IA5String; UnicodeEncodeError for anything but ASCII."""
    return tlv(IA5_STRING, text.encode("ascii"))


def utf8(text: str) -> bytes:
    """UTF8String."""
    return tlv(UTF8_STRING, text.encode())


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(OID, b"".join(_base128(arc) for arc in (first * 40 + second, *rest)))


def generalized_time(moment: datetime) -> bytes:
    """GeneralizedTime in UTC, whole seconds; ``moment`` must be aware."""
    return tlv(GENERALIZED_TIME, moment.astimezone(UTC).strftime(GENERALIZED_FORMAT).encode())


def explicit(number: int, *parts: bytes) -> bytes:
    """Context-specific constructed tag ``[number]``."""
    return tlv(0xA0 | number, *parts)


def read_one(data: bytes, expected: int | None = None) -> Tlv:
    """The element that ``data`` is, with nothing after it; DerError otherwise or when its tag is not ``expected``."""
    element = read_first(data)
    if len(element.encoding) != len(data):
        raise DerError("bytes follow the element")
    if expected is not None and element.tag != expected:
        raise DerError(f"tag {element.tag:#04x} where {expected:#04x} is due")
    return element


def read_first(data: bytes, start: int = 0) -> Tlv:
    """The element that begins at ``start``."""
    if len(data) < start + 2 or data[start] & 0x1F == 0x1F:
        raise DerError("no element here")
    tag, size, body = data[start], data[start + 1], start + 2
    if size & 0x80:
        body += size & 0x7F
        size = int.from_bytes(data[start + 2 : body], "big")
        if data[start : start + (body - start)] != header(tag, size) or body - start < 3:
            raise DerError("length is not minimal")
    if body + size > len(data):
        raise DerError("element is cut off")
    return Tlv(tag, data[body : body + size], data[start : body + size])


def children(content: bytes) -> list[Tlv]:
    """The elements that ``content`` is made of."""
    return list(_elements(content))


def _elements(content: bytes) -> Iterator[Tlv]:
    at = 0
    while at < len(content):
        element = read_first(content, at)
        at += len(element.encoding)
        yield element


def read_integer(element: Tlv) -> int:
    """The value of an INTEGER in minimal form."""
    value = int.from_bytes(element.content, "big", signed=True)
    if element.tag != INTEGER or integer(value) != element.encoding:
        raise DerError("not an INTEGER in DER")
    return value


def read_bits(element: Tlv) -> bytes:
    """The octets of a BIT STRING without unused bits."""
    if element.tag != BIT_STRING or element.content[:1] != b"\0":
        raise DerError("not a BIT STRING of whole octets")
    return element.content[1:]


def read_octets(element: Tlv) -> bytes:
    """The content of an OCTET STRING."""
    if element.tag != OCTET_STRING:
        raise DerError("not an OCTET STRING")
    return element.content


def read_text(element: Tlv) -> str:
    """The text of a UTF8String, PrintableString or IA5String."""
    if element.tag not in (UTF8_STRING, PRINTABLE_STRING, IA5_STRING):
        raise DerError("not a text string")
    try:
        return element.content.decode("utf-8" if element.tag == UTF8_STRING else "ascii")
    except UnicodeDecodeError as error:
        raise DerError("text is not in its character set") from error


def read_oid(element: Tlv) -> str:
    """The dotted form of an OBJECT IDENTIFIER."""
    if element.tag != OID or not element.content or element.content[-1] & 0x80:
        raise DerError("not an OBJECT IDENTIFIER")
    arcs, value = [], 0
    for byte in element.content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    dotted = ".".join(str(arc) for arc in (first, arcs[0] - first * 40, *arcs[1:]))
    if oid(dotted) != element.encoding:
        raise DerError("OBJECT IDENTIFIER is not minimal")
    return dotted


def read_time(element: Tlv) -> datetime:
    """The moment of a UTCTime or GeneralizedTime in whole seconds with ``Z`` (UTCTime: 1950-2049)."""
    text = element.content.decode("ascii", "replace")
    if element.tag == UTC_TIME:
        text = ("20" if text[:2] < "50" else "19") + text
    elif element.tag != GENERALIZED_TIME:
        raise DerError("not a time")
    if len(text) != 15 or not text[:-1].isdigit():
        raise DerError("time is not in whole seconds UTC")
    try:
        return datetime.strptime(text, GENERALIZED_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise DerError("no such time") from error


def _base128(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
