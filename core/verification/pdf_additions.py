"""Additions to a PDF after a signature (ISO 32000-2, 7.5.6): they continue what was signed, and every byte of them is listed."""

from collections.abc import Collection, Iterable

from core.verification.pdf_changes import ChangeCheck, Changes, altered
from core.verification.pdf_structure import Revision, Section
from core.verification.pdf_syntax import Budget, Name, Placed, Reference, Scanner, StructureError, Value

_SIGNATURE = Name(b"Sig")
_MOST_FIELDS = 2_000
NO_CHANGES, FILL_FORMS = 1, 2
"""Permissions of a certification (12.8.2.2)."""


def later_changes(signed: Revision, final: Revision, end: int, signature_objects: Collection[int]) -> Changes:
    """What ``final`` holds beyond ``signed``, whose bytes end at ``end``; raises ``Broken`` where that alters what is seen.

    ``signature_objects`` are the signatures that are judged themselves: only they may be added. Raises ``StructureError`` for
    a structure that cannot be read, and ``Undecided`` for values filled into a form.
    """
    check_nothing_unlisted(final, added_sections(signed, final), end)
    return ChangeCheck(signed, final, signature_objects).run()


def added_sections(signed: Revision, final: Revision) -> tuple[Section, ...]:
    """The sections that came after what was signed; raises ``Broken`` when the file does not continue what was signed."""
    older = [section.start for section in signed.sections]
    newer = [section.start for section in final.sections]
    added = final.sections[: len(newer) - len(older)]
    hidden = {number for section in added for number in section.hidden}  # not seen by readers of tables alone
    if newer[-len(older) :] != older or any(signed.entry(number).kind for number in hidden):
        raise altered("the cross-references", "交叉引用")
    return added


def check_nothing_unlisted(final: Revision, sections: Iterable[Section], end: int) -> None:
    """Raises ``Broken`` when the bytes after ``end`` hold more than the objects their cross-references list.

    Readers that repair a file look at every object; what no list knows must not be there for them.
    """
    spans = []
    for section in sections:
        spans.append((section.start, section.end))
        listed = Revision(final.data, (section, *final.sections), final.budget)
        for number, entry in section.entries.items():
            if entry.kind == 1 and entry.place >= end:
                placed = listed.placed(Reference(number, entry.detail))
                spans += [(placed.start, placed.end)] if placed else []
    at = end
    for start, stop in sorted(spans):
        _only_blank(final.data, at, start)
        at = max(at, stop)
    _only_blank(final.data, at, len(final.data))


def _only_blank(data: bytes, start: int, stop: int) -> None:
    scanner = Scanner(data, start, Budget())
    scanner.blank()
    if scanner.at < stop or data.find(b"obj", start, stop) >= 0:
        raise altered("bytes that no cross-reference lists", "交叉引用未列出的字节")


def signature_values(revision: Revision) -> dict[int, Placed]:
    """The signature dictionaries that fields of the form hold, by object number; raises ``StructureError``."""
    catalog = revision.dictionary(revision.trailer.get(b"Root"))
    form = revision.dictionary(catalog.get(b"AcroForm"))
    waiting: list[tuple[Value, bool]] = [(field, False) for field in revision.items(form.get(b"Fields"))]
    found: dict[int, Placed] = {}
    seen: set[Reference] = set()
    while waiting:
        field, of_signature = waiting.pop()
        if not isinstance(field, Reference) or field in seen:
            continue
        seen.add(field)
        if len(seen) > _MOST_FIELDS:
            raise StructureError("the form has too many fields")
        entries = revision.dictionary(field)
        signs = entries.get(b"FT") == _SIGNATURE if b"FT" in entries else of_signature
        waiting += [(kid, signs) for kid in revision.items(entries.get(b"Kids"))]
        value = entries.get(b"V")
        placed = revision.placed(value) if signs and isinstance(value, Reference) else None
        if isinstance(value, Reference) and placed is not None and isinstance(placed.value, dict):
            found[value.number] = placed
    return found


def permission(revision: Revision, signature: Placed) -> int | None:
    """What a certification lets others do (1 to 3), or None for a signature that certifies nothing."""
    entries = signature.value if isinstance(signature.value, dict) else {}
    for reference in revision.items(entries.get(b"Reference")):
        described = revision.dictionary(reference)
        if described.get(b"TransformMethod") == Name(b"DocMDP"):
            stated = revision.dictionary(described.get(b"TransformParams")).get(b"P", FILL_FORMS)
            return stated if isinstance(stated, int) else NO_CHANGES
    return None
