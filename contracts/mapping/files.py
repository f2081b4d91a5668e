"""The files that came with a record, as they travel beside its fields: references into the blob store (claim check, EIP).

In the raw record they stand under two reserved names, so that a replay finds them again. A sender that writes those names itself
could name somebody else's file; such a record is refused.
"""

from typing import Any

import msgspec
import orjson

from contracts.fault import Fault, pointer
from contracts.mapping.places import Fields
from contracts.mapping.rules import RESERVED_FIELD
from contracts.record import Attachment

SCANS = "$scans"
ORIGINAL = "$original"


class Files(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a record came with: scans in page order, or the sealed original of another library."""

    scans: tuple[Attachment, ...] = msgspec.field(name=SCANS, default=())
    original: Attachment | None = msgspec.field(name=ORIGINAL, default=None)

    @property
    def digests(self) -> list[str]:
        """SHA-256 (hex) of each in order. They make two sets of files equal, whatever the files are called."""
        return [file.digest for file in (*self.scans, *([self.original] if self.original else []))]


NO_FILES = Files()


def reserved_faults(fields: Fields) -> list[Fault]:
    """A fault for each reserved name among the fields of a sender."""
    return [RESERVED_FIELD.at(pointer(name), name=name) for name in (SCANS, ORIGINAL) if name in fields]


def attach(raw: bytes, files: Files) -> bytes:
    """The raw JSON object with the references in front of its members; its own bytes stay as they were sent."""
    body = raw.lstrip()
    if files == NO_FILES or not body.startswith(b"{"):
        return raw
    members = orjson.dumps(msgspec.to_builtins(files))[:-1]
    rest = body[1:]
    return members + (b"" if rest.lstrip().startswith(b"}") else b",") + rest


def detach(fields: dict[str, Any]) -> tuple[dict[str, Any], Files]:
    """The sender's own fields and the references ``attach`` has put before them.

    Raises ``msgspec.ValidationError`` for reserved members that are no references.
    """
    named = {name: fields[name] for name in (SCANS, ORIGINAL) if name in fields}
    if not named:
        return fields, NO_FILES
    own = {name: value for name, value in fields.items() if name not in named}
    return own, msgspec.convert(named, Files)
