"""Forms as senders build them, by code of its own: pictures, real sealed files, multipart bodies."""

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from gateway_parts import encoded, record

SEALED = Path(__file__).parent / "golden" / "packaging" / "frozen-0.1"
BOUNDARY = "----hub-form-0123456789"

Part = tuple[str, str, bytes]
"""Name, file name (empty: no file), content."""


def picture(
    colour: str = "white", kind: str = "JPEG", size: tuple[int, int] = (60, 90), **options: Any
) -> bytes:
    """A small page."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


def pages(*colours: str) -> bytes:
    """A TIFF of several pages."""
    frames = [Image.new("1", (60, 90), colour == "white") for colour in colours]
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """A few bytes that declare a picture of any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def sealed_ofd() -> bytes:
    """A real sealed OFD."""
    return (SEALED / "permit.ofd").read_bytes()


def sealed_pdf() -> bytes:
    """A real signed PDF."""
    return (SEALED / "permit.pdf").read_bytes()


def scan(content: bytes | None = None, name: str = "第1页.jpg") -> Part:
    """A page of a form."""
    return ("scan", name, picture() if content is None else content)


def original(content: bytes, name: str = "原件.ofd") -> Part:
    """Another library's file of a form."""
    return ("original", name, content)


def the_record(value: Any = None) -> Part:
    """The record's part."""
    return ("record", "", encoded(record() if value is None else value))


def form(*parts: Part, boundary: str = BOUNDARY, headers: Sequence[str] = ()) -> bytes:
    """A multipart body; ``headers`` are added to the last part."""
    lines = bytearray()
    for number, (name, file_name, content) in enumerate(parts):
        named = f'; filename="{file_name}"' if file_name else ""
        media = "application/octet-stream" if file_name else "application/json"
        more = "".join(f"{header}\r\n" for header in headers) if number == len(parts) - 1 else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\nContent-Type: {media}\r\n{more}\r\n'
        lines += head.encode() + content + b"\r\n"
    return bytes(lines) + f"--{boundary}--\r\n".encode()


def form_media(boundary: str = BOUNDARY) -> dict[str, str]:
    """The header of such a body."""
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}
