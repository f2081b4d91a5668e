"""CMS as some producers write it, in BER: turned into DER (X.690) so that one strict reader serves all."""

from core.gm import der
from core.gm.der import DerError

_INDEFINITE = 0x80
_END_OF_CONTENTS = b"\0\0"
_CONSTRUCTED = 0x20
_DEEPEST = 40


def in_der(data: bytes) -> tuple[bytes, int]:
    """DER of the BER element at the start of ``data``, and how many bytes of ``data`` it took; raises ``DerError``.

    Lengths become definite and minimal, and octet strings in pieces become one; nothing is sorted.
    """
    return _element(data, 0, len(data), 0)


def _element(data: bytes, at: int, stop: int, depth: int) -> tuple[bytes, int]:
    """The element at ``at`` and where it ends."""
    if at + 2 > stop or depth > _DEEPEST or data[at] & 0x1F == 0x1F:
        raise DerError("no element here")
    tag, first = data[at], data[at + 1]
    if first == _INDEFINITE:
        content, end = _children(data, at + 2, stop, depth, closed=False)
        return _written(tag, content), end
    body = at + 2 + (first & 0x7F if first & 0x80 else 0)
    size = int.from_bytes(data[at + 2 : body], "big") if first & 0x80 else first
    if body + size > stop:
        raise DerError("element is cut off")
    if not tag & _CONSTRUCTED:
        return der.tlv(tag, data[body : body + size]), body + size
    content, end = _children(data, body, body + size, depth, closed=True)
    return _written(tag, content), end


def _children(data: bytes, at: int, stop: int, depth: int, *, closed: bool) -> tuple[list[bytes], int]:
    """The elements up to ``stop``, or up to the end-of-contents mark where the length is indefinite."""
    found: list[bytes] = []
    while at < stop:
        if not closed and data[at : at + 2] == _END_OF_CONTENTS:
            return found, at + 2
        element, at = _element(data, at, stop, depth + 1)
        found.append(element)
    if not closed:
        raise DerError("element has no end")
    return found, at


def _written(tag: int, content: list[bytes]) -> bytes:
    if not tag & _CONSTRUCTED:
        raise DerError("a primitive element has no indefinite length")
    if tag == der.OCTET_STRING | _CONSTRUCTED:
        return der.octets(b"".join(der.read_octets(der.read_one(piece)) for piece in content))
    return der.tlv(tag, *content)
