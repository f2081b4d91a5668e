"""A form's record with its files: sniffed, referred to from the record, translated like any other."""

from typing import BinaryIO, cast

import msgspec

from adapters.decoding import Row, draft_of
from adapters.http.body import Body
from adapters.rest.form import ORIGINAL, RECORD, SCAN, Form, Part, read_form, refuse
from adapters.rest.form_rules import NOT_ONE_RECORD
from adapters.rest.records import Read, file_draft, rows_of
from contracts.fault import Fault, pointer
from contracts.mapping import Files, Translator, attach
from contracts.record import Attachment
from core.packaging.file_kinds import original_media, scan_media
from core.ports.intake import ReceivedFile


class FormLimits(msgspec.Struct, frozen=True):
    """How many files a form may have, and how large each may be."""

    files: int
    file_bytes: int


class ReadForm(msgspec.Struct):
    """A form read and judged; ``close`` frees its spools."""

    read: Read
    files: tuple[ReceivedFile, ...]
    digest: bytes
    """Equal for the same parts, whatever the boundary between them."""
    form: Form

    def close(self) -> None:
        """Frees the spools."""
        self.form.close()


def read_form_record(body: Body, boundary: bytes, translator: Translator, limits: FormLimits) -> ReadForm:
    """The one record of a form and its files; blocking, before anything is stored.

    Raises ``ContractError`` with every finding about the form, ``Refused`` (400, 413) for one that cannot be read.
    """
    form = read_form(body.pieces(), boundary, files=limits.files, file_bytes=limits.file_bytes)
    try:
        files = _judged(form)
        row = _record(form.record, translator)
        named = Files(
            scans=tuple(file.attachment for part, file in files if part.name == SCAN),
            original=next((file.attachment for part, file in files if part.name == ORIGINAL), None),
        )
        read = Read()
        file_draft(draft_of(row._replace(files=named), translator), read)
        read.drafts = [msgspec.structs.replace(draft, raw=attach(draft.raw, named)) for draft in read.drafts]
    except BaseException:
        form.close()
        raise
    return ReadForm(read, tuple(file for _part, file in files), form.digest, form)


def _judged(form: Form) -> list[tuple[Part, ReceivedFile]]:
    """The files of a form by their own bytes; raises ``ContractError`` with a finding for each that is not what it should be."""
    found: list[tuple[Part, ReceivedFile]] = []
    faults: list[Fault] = []
    for part in form.parts:
        if part.name == RECORD:
            continue
        content = cast("BinaryIO", part.content)
        media = scan_media(content, part.place) if part.name == SCAN else original_media(content, part.place)
        if isinstance(media, Fault):
            faults.append(media)
            continue
        attachment = Attachment(
            digest=part.sha256, media_type=media, size_bytes=part.size, name=part.file_name
        )
        found.append((part, ReceivedFile(attachment=attachment, content=content)))
    refuse(faults)
    return found


def _record(content: bytes, translator: Translator) -> Row:
    """The one record of the part; raises ``ContractError`` for none, several, or a list."""
    listed = not translator.interface.source.records and content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
    rows = [] if listed else [row for row, _ in zip(rows_of(content, translator), range(2), strict=False)]
    if len(rows) != 1:
        refuse([NOT_ONE_RECORD.at(pointer(RECORD))])
    return rows[0]
