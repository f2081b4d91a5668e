"""What may follow a signature in a PDF, and what may not: revisions added by pyHanko and by hand."""

import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from pyhanko.sign.fields import MDPPerm

from core.ports.signer import Algorithm
from core.sealing.certificates import Purpose
from core.verification.pdf_structure import MOST_OBJECTS
from core.verification.report import Outcome, Step, Verdict, VerificationReport
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from mutation_material import peak_above_idle_mb
from pdf_material import foreign_pdf, stamp_authority, stamped_pdf, unsigned_pdf, updated, with_store
from signing_material import NOON, YEAR, issued, material

ECDSA = material(Algorithm.ECDSA_P256_SHA256)
TRUST = TrustStore.of([ECDSA.root.certificate])
CATALOG, PAGES, PAGE = 1, 2, 3
SIGNED = foreign_pdf(ECDSA.signer)


def verify(data: bytes, trust: TrustStore = TRUST) -> VerificationReport:
    return verify_file(data, trust, now=NOON + YEAR)


def code(report: VerificationReport) -> str:
    return report.first_failed.reason.code if report.first_failed else ""


def body(data: bytes, number: int) -> bytes:
    """The dictionary of an object as its last revision writes it."""
    found = list(re.finditer(rb"\n%d 0 obj\s*(<<.*?>>)\s*endobj" % number, data, re.DOTALL))
    return found[-1][1]


def changed(data: bytes, number: int, old: bytes, new: bytes) -> bytes:
    """``data`` with a revision in which an object has something else."""
    assert old in body(data, number)
    return updated(data, {number: body(data, number).replace(old, new, 1)})


def field_number(data: bytes) -> int:
    """The object of the signature field, which pyHanko writes as its own place on the page."""
    return int(re.findall(rb"\n(\d+) 0 obj\s*<<[^>]*?/FT /Sig", data)[-1])


class TestHarmless:
    def test_a_validation_store_leaves_the_signature_valid_and_is_named(self) -> None:
        data = with_store(SIGNED, ECDSA.signer.certificate)
        report = verify(data)
        assert report.verdict is Verdict.VALID, report.first_failed
        (run,) = report.uncovered
        assert (run.offset, run.offset + run.length) == (len(SIGNED), len(data))
        assert "DSS" in run.what
        assert "DSS" in report.result_of(Step.COVERAGE).reason.zh

    def test_a_document_timestamp_leaves_it_valid_and_is_judged_for_itself(self) -> None:
        data = stamped_pdf(ECDSA.signer)
        report = verify(data)
        assert report.verdict is Verdict.VALID, report.first_failed
        assert [facts.kind for facts in report.signatures] == ["pdf", "timestamp"]
        assert "not trusted" in report.signatures[1].notes[0].en
        trusted = TrustStore.of([ECDSA.root.certificate, stamp_authority()[0]])
        (note,) = verify(data, trusted).signatures[1].notes
        assert note.en.endswith("trusted")

    def test_blank_bytes_after_the_end_are_named_and_harmless(self) -> None:
        report = verify(SIGNED + b"\r\n\0\n")
        assert report.verdict is Verdict.VALID
        assert [run.length for run in report.uncovered] == [4]

    def test_an_object_written_again_as_it_was_is_no_change(self) -> None:
        assert verify(updated(SIGNED, {PAGE: body(SIGNED, PAGE)})).verdict is Verdict.VALID

    def test_objects_nothing_refers_to_are_no_change(self) -> None:
        assert verify(updated(SIGNED, {900: b"<</Type/Page>>"})).verdict is Verdict.VALID

    def test_every_signature_of_several_is_judged_against_the_file_as_it_is(self) -> None:
        twice = foreign_pdf(ECDSA.signer, with_store(SIGNED, ECDSA.signer.certificate), field="S2")
        report = verify(stamped_pdf(ECDSA.signer, twice))
        assert report.verdict is Verdict.VALID, report.first_failed
        assert [facts.kind for facts in report.signatures] == ["pdf", "pdf", "timestamp"]


def overlay(data: bytes) -> bytes:
    """Other content for the page: what shadow attacks do."""
    content = b"<</Length 9>>stream\n0 0 m 1 w\nendstream"
    page = body(data, PAGE).replace(b"<<", b"<</Contents 901 0 R ", 1)
    return updated(data, {901: content, PAGE: page})


def annotation(data: bytes) -> bytes:
    note = b"<</Type/Annot/Subtype/FreeText/Rect[0 0 200 200]/Contents(paid)>>"
    page = re.sub(rb"/Annots \[(.*?)\]", rb"/Annots [\1 901 0 R]", body(data, PAGE))
    return updated(data, {901: note, PAGE: page})


def other_page(data: bytes) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>"
    return updated(data, {901: page, PAGES: b"<</Type/Pages/Kids[901 0 R]/Count 1>>"})


def unsigned_mark(data: bytes) -> bytes:
    """A signature field that shows something and holds no signature: the sneaky signature attack."""
    mark = b"<</FT/Sig/Type/Annot/Subtype/Widget/Rect[0 0 200 200]/T(S9)/P 3 0 R/F 4>>"
    page = re.sub(rb"/Annots \[(.*?)\]", rb"/Annots [\1 901 0 R]", body(data, PAGE))
    catalog = re.sub(rb"/Fields \[(.*?)\]", rb"/Fields [\1 901 0 R]", body(data, CATALOG))
    return updated(data, {901: mark, PAGE: page, CATALOG: catalog})


def removed_signature(data: bytes) -> bytes:
    return updated(data, {CATALOG: b"<</Type/Catalog/Pages 2 0 R>>"})


def redirected(data: bytes) -> bytes:
    """Cross-references of an update that do not continue the signed ones."""
    return re.sub(rb"/Prev \d+(?=>>\nstartxref\n\d+\n%%EOF\n$)", b"", overlay(data))


def unlisted(data: bytes) -> bytes:
    """An object that only readers which repair the file find."""
    stored = with_store(data, ECDSA.signer.certificate)
    return stored[: len(data)] + b"\n3 0 obj\n<</Type/Page/Parent 2 0 R>>\nendobj\n" + stored[len(data) :]


def actions(data: bytes) -> bytes:
    return changed(data, CATALOG, b"<<", b"<</OpenAction<</S/JavaScript/JS(app.alert)>> ")


HARMFUL: list[Callable[[bytes], bytes]] = [
    overlay,
    annotation,
    other_page,
    unsigned_mark,
    actions,
    lambda data: changed(data, PAGE, b"<<", b"<</Resources<<>> "),
    lambda data: changed(data, CATALOG, b"/AcroForm", b"/OCProperties<<>>/AcroForm"),
    lambda data: changed(data, field_number(data), b"/FT", b"/AA<<>>/FT"),
    lambda data: data + b"9 0 obj\n<<>>\nendobj\n%%EOF\nstartxref\n0\n%%EOF\n",
]


@pytest.mark.parametrize("attack", HARMFUL)
def test_what_can_change_what_is_seen_is_refused(attack: Callable[[bytes], bytes]) -> None:
    report = verify(attack(SIGNED))
    assert (report.verdict, code(report)) == (Verdict.INVALID, "content-after-signature")


@pytest.mark.parametrize("attack", [overlay, annotation, other_page, actions])
def test_a_second_signature_does_not_heal_what_was_changed_after_the_first(
    attack: Callable[[bytes], bytes],
) -> None:
    report = verify(foreign_pdf(ECDSA.signer, attack(SIGNED), field="S2"))
    assert (report.verdict, code(report)) == (Verdict.INVALID, "content-after-signature")


@pytest.mark.parametrize("attack", [removed_signature, redirected])
def test_a_signature_nothing_refers_to_any_more_signs_nothing(attack: Callable[[bytes], bytes]) -> None:
    assert verify(attack(SIGNED)).verdict is Verdict.CANNOT_VERIFY


def test_bytes_that_no_cross_reference_lists_are_refused() -> None:
    assert code(verify(unlisted(SIGNED))) == "content-after-signature"


def test_an_object_the_signed_part_left_open_may_not_be_filled_in_later() -> None:
    base = updated(
        unsigned_pdf(), {PAGE: body(unsigned_pdf(), PAGE).replace(b"<<", b"<</Contents 901 0 R ", 1)}
    )
    signed = foreign_pdf(ECDSA.signer, base)
    assert verify(signed).verdict is Verdict.VALID
    later = updated(signed, {901: b"<</Length 9>>stream\n0 0 m 1 w\nendstream"})
    assert code(verify(later)) == "content-after-signature"


def test_values_filled_into_a_form_are_not_covered_and_leave_it_open() -> None:
    box = b"<</FT/Tx/T(name)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/P 3 0 R>>"
    page = body(unsigned_pdf(), PAGE).replace(b"<<", b"<</Annots [900 0 R] ", 1)
    catalog = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields [900 0 R]>>>>"
    signed = foreign_pdf(ECDSA.signer, updated(unsigned_pdf(), {900: box, PAGE: page, CATALOG: catalog}))
    assert verify(signed).verdict is Verdict.VALID
    report = verify(updated(signed, {900: box.replace(b"<<", b"<</V(other)", 1)}))
    assert (report.verdict, code(report)) == (Verdict.CANNOT_VERIFY, "form-filled-after-signature")
    moved = verify(updated(signed, {900: box.replace(b"0 0 9 9", b"0 0 99 99")}))
    assert code(moved) == "content-after-signature"


def test_a_signature_of_a_stranger_added_later_leaves_the_whole_open() -> None:
    stranger = issued(material(Algorithm.RSA_SHA256).root, Purpose.DOCUMENT_SIGNER)
    report = verify(foreign_pdf(stranger, SIGNED, field="S2"))
    assert (report.verdict, code(report)) == (Verdict.CANNOT_VERIFY, "untrusted")


def test_a_file_certified_against_any_change_may_get_a_store_and_no_signature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certified = foreign_pdf(ECDSA.signer, certify=MDPPerm.NO_CHANGES)
    assert verify(stamped_pdf(ECDSA.signer, certified)).verdict is Verdict.VALID
    theirs = "pyhanko.sign.validation.read_certification_data"  # by which it would refuse to sign
    monkeypatch.setattr(theirs, lambda _: None)
    report = verify(foreign_pdf(ECDSA.signer, certified, field="S2"))
    assert (report.verdict, code(report)) == (Verdict.INVALID, "changes-not-allowed")
    open_ = foreign_pdf(ECDSA.signer, certify=MDPPerm.FILL_FORMS)
    assert verify(foreign_pdf(ECDSA.signer, open_, field="S2")).verdict is Verdict.VALID


def test_a_timestamp_alone_is_nobodys_signature() -> None:
    report = verify(stamped_pdf(ECDSA.signer, unsigned_pdf()))
    assert (report.verdict, code(report)) == (Verdict.CANNOT_VERIFY, "only-timestamps")


def test_a_changed_timestamp_is_refused() -> None:
    data = stamped_pdf(ECDSA.signer)
    end = len(SIGNED)
    broken = data[:end] + data[end:].replace(b"/DSS", b"/DSs", 1)
    assert verify(broken).verdict is Verdict.INVALID


def test_text_that_looks_like_a_signature_is_none() -> None:
    """An attachment may be a signed file itself."""
    inner = SIGNED.replace(b"endobj", b"endOBJ").replace(b"endstream", b"endSTREAM")
    base = updated(
        unsigned_pdf(), {900: b"<</Type/EmbeddedFile/Length %d>>stream\n%s\nendstream" % (len(inner), inner)}
    )
    report = verify(foreign_pdf(ECDSA.signer, base))
    assert report.verdict is Verdict.VALID, report.first_failed
    assert len(report.signatures) == 1


def deep(data: bytes) -> bytes:
    return updated(data, {901: b"[" * 5_000 + b"]" * 5_000})


def many(data: bytes) -> bytes:
    return updated(data, {901: b"[" + b"1 " * 500_000 + b"]"})


def wide(data: bytes) -> bytes:
    """A cross-reference stream that unpacks to far more than it is."""
    packed = zlib.compress(b"\0" * 64_000_000, 9)
    entries = b"<</Type/XRef/Size 9/Root 1 0 R/W[1 2 1]/Filter/FlateDecode/Length %d>>" % len(packed)
    place = len(data)
    stream = b"901 0 obj\n" + entries + b"stream\n" + packed + b"\nendstream\nendobj\n"
    return data + stream + b"startxref\n%d\n%%%%EOF\n" % place


def long_table(data: bytes) -> bytes:
    place = len(data)
    entries = b"0000000000 65535 f \n" * (MOST_OBJECTS + 9)
    head = b"xref\n0 %d\n" % (MOST_OBJECTS + 9)
    return data + head + entries + b"trailer\n<</Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % place


def circle(data: bytes) -> bytes:
    place = len(data)
    return data + b"xref\n0 0\ntrailer\n<</Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (place, place)


def long_strings(data: bytes) -> bytes:
    return updated(data, {901: b"<" + b"4" * 6_000_000 + b">", 902: b"(" + b"\\101" * 1_000_000 + b")"})


def many_objects(data: bytes) -> bytes:
    return updated(data, dict.fromkeys(range(1000, 41000), b"<</A[1 0 R 2 0 R 3 0 R]>>"))


@pytest.mark.parametrize("build", [deep, many, wide, long_table, circle, many_objects])
def test_structures_made_to_exhaust_are_refused_by_count(build: Callable[[bytes], bytes]) -> None:
    report = verify(build(SIGNED))
    assert report.verdict is Verdict.INVALID
    assert code(report) in ("limit", "content-after-signature")
    assert (
        report.result_of(Step.COVERAGE).outcome is Outcome.FAILED
        or report.result_of(Step.CONTAINER).outcome is Outcome.FAILED
    )


@pytest.mark.slow
def test_memory_stays_within_50_mb_above_idle_whatever_is_added(tmp_path: Path) -> None:
    hostile = [build(SIGNED) for build in (deep, many, wide, long_table, circle, many_objects, long_strings)]
    assert peak_above_idle_mb(tmp_path, [SIGNED, *hostile]) <= 50
