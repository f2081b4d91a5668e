"""The metadata a PDF carries as an embedded XML file, as the hub writes it: found by its stream, without a PDF library."""

import re
import zlib

from core.verification.finding import Finding
from core.verification.limits import Limits
from core.verification.markup import OFD, parse_markup, text_of
from core.verification.report import Content

_EMBEDDED = re.compile(rb"/Type\s{0,4}/EmbeddedFile\b")
_SUBTYPE = re.compile(rb"/Subtype\s{0,4}/(?:text|application)#2[Ff]xml\b")
_STREAM = re.compile(rb"stream\r?\n")
_DICTIONARY_BYTES = 2048
_MOST_FILES = 20


def pdf_content_of(data: bytes, limits: Limits) -> Content:
    """Metadata of the embedded XML files; empty when there are none or they cannot be read within the limits."""
    metadata: dict[str, str] = {}
    for number, found in enumerate(_EMBEDDED.finditer(data)):
        if number >= _MOST_FILES:
            break
        metadata |= _metadata(data, found.start(), limits)
    return Content(metadata)


def _metadata(data: bytes, at: int, limits: Limits) -> dict[str, str]:
    start = data.rfind(b" obj", max(0, at - _DICTIONARY_BYTES), at)
    opening = _STREAM.search(data, at, at + _DICTIONARY_BYTES)
    if start < 0 or opening is None or not _SUBTYPE.search(data, start, opening.start()):
        return {}
    try:
        content = _unpacked(
            data, opening.end(), b"/FlateDecode" in data[start : opening.start()], limits.markup_bytes
        )
        root = parse_markup(content, "metadata", limits.markup_nodes)
    except (Finding, zlib.error):
        return {}
    return {entry.get("Name", ""): text_of(entry) for entry in root.iter(f"{OFD}CustomData")}


def _unpacked(data: bytes, start: int, deflated: bool, limit: int) -> bytes:  # a fact about the stream
    if deflated:
        return zlib.decompressobj().decompress(data[start : start + limit], limit)
    stop = data.find(b"endstream", start, start + limit)
    return data[start : max(stop, start)].rstrip(b"\r\n")
