"""Signed PDF files, of pyHanko and in the hub's own form."""

import re
from collections.abc import Callable

import pytest

from core.ports.signer import Algorithm
from core.sealing.certificates import Purpose
from core.verification.pdf_canonical import canonical_pdf_faults
from core.verification.report import Outcome, Step, Verdict, VerificationReport
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from pdf_material import OWN_MARK, attribute, foreign_pdf, own_pdf, unsigned_pdf
from signing_material import NOON, YEAR, issued, material

ECDSA = material(Algorithm.ECDSA_P256_SHA256)
TRUST = TrustStore.of([ECDSA.root.certificate])
CLASSICAL = [Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_SHA256, Algorithm.ED25519]


def verify(data: bytes, trust: TrustStore = TRUST) -> VerificationReport:
    return verify_file(data, trust, now=NOON + YEAR)


def code(report: VerificationReport) -> str:
    return report.first_failed.reason.code if report.first_failed else ""


@pytest.mark.parametrize("pades", [True, False], ids=["PAdES", "adbe.pkcs7.detached"])
@pytest.mark.parametrize("algorithm", CLASSICAL)
def test_what_pyhanko_signed_is_valid(algorithm: Algorithm, pades: bool) -> None:  # a parametrised flag
    made = material(algorithm)
    report = verify(foreign_pdf(made.signer, pades=pades), TrustStore.of([made.root.certificate]))
    assert report.verdict is Verdict.VALID, report.first_failed
    assert not report.own
    (facts,) = report.signatures
    assert (facts.kind, facts.key_id) == ("pdf", made.signer.key_id)
    assert facts.signed_at is not None
    assert report.result_of(Step.SEAL_MAKER).outcome is Outcome.NOT_RUN
    assert report.content.metadata == {"ZZBS": "1.2.156.3005.2.X", "ZZMC": "营业执照"}


def test_two_signatures_are_both_judged_and_the_last_covers_the_whole() -> None:
    once = foreign_pdf(ECDSA.signer)
    twice = foreign_pdf(ECDSA.signer, once, field="S2")
    report = verify(twice)
    assert report.verdict is Verdict.VALID, report.first_failed
    assert [facts.name for facts in report.signatures] == ["1", "2"]


def test_rsa_pss_is_read() -> None:
    made = material(Algorithm.RSA_SHA256)
    report = verify(foreign_pdf(made.signer, pss=True), TrustStore.of([made.root.certificate]))
    assert report.verdict is Verdict.VALID, report.first_failed
    assert report.signatures[0].algorithm == "rsa-pss"


@pytest.mark.parametrize("form", [b"adbe.pkcs7.sha1", b"adbe.x509.rsa_sha1"])
def test_forms_over_sha_1_are_refused_or_not_judged(form: bytes) -> None:
    data = foreign_pdf(ECDSA.signer, pades=False).replace(b"adbe.pkcs7.detached", form.ljust(19))
    assert verify(data).verdict is not Verdict.VALID


def broken_range(data: bytes) -> bytes:
    """A byte range that ends early, so that the gap holds more than the signature value."""
    match = re.search(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\]", data)
    assert match is not None
    first, second, rest = (int(number) for number in match.groups())
    wider = b"/ByteRange [0 %d %d %d]" % (first, second + 40, rest - 40)
    return data.replace(match[0], wider.ljust(len(match[0])))


@pytest.mark.parametrize(
    ("change", "verdict", "expected"),
    [
        (lambda d: d.replace(b"[0 0 200 200]", b"[0 0 200 201]"), Verdict.INVALID, "digest-differs"),
        (lambda d: d + b"x\n%%EOF\n", Verdict.INVALID, "content-after-signature"),
        (
            lambda d: d + b"9 0 obj\n<<>>\nendobj\n%%EOF\nstartxref\n0\n%%EOF\n",
            Verdict.INVALID,
            "content-after-signature",
        ),
        (lambda d: d[:-40], Verdict.INVALID, "pdf-cut-off"),
        (broken_range, Verdict.INVALID, "byte-range"),
        (lambda d: d.replace(b"/Contents <30", b"/Contents <31"), Verdict.INVALID, "signed-value"),
        (
            lambda d: d.replace(b"ETSI.CAdES.detached", b"ETSI.RFC3161.xxxxxx"),
            Verdict.CANNOT_VERIFY,
            "sub-filter",
        ),
        (lambda _: unsigned_pdf(), Verdict.CANNOT_VERIFY, "unsigned"),
        (lambda _: b"%PDF-1.7\n", Verdict.INVALID, "pdf-cut-off"),
    ],
)
def test_changes_to_a_foreign_file(change: Callable[[bytes], bytes], verdict: Verdict, expected: str) -> None:
    report = verify(change(foreign_pdf(ECDSA.signer)))
    assert (report.verdict, code(report)) == (verdict, expected)


def test_a_step_that_cannot_be_judged_leaves_no_later_one_to_break_down() -> None:
    for data in (
        foreign_pdf(ECDSA.signer).replace(b"ETSI.CAdES.detached", b"ETSI.RFC3161.xxxxxx"),
        unsigned_pdf(),
        own_pdf(ECDSA.signer).replace(b"ETSI.CAdES", b"ETSI.XAdES"),
    ):
        report = verify(data)
        assert report.verdict is not Verdict.VALID
        assert "internal" not in {result.reason.code for result in report.steps}


def test_bytes_after_the_signed_range_are_listed() -> None:
    data = foreign_pdf(ECDSA.signer)
    (run,) = verify(data + b"more\n").uncovered
    assert (run.offset, run.length, run.what) == (len(data), 5, "after the signed range")


def test_a_signature_moved_to_another_file_covers_nothing_there() -> None:
    one, other = foreign_pdf(ECDSA.signer), own_pdf(ECDSA.signer)
    contents = re.search(rb"/Contents <([0-9A-Fa-f]+)>", one)
    theirs = re.search(rb"/Contents <([0-9a-f]+)>", other)
    assert contents is not None
    assert theirs is not None
    swapped = other.replace(theirs[1], contents[1].lower().rstrip(b"0").ljust(len(theirs[1]), b"0"))
    report = verify(swapped)
    assert report.verdict is Verdict.INVALID


@pytest.mark.parametrize(
    ("purpose", "validity", "verdict", "expected"),
    [
        (Purpose.JOURNAL, (NOON - YEAR, NOON + YEAR), Verdict.INVALID, "wrong-purpose"),
        (Purpose.DOCUMENT_SIGNER, (NOON - YEAR, NOON - YEAR / 2), Verdict.INVALID, "certificate-ended"),
        (
            Purpose.DOCUMENT_SIGNER,
            (NOON + YEAR / 2, NOON + YEAR),
            Verdict.INVALID,
            "certificate-not-yet-valid",
        ),
    ],
)
def test_signers_that_may_not(purpose: Purpose, validity: tuple, verdict: Verdict, expected: str) -> None:  # type: ignore[type-arg]  # a pair of moments
    signer = issued(ECDSA.root, purpose, validity=validity)
    report = verify(own_pdf(signer))
    assert (report.verdict, code(report)) == (verdict, expected)


def test_a_root_nobody_trusts_leaves_the_question_open() -> None:
    report = verify(foreign_pdf(ECDSA.signer), TrustStore())
    assert (report.verdict, code(report)) == (Verdict.CANNOT_VERIFY, "untrusted")


class TestOwnForm:
    def test_the_canonical_file_is_valid_and_known_as_own(self) -> None:
        data = own_pdf(ECDSA.signer)
        assert canonical_pdf_faults(data) == []
        report = verify(data)
        assert report.verdict is Verdict.VALID, report.first_failed
        assert report.own

    def test_changed_bytes_of_every_region_are_refused(self) -> None:
        assert self.accepted(range(0, len(own_pdf(ECDSA.signer)), 17)) == []

    @pytest.mark.slow
    def test_every_byte_changed_in_three_ways_is_refused(self) -> None:
        assert self.accepted(range(len(own_pdf(ECDSA.signer)))) == []

    def accepted(self, positions: range) -> list[tuple[int, int]]:
        data, found = own_pdf(ECDSA.signer), []
        for position in positions:
            for flip in (0x01, 0x20, 0xFF):
                changed = bytearray(data)
                changed[position] ^= flip
                if verify(bytes(changed)).verdict is Verdict.VALID:
                    found.append((position, flip))
        return found

    @pytest.mark.parametrize(
        ("build", "rule"),
        [
            (lambda: upper_case(own_pdf(ECDSA.signer)), "canonical.contents"),
            (lambda: own_pdf(ECDSA.signer) + b"\n", "canonical.one-signature"),
            (
                lambda: own_pdf(ECDSA.signer, unsigned_attribute=attribute("1.2.3", b"\x05\x00")),
                "canonical.signed-data",
            ),
            (lambda: padded(own_pdf(ECDSA.signer)), "canonical.signed-data"),
        ],
    )
    def test_each_rule_names_its_fault(self, build: Callable[[], bytes], rule: str) -> None:
        assert [fault.rule for fault in canonical_pdf_faults(build())] == [rule]
        report = verify(build())
        assert (report.verdict, code(report)) == (Verdict.INVALID, rule)

    def test_a_certificate_it_does_not_need_is_refused(self) -> None:
        stranger = issued(ECDSA.root, Purpose.DOCUMENT_SIGNER)
        report = verify(own_pdf(ECDSA.signer, stranger.certificate))
        assert (report.verdict, code(report)) == (Verdict.INVALID, "certificate-unused")

    def test_the_mark_stands_inside_the_signed_bytes(self) -> None:
        report = verify(own_pdf(ECDSA.signer).replace(OWN_MARK, OWN_MARK.replace(b"Hub", b"Hut")))
        assert (report.verdict, code(report)) == (Verdict.INVALID, "digest-differs")


def upper_case(data: bytes) -> bytes:
    contents = re.search(rb"/Contents <([0-9a-f]+)>", data)
    assert contents is not None
    return data.replace(contents[1], contents[1].upper())


def padded(data: bytes) -> bytes:
    """A digit that is not zero in the padding."""
    return data.replace(b"00>/ByteRange", b"01>/ByteRange")
