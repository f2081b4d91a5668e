"""Packages as they are kept: thin, completed at download by the template they name, checked byte for byte."""

import hashlib

import msgspec

from core.errors import InternalError
from core.packaging.container import LOCAL_MARK, central_directory

_ID_HEX = 32


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """The part that every package of a style and seal shares: keep it once under its id, for ever."""

    template_id: str
    """First 32 hex digits of SHA-256 over ``members``."""
    members: bytes
    """Final bytes; they come first in the file."""


class StoredPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package as it is kept: the part that is its own, and which template completes it."""

    template_id: str
    """Of the ``Template`` that holds its shared part; empty when ``members`` is the whole file."""
    members: bytes
    """Final bytes: of an OFD the members with their local headers, of a PDF all that follows the shared part."""
    digest: bytes
    """SHA-256 of the whole file."""
    size_bytes: int
    """Of the whole file."""


def template_of(members: bytes) -> Template:
    """The template that a shared part is."""
    return Template(template_id=hashlib.sha256(members).hexdigest()[:_ID_HEX], members=members)


def kept_original(data: bytes) -> StoredPackage:
    """Another library's sealed file (source class E), kept untouched."""
    return StoredPackage(
        template_id="", members=data, digest=hashlib.sha256(data).digest(), size_bytes=len(data)
    )


def assemble(stored: StoredPackage, template: Template | None) -> bytes:
    """The whole file of a stored package; ``template`` is the one it names, None for an original kept as it came.

    Raises ``InternalError`` when the parts do not give, byte for byte, the file that was sealed.
    """
    whole = _completed(stored, template) if stored.template_id else stored.members
    if len(whole) != stored.size_bytes or hashlib.sha256(whole).digest() != stored.digest:
        raise InternalError("a stored package does not give the file that was sealed")
    return whole


def _completed(stored: StoredPackage, template: Template | None) -> bytes:
    if template is None or template.template_id != stored.template_id:
        raise InternalError(f"the package needs template {stored.template_id}")
    whole = template.members + stored.members
    return whole + central_directory(whole) if whole.startswith(LOCAL_MARK) else whole
