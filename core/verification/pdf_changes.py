"""What was added to a PDF after a signature: only what can alter nothing that is seen passes, all else is named.

Recognised are the validation store (ISO 32000-2, 12.8.4.3), document timestamps (12.8.5) and further signatures in fields of
their own. Everything that a later revision changes has to be explained by one of these; new objects need no explanation,
because nothing but what was explained can lead to them.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from core.verification.finding import Broken, Undecided
from core.verification.pdf_metadata import told_by_xmp
from core.verification.pdf_structure import Entry, Revision, unpacked
from core.verification.pdf_syntax import Name, Reference, Stream, StructureError, Value

_SIGNATURE, _WIDGET, _PAGE = Name(b"Sig"), Name(b"Widget"), Name(b"Page")
_FORM_KINDS = {Name(b"Tx"), Name(b"Ch"), Name(b"Btn")}
_ACTIONS = {b"A", b"AA"}
_CATALOG_MAY_CHANGE = {b"DSS", b"AcroForm", b"Extensions", b"Version", b"Metadata"}
_FORM_MAY_CHANGE = {b"Fields", b"SigFlags"}
_NEW_FORM_MAY_HAVE = {*_FORM_MAY_CHANGE, b"DR", b"DA"}
_SIGNING_MAY_CHANGE = {b"V", b"AP", b"F", b"M", b"P", b"MK", b"AS", b"DA"}
_FILLING_MAY_CHANGE = {b"V", b"AP", b"AS", b"M", b"MK", b"I", b"RV"}
_INFORMATION_MAY_CHANGE = {b"ModDate", b"Producer"}
_OF_THE_SECTION = {b"Size", b"Prev", b"XRefStm", b"Info", b"ID", b"DocChecksum", b"Type", b"W", b"Index"}
_OF_THE_SECTION |= {b"Filter", b"DecodeParms", b"Length"}
_HIDDEN = 2
_TRAILER = 0
_LONGEST_CLIMB = 20
_FIELDS = ("the fields of the form", "表单域")
_ANNOTATIONS = ("the annotations of a page", "页面批注")


@dataclass
class Changes:
    """What a later revision holds beyond what was signed; nothing of it alters what is seen but what is named here."""

    store: bool = False
    signatures: list[int] = field(default_factory=list)
    """Objects of the signatures that were added."""
    visible: list[int] = field(default_factory=list)
    """Those of them that show a mark on a page."""
    metadata: bool = False


class ChangeCheck:
    """The comparison of the revision that was signed with the file as it is."""

    def __init__(self, signed: Revision, final: Revision, signature_objects: Collection[int]) -> None:
        self._signed, self._final = signed, final
        self._signatures = signature_objects
        self._touched = {
            number
            for section in final.sections[: len(final.sections) - len(signed.sections)]
            for number in section.entries
        }
        self._referrers: dict[int, set[int]] = {}
        self._explained: set[int] = set()
        self._widgets: set[Reference] = set()
        self._filled: set[int] = set()
        self._root = _TRAILER
        self._found = Changes()

    def run(self) -> Changes:
        """Raises ``Broken`` for a change that is not explained, ``Undecided`` for values filled into a form."""
        self._trailers()
        self._find_referrers()
        self._new_objects_fill_no_gap()
        self._catalog()
        self._pages()
        for number in sorted(self._touched - self._explained):
            self._explain_form_value(number)
        for number in sorted(self._touched - self._explained):
            if not self._is_as_it_was(number):
                raise altered(*self._kind(number))
        if self._filled:
            raise Undecided(
                "form-filled-after-signature",
                "values were filled into the form after signing; no signature covers them",
                "签名后填写了表单内容，这些内容没有签名覆盖",
            )
        return self._found

    def _trailers(self) -> None:
        old, new = self._signed.trailer, self._final.trailer
        for key in old.keys() | new.keys():
            if key not in _OF_THE_SECTION and key != b"Root" and not self._same(old.get(key), new.get(key)):
                raise _entry([key], "the trailer", "文件尾")
        if self._same(old.get(b"Info"), new.get(b"Info")) or new.get(b"Info") is None:
            self._information(old.get(b"Info"))
        else:
            self._compare_information(old.get(b"Info"), new.get(b"Info"))

    def _information(self, reference: Value) -> None:
        if isinstance(reference, Reference) and reference.number in self._touched:
            self._compare_information(reference, reference)
            self._explained.add(reference.number)

    def _compare_information(self, old: Value, new: Value) -> None:
        before, after = self._signed.dictionary(old), self._final.dictionary(new)
        if self._differing(before, after) - _INFORMATION_MAY_CHANGE:
            raise altered("the document information", "文档信息")
        self._found.metadata = True

    def _find_referrers(self) -> None:
        """Who refers, in what was signed, to the objects that were touched."""
        signed = self._signed
        for value in signed.trailer.values():
            self._note_references(value, _TRAILER)
        order = sorted((signed.entry(number)[:3], number) for number in signed.numbers())
        for _, number in order:
            placed = signed.placed(signed.reference(number))
            if placed is not None:
                self._note_references(placed.value, number)

    def _note_references(self, value: Value, referrer: int) -> None:
        for reference in references(value):
            if reference.number in self._touched:
                self._referrers.setdefault(reference.number, set()).add(referrer)

    def _new_objects_fill_no_gap(self) -> None:
        """What was signed must not refer to an object that was still missing: a later one would take its place."""
        for number in self._touched & self._referrers.keys():
            before, after = self._signed.entry(number), self._final.entry(number)
            moved = (after.kind == 0) != (before.kind == 0) or _generation(before) != _generation(after)
            if moved:
                raise altered("an object that the signed part refers to", "已签名部分引用的对象")

    def _catalog(self) -> None:
        root = self._signed.trailer.get(b"Root")
        if not isinstance(root, Reference):
            raise StructureError("the trailer names no catalog")
        self._root = root.number
        old = self._signed.dictionary(root)
        new = self._final.dictionary(self._final.trailer.get(b"Root"))
        if changed := self._differing(old, new) - _CATALOG_MAY_CHANGE:
            raise _entry(changed, "the catalog", "目录")
        self._explained.add(root.number)
        self._store(root.number, old.get(b"DSS"), new.get(b"DSS"))
        self._only_below(root.number, old.get(b"Extensions"))
        self._description(old.get(b"Metadata"), new.get(b"Metadata"))
        self._form(root.number, old.get(b"AcroForm"), new.get(b"AcroForm"))

    def _store(self, root: int, old: Value, new: Value) -> None:
        """The validation store may change in any way: nothing of it is drawn."""
        touched = self._only_below(root, old)
        self._found.store = bool(touched) or not self._same(old, new)

    def _only_below(self, root: int, value: Value) -> set[int]:
        """Touched objects that what was signed reaches by way of ``value`` alone; they are explained."""
        below: set[int] = set()
        waiting = list(references(value))
        while waiting:
            reference = waiting.pop()
            if reference.number not in below:
                below.add(reference.number)
                waiting += references(self._signed.value(reference))
        allowed = {*below, root}
        found = {n for n in below & self._touched if self._referrers.get(n, set()) <= allowed}
        self._explained |= found
        return found

    def _description(self, old: Value, new: Value) -> None:
        """The XMP of the document: viewers show its title, so only tools and times in it may change."""
        before, after = self._signed.value(old), self._final.value(new)
        if self._same(before, after):
            return
        if before is not None and self._described(before) != self._described(after):
            raise altered("the document's XMP metadata", "文档 XMP 元数据")
        if isinstance(old, Reference) and self._referrers.get(old.number, set()) <= {self._root}:
            self._explained.add(old.number)
        self._found.metadata = True

    def _described(self, value: Value) -> str:
        if not isinstance(value, Stream) or b"Encrypt" in self._final.trailer:
            raise altered("the document's XMP metadata", "文档 XMP 元数据")
        return told_by_xmp(unpacked(self._final.data, value, self._final.budget))

    def _form(self, root: int, old: Value, new: Value) -> None:
        before, after = self._signed.dictionary(old), self._final.dictionary(new)
        allowed = _FORM_MAY_CHANGE | (
            _NEW_FORM_MAY_HAVE - before.keys() if self._only_signatures(before) else set()
        )
        changed = self._differing(before, after) - allowed
        if self._extends(before.get(b"DR"), after.get(b"DR")):
            changed -= {b"DR"}
        if changed:
            raise _entry(changed, "the form", "表单")
        form = old.number if isinstance(old, Reference) else root
        if form != root and self._referrers.get(form, set()) <= {root}:
            self._explained.add(form)
        listed = before.get(b"Fields")
        if isinstance(listed, Reference) and self._referrers.get(listed.number, set()) <= {form}:
            self._explained.add(listed.number)
        fields = self._signed.items(listed)
        for added in self._added(fields, self._final.items(after.get(b"Fields")), _FIELDS):
            self._new_field(added)
        for number in self._touched - self._explained:
            self._explain_signing(number)

    def _extends(self, old: Value, new: Value) -> bool:
        """Whether resources were only added beside those there were."""
        before, after = self._signed.value(old), self._final.value(new)
        if not isinstance(before, dict) or not isinstance(after, dict):
            return self._same(old, new)
        return all(
            self._same(value, after.get(key)) or self._extends(value, after.get(key))
            for key, value in before.items()
        )

    def _only_signatures(self, form: dict[bytes, Value]) -> bool:
        """Whether no field of the form shows text of its own, so that its fonts may still be set."""
        kinds = [self._signed.dictionary(kind).get(b"FT") for kind in self._signed.items(form.get(b"Fields"))]
        return all(kind == _SIGNATURE for kind in kinds)

    def _added(self, before: list[Value], after: list[Value], what: tuple[str, str]) -> list[Value]:
        """What stands in ``after`` besides all of ``before``, in its order; raises ``Broken`` when something is gone."""
        rest, added = list(before), []
        for value in after:
            if rest and self._same(value, rest[0]):
                rest.pop(0)
            else:
                added.append(value)
        if rest:
            raise altered(*what)
        return added

    def _new_field(self, reference: Value) -> None:
        if not isinstance(reference, Reference) or self._signed.entry(reference.number).kind:
            raise altered(*_FIELDS)
        entries = self._final.dictionary(reference)
        if entries.get(b"FT") != _SIGNATURE:
            raise altered(*_FIELDS)
        kids = self._final.items(entries.get(b"Kids"))
        for widget in (reference, *kids):
            if not isinstance(widget, Reference) or (
                widget != reference and self._signed.entry(widget.number).kind
            ):
                raise altered(*_FIELDS)
            self._widgets.add(widget)
        self._signed_into(entries, [entries, *(self._final.dictionary(kid) for kid in kids)])

    def _signed_into(self, entries: dict[bytes, Value], widgets: Iterable[dict[bytes, Value]]) -> None:
        value = entries.get(b"V")
        if not isinstance(value, Reference) or value.number not in self._signatures:
            raise altered(*_FIELDS)
        if self._signed.entry(value.number).kind:
            raise altered("a signature", "签名")
        shown = False
        for widget in widgets:
            if _ACTIONS & widget.keys():
                raise altered("the actions of a field", "表单域的动作")
            shown |= self._is_shown(widget)
        self._found.signatures.append(value.number)
        self._found.visible += [value.number] * shown

    def _is_shown(self, widget: dict[bytes, Value]) -> bool:
        flags, corners = self._final.value(widget.get(b"F")), self._final.items(widget.get(b"Rect"))
        if widget.get(b"Subtype") != _WIDGET or (isinstance(flags, int) and flags & _HIDDEN):
            return False
        numbers = [corner for corner in corners if isinstance(corner, int | float)]
        return len(numbers) != 4 or (numbers[0] != numbers[2] and numbers[1] != numbers[3])

    def _explain_signing(self, number: int) -> None:
        """An empty signature field that was signed."""
        old, new = self._both(number)
        if not isinstance(old, dict) or not isinstance(new, dict) or old.get(b"FT") != _SIGNATURE:
            return
        changed = self._differing(old, new)
        if b"V" in changed and b"V" not in old and changed <= _SIGNING_MAY_CHANGE:
            self._signed_into(new, [new])
            self._explained.add(number)

    def _pages(self) -> None:
        """Pages may get the places of the new signatures, nothing else."""
        for number in self._touched - self._explained:
            old, new = self._both(number)
            if isinstance(old, dict) and isinstance(new, dict) and old.get(b"Type") == _PAGE:
                if changed := self._differing(old, new) - {b"Annots"}:
                    raise _entry(changed, "a page", "页面")
                self._annotations(old, new)
                self._explained.add(number)
            elif isinstance(old, list) and isinstance(new, list):
                self._annotation_list(number)

    def _annotation_list(self, number: int) -> None:
        """A list of annotations that stands by itself: those who refer to it have to be pages."""
        reference = self._signed.reference(number)
        for referrer in self._referrers.get(number, set()):
            old, new = self._both(referrer)
            if not isinstance(old, dict) or not isinstance(new, dict) or old.get(b"Annots") != reference:
                return
            self._annotations(old, new)
        self._explained.add(number)

    def _annotations(self, old: dict[bytes, Value], new: dict[bytes, Value]) -> None:
        before, after = self._signed.items(old.get(b"Annots")), self._final.items(new.get(b"Annots"))
        for added in self._added(before, after, _ANNOTATIONS):
            if added not in self._widgets:
                raise altered(*_ANNOTATIONS)

    def _explain_form_value(self, number: int) -> None:
        old, new = self._both(number)
        if isinstance(old, Stream) and isinstance(new, Stream):
            referrers = self._referrers.get(number, set())
            if referrers and all(self._form_kind(referrer) for referrer in referrers):
                self._filled.add(number)
                self._explained.add(number)
            return
        if not isinstance(old, dict) or not isinstance(new, dict) or not self._form_kind(number):
            return
        changed = self._differing(old, new)
        if changed <= _FILLING_MAY_CHANGE:
            self._filled |= {number} if changed else set()
            self._explained.add(number)

    def _form_kind(self, number: int) -> bool:
        """Whether the object was a field of a form, or a place of one, that people fill in."""
        value: Value = self._signed.reference(number)
        for _ in range(_LONGEST_CLIMB):
            entries = self._signed.value(value)
            if not isinstance(entries, dict):
                return False
            if b"FT" in entries:
                return entries[b"FT"] in _FORM_KINDS
            value = entries.get(b"Parent")
        return False

    def _both(self, number: int) -> tuple[Value, Value]:
        old = self._signed.value(self._signed.reference(number)) if self._signed.entry(number).kind else None
        new = self._final.value(self._final.reference(number)) if self._final.entry(number).kind else None
        return old, new

    def _is_as_it_was(self, number: int) -> bool:
        """New, unused, or written again without a change."""
        if number not in self._touched or not self._signed.entry(number).kind:
            return True
        if not self._referrers.get(number):
            return True
        return self._same(*self._both(number))

    def _differing(self, old: dict[bytes, Value], new: dict[bytes, Value]) -> set[bytes]:
        return {key for key in old.keys() | new.keys() if not self._same(old.get(key), new.get(key))}

    def _same(self, old: Value, new: Value) -> bool:
        if isinstance(old, Stream) and isinstance(new, Stream):
            data = self._final.data
            return old.dictionary == new.dictionary and data[old.start : old.end] == data[new.start : new.end]
        return type(old) is type(new) and old == new

    def _kind(self, number: int) -> tuple[str, str]:
        old, _ = self._both(number)
        entries = old.dictionary if isinstance(old, Stream) else old
        named = entries.get(b"Subtype", entries.get(b"Type")) if isinstance(entries, dict) else None
        said = named.value.decode("latin-1") if isinstance(named, Name) else type(old).__name__.lower()
        return f"object {number} ({said})", f"对象 {number}（{said}）"


def references(value: Value) -> list[Reference]:
    """Every indirect reference inside ``value``."""
    found, waiting = [], [value]
    while waiting:
        match waiting.pop():
            case Reference() as reference:
                found.append(reference)
            case Stream(dictionary=entries):
                waiting += entries.values()
            case dict() as entries:
                waiting += entries.values()
            case list() as items:
                waiting += items
    return found


def _generation(entry: Entry) -> int:
    return entry.detail if entry.kind == 1 else 0


def altered(en: str, zh: str) -> Broken:
    """The finding that a later part of the file changed what is named."""
    return Broken(
        "content-after-signature", f"the file was changed after signing: {en}", f"文件在签名后被改动：{zh}"
    )


def _entry(changed: Collection[bytes], en: str, zh: str) -> Broken:
    """The finding that the first of these entries of a dictionary was changed."""
    key = min(changed).decode("latin-1")
    return altered(f"entry {key} of {en}", f"{zh}的 {key} 项")
