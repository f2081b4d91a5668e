"""Each way to tamper with a sealed OFD has its named verdict."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.gm import der, oids
from core.ports.signer import Algorithm
from core.sealing.certificates import Purpose
from core.sealing.making import SealDesign, make_seal
from core.sealing.ses import SesSeal
from core.sealing.signers import SoftwareSigner, generate_key
from core.verification import ofd_check
from core.verification.report import Outcome, Step, Verdict, VerificationReport
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from ofd_material import (
    PAGE,
    SEAL,
    SIGNATURE,
    SIGNATURES,
    SIGNED_VALUE,
    Bend,
    Members,
    document,
    folder,
    own_package,
    sealed,
    sealed_members,
    zipped,
)
from signing_material import NOON, YEAR, issued, made_seal, material, self_signed, small_picture

MADE = material()
TRUST = TrustStore.of([MADE.root.certificate])
HOUR = timedelta(hours=1)


def examine(members: Members, trust: TrustStore = TRUST) -> VerificationReport:
    return verify_file(zipped(members), trust, now=NOON + HOUR)


def named(report: VerificationReport) -> tuple[str, str, str]:
    first = report.first_failed
    return (
        (report.verdict.value, first.step.value, first.reason.code)
        if first
        else (report.verdict.value, "", "")
    )


def without(members: Members, *names: str) -> Members:
    return {name: data for name, data in members.items() if name not in names}


def sealed_with(signer: SoftwareSigner, ses: SesSeal, bend: Bend | None = None) -> Members:
    return sealed_members(document(), signer, ses, bend=bend)


def other(text: str = "另一份") -> Members:
    return sealed(text=text)


def test_a_properly_sealed_file_of_another_producer_is_valid() -> None:
    report = examine(sealed())
    assert named(report) == ("valid", "", "")
    assert not report.own
    assert [result.step for result in report.steps] == list(Step)
    assert [result.outcome for result in report.steps[-2:]] == [Outcome.NOT_RUN, Outcome.NOT_RUN]
    (facts,) = report.signatures
    assert (facts.algorithm, facts.seal_version, facts.key_id) == ("sm2-sm3", 4, MADE.signer.key_id)
    assert facts.signer.startswith("CN=Test Seal Signer, O=Test")
    assert facts.signed_at == NOON
    assert report.content.face_items == {"ZZBFJG": "海州县行政审批局"}


AFTER_SIGNING: list[tuple[str, Callable[[Members], Members], tuple[str, str, str]]] = [
    ("a part removed", lambda m: without(m, PAGE), ("invalid", "coverage", "reference-missing")),
    ("a part added", lambda m: {**m, "Doc_0/x.xml": b"<x/>"}, ("invalid", "coverage", "unsigned-members")),
    ("a part changed", lambda m: {**m, PAGE: m[PAGE] + b" "}, ("invalid", "digests", "digest-differs")),
    ("parts exchanged", lambda m: {**m, PAGE: m["OFD.xml"]}, ("invalid", "digests", "digest-differs")),
    ("seal of another file", lambda m: {**m, SEAL: b"other"}, ("invalid", "digests", "digest-differs")),
    (
        "signature of another file",
        lambda m: {**m, SIGNATURE: other()[SIGNATURE]},
        ("invalid", "digests", "digest-differs"),
    ),
    (
        "value of another file",
        lambda m: {**m, SIGNED_VALUE: other()[SIGNED_VALUE]},
        ("invalid", "signature", "data-hash"),
    ),
    (
        "signature and value of another file",
        lambda m: {**m, SIGNATURE: other()[SIGNATURE], SIGNED_VALUE: other()[SIGNED_VALUE]},
        ("invalid", "digests", "digest-differs"),
    ),
    ("value removed", lambda m: without(m, SIGNED_VALUE), ("invalid", "seal-equal", "member-missing")),
    ("signature removed", lambda m: without(m, SIGNATURE), ("invalid", "container", "member-missing")),
    ("list removed", lambda m: without(m, SIGNATURES), ("invalid", "container", "member-missing")),
    ("entry removed", lambda m: without(m, "OFD.xml"), ("invalid", "container", "member-missing")),
    ("value is junk", lambda m: {**m, SIGNED_VALUE: b"junk"}, ("invalid", "seal-equal", "signed-value")),
    (
        "value is cut",
        lambda m: {**m, SIGNED_VALUE: m[SIGNED_VALUE][:-1]},
        ("invalid", "seal-equal", "signed-value"),
    ),
    (
        "list emptied",
        lambda m: {**m, SIGNATURES: b'<ofd:Signatures xmlns:ofd="http://www.ofdspec.org/2016"/>'},
        ("cannot-verify", "coverage", "unsigned"),
    ),
    (
        "entry without a list",
        lambda m: {**m, "OFD.xml": m["OFD.xml"].replace(SIGNATURES.encode(), b"")},
        ("cannot-verify", "coverage", "unsigned"),
    ),
    (
        "signature listed twice",
        lambda m: {
            **m,
            SIGNATURES: m[SIGNATURES].replace(b"</ofd:Signatures>", entry("1") + b"</ofd:Signatures>"),
        },
        ("invalid", "container", "signature-twice"),
    ),
    (
        "signature listed under two names",
        lambda m: {
            **m,
            SIGNATURES: m[SIGNATURES].replace(b"</ofd:Signatures>", entry("2") + b"</ofd:Signatures>"),
        },
        ("invalid", "container", "signature-twice"),
    ),
]


def entry(name: str) -> bytes:
    return f'<ofd:Signature ID="{name}" Type="Seal" BaseLoc="/{SIGNATURE}"/>'.encode()


@pytest.mark.parametrize(
    ("change", "verdict"), [case[1:] for case in AFTER_SIGNING], ids=[case[0] for case in AFTER_SIGNING]
)
def test_changes_after_signing(change: Callable[[Members], Members], verdict: tuple[str, str, str]) -> None:
    assert named(examine(change(sealed()))) == verdict


def test_the_order_of_parts_means_nothing_in_files_of_others_and_everything_in_own_ones() -> None:
    assert examine(dict(reversed(sealed().items()))).verdict is Verdict.VALID
    assert verify_file(own_package(), TRUST).verdict is Verdict.VALID


BENT: list[tuple[str, Bend, tuple[str, str, str]]] = [
    ("MD5 digests", Bend(check_method="MD5"), ("invalid", "digests", "weak-digest")),
    ("SHA-1 digests by OID", Bend(check_method="1.3.14.3.2.26"), ("invalid", "digests", "weak-digest")),
    ("no digest method, which means MD5", Bend(check_method=""), ("invalid", "digests", "weak-digest")),
    ("an unknown digest", Bend(check_method="CRC32"), ("cannot-verify", "digests", "digest-unsupported")),
    ("SM3 by OID", Bend(check_method=oids.SM3), ("valid", "", "")),
    (
        "the method of another algorithm",
        Bend(method=oids.RSA_SHA256),
        ("invalid", "signature", "algorithm-differs"),
    ),
    (
        "a value of another algorithm",
        Bend(ses_algorithm=oids.ECDSA_SHA256),
        ("invalid", "signature", "data-hash"),
    ),
    (
        "a weak signature algorithm",
        Bend(ses_algorithm="1.2.840.113549.1.1.5"),
        ("invalid", "signature", "weak-algorithm"),
    ),
    ("a part left out", Bend(left_out=[PAGE]), ("invalid", "coverage", "unsigned-members")),
    ("the list left out, for further seals", Bend(left_out=[SIGNATURES]), ("valid", "", "")),
    (
        "another seal shown",
        Bend(seal_file=made_seal(MADE.maker, MADE.signer).encoding),
        ("invalid", "seal-equal", "seal-differs"),
    ),
    ("a hash of something else", Bend(data_hash=lambda _: bytes(32)), ("invalid", "signature", "data-hash")),
    (
        "made for another place",
        Bend(property_info="/Doc_1/Signature.xml"),
        ("invalid", "signature", "property-info"),
    ),
    (
        "another certificate",
        Bend(certificate=MADE.maker.certificate),
        ("invalid", "signature", "bad-signature"),
    ),
    ("no certificate", Bend(certificate=b"none"), ("invalid", "signature", "certificate-malformed")),
    (
        "a part referenced twice",
        Bend(
            signature_xml=lambda x: x.replace(
                b"</ofd:References>", reference_to("/" + PAGE) + b"</ofd:References>"
            )
        ),
        ("invalid", "coverage", "reference-twice"),
    ),
    (
        "a reference out of the file",
        Bend(signature_xml=lambda x: x.replace(b"/OFD.xml", b"/../OFD.xml")),
        ("invalid", "container", "location"),
    ),
    (
        "a check value that is no base64",
        Bend(signature_xml=lambda x: x.replace(b"<ofd:CheckValue>", b"<ofd:CheckValue>*")),
        ("invalid", "container", "references"),
    ),
]


def reference_to(name: str) -> bytes:
    return f'<ofd:Reference FileRef="{name}"><ofd:CheckValue>AAAA</ofd:CheckValue></ofd:Reference>'.encode()


@pytest.mark.parametrize(("bend", "verdict"), [case[1:] for case in BENT], ids=[case[0] for case in BENT])
def test_signatures_made_wrongly(bend: Bend, verdict: tuple[str, str, str]) -> None:
    assert named(examine(sealed(bend=bend))) == verdict


def test_the_open_list_is_named_as_unsigned() -> None:
    assert examine(sealed(bend=Bend(left_out=[SIGNATURES]))).unsigned_members == (SIGNATURES,)


PERIODS = {
    "ended": ((NOON - YEAR, NOON - HOUR), "certificate-ended"),
    "not yet begun": ((NOON + HOUR, NOON + YEAR), "certificate-not-yet-valid"),
}


@pytest.mark.parametrize(("validity", "code"), PERIODS.values(), ids=PERIODS)
def test_a_signer_whose_certificate_is_not_valid_then(validity: tuple, code: str) -> None:  # type: ignore[type-arg]  # a pair of moments
    signer = issued(MADE.root, Purpose.DOCUMENT_SIGNER, validity=validity)
    assert named(examine(sealed_with(signer, made_seal(MADE.maker, signer)))) == ("invalid", "validity", code)


@pytest.mark.parametrize("validity", [(NOON - YEAR, NOON - HOUR), (NOON + HOUR, NOON + YEAR)])
def test_a_seal_used_outside_its_validity(validity: tuple) -> None:  # type: ignore[type-arg]  # a pair of moments
    ses = made_seal(MADE.maker, MADE.signer, validity=validity)
    assert named(examine(sealed_with(MADE.signer, ses))) == ("invalid", "validity", "seal-not-valid")


def test_a_root_that_had_ended() -> None:
    root = self_signed(generate_key(Algorithm.SM2_SM3), valid_until=NOON - HOUR)
    signer, maker = issued(root, Purpose.DOCUMENT_SIGNER), issued(root, Purpose.SEAL_MAKER)
    report = examine(sealed_with(signer, made_seal(maker, signer)), TrustStore.of([root.certificate]))
    assert named(report) == ("invalid", "validity", "certificate-ended")


def test_a_certificate_that_ended_after_the_signing_time_does_no_harm() -> None:
    report = verify_file(zipped(sealed()), TRUST, now=NOON + 3 * YEAR)
    assert report.verdict is Verdict.VALID


def test_a_signing_time_in_the_future() -> None:
    report = verify_file(zipped(sealed(sealed_at=NOON)), TRUST, now=NOON - HOUR)
    assert named(report) == ("invalid", "validity", "signed-in-future")


@pytest.mark.parametrize("purpose", [Purpose.JOURNAL, Purpose.SEAL_MAKER, Purpose.AUTHORITY])
def test_a_signer_whose_certificate_is_for_something_else(purpose: Purpose) -> None:
    signer = issued(MADE.root, purpose)
    assert named(examine(sealed_with(signer, made_seal(MADE.maker, signer)))) == (
        "invalid",
        "chain",
        "wrong-purpose",
    )


def test_a_seal_made_by_one_who_may_only_sign() -> None:
    maker = issued(MADE.root, Purpose.DOCUMENT_SIGNER)
    assert named(examine(sealed_with(MADE.signer, made_seal(maker, MADE.signer)))) == (
        "invalid",
        "chain",
        "wrong-purpose",
    )


def test_a_certificate_issued_by_a_leaf_does_not_lead_to_the_root() -> None:
    impostor = issued(MADE.signer, Purpose.DOCUMENT_SIGNER)
    trust = TrustStore.of([MADE.root.certificate], [MADE.signer.certificate])
    assert named(examine(sealed_with(impostor, made_seal(MADE.maker, impostor)), trust)) == (
        "cannot-verify",
        "chain",
        "untrusted",
    )


def test_a_chain_over_an_intermediate_authority() -> None:
    middle = issued(MADE.root, Purpose.AUTHORITY, name="Middle")
    signer = issued(middle, Purpose.DOCUMENT_SIGNER)
    members = sealed_with(signer, made_seal(MADE.maker, signer))
    assert examine(members).verdict is Verdict.CANNOT_VERIFY
    assert (
        examine(members, TrustStore.of([MADE.root.certificate], [middle.certificate])).verdict
        is Verdict.VALID
    )


def test_authorities_nobody_here_trusts() -> None:
    stranger = material(Algorithm.ECDSA_P256_SHA256)
    assert named(examine(sealed(stranger))) == ("cannot-verify", "chain", "untrusted")
    assert named(examine(sealed(), TrustStore())) == ("cannot-verify", "chain", "untrusted")


def test_a_root_of_the_same_name_is_not_the_root() -> None:
    namesake = self_signed(generate_key(Algorithm.SM2_SM3))
    assert named(examine(sealed(), TrustStore.of([namesake.certificate]))) == (
        "cannot-verify",
        "chain",
        "untrusted",
    )


def test_a_signer_the_seal_does_not_list() -> None:
    signer = issued(MADE.root, Purpose.DOCUMENT_SIGNER)
    assert named(examine(sealed_with(signer, MADE.ses))) == ("invalid", "seal-maker", "signer-not-listed")


def test_a_seal_whose_maker_never_signed_it() -> None:
    forged = SoftwareSigner(generate_key(Algorithm.SM2_SM3), MADE.maker.certificate)
    assert named(examine(sealed_with(MADE.signer, made_seal(forged, MADE.signer)))) == (
        "invalid",
        "seal-maker",
        "seal-signature",
    )


def test_a_seal_with_another_picture_under_the_old_signature() -> None:
    other_name = SealDesign(
        name="假冒印章",
        picture_png=small_picture(),
        signer_certificates=[MADE.signer.certificate],
        created=NOON - YEAR,
        valid_from=NOON - YEAR,
        valid_until=NOON + YEAR,
    )
    parts = der.children(der.read_one(MADE.ses.encoding).content)
    info = make_seal(MADE.maker, other_name).info_encoding
    from core.sealing.ses import parse_seal

    forged = parse_seal(der.sequence(info, *(part.encoding for part in parts[1:])))
    assert named(examine(sealed_with(MADE.signer, forged))) == ("invalid", "seal-maker", "seal-signature")


def test_a_maker_that_signed_the_information_alone_is_accepted_and_named() -> None:
    parts = der.children(der.read_one(MADE.ses.encoding).content)
    signature = MADE.maker.sign([MADE.ses.info_encoding])[0]
    from core.sealing.ses import parse_seal

    ses = parse_seal(der.sequence(*(part.encoding for part in parts[:3]), der.bits(signature)))
    report = examine(sealed_with(MADE.signer, ses))
    assert report.verdict is Verdict.VALID
    assert "info alone" in report.result_of(Step.SEAL_MAKER).reason.en


class TestTwoSeals:
    """A second seal is added to a file whose first one left the list open."""

    @staticmethod
    def twice(bend: Bend | None = None) -> Members:
        first = sealed_members(
            document(signatures=2), MADE.signer, MADE.ses, bend=Bend(left_out=[SIGNATURES])
        )
        return sealed_members(first, MADE.signer, MADE.ses, number=1, bend=bend)

    def test_both_are_judged(self) -> None:
        report = examine(self.twice())
        assert report.verdict is Verdict.VALID
        assert [facts.name for facts in report.signatures] == ["1", "2"]
        assert report.unsigned_members == ()

    def test_one_that_is_not_genuine_condemns_the_file(self) -> None:
        members = self.twice(Bend(data_hash=lambda _: bytes(32)))
        assert named(examine(members)) == ("invalid", "signature", "data-hash")

    def test_the_first_one_removed_is_missed_by_the_second(self) -> None:
        members = without(self.twice(), SIGNED_VALUE)
        assert named(examine(members)) == ("invalid", "coverage", "reference-missing")

    def test_values_exchanged_between_the_two_are_noticed(self) -> None:
        members = self.twice()
        second = folder(1) + "SignedValue.dat"
        members[SIGNED_VALUE], members[second] = members[second], members[SIGNED_VALUE]
        assert examine(members).verdict is Verdict.INVALID

    def test_a_second_seal_on_a_closed_file_breaks_the_first(self) -> None:
        closed = sealed()
        members = sealed_members(
            {**closed, SIGNATURES: document(signatures=2)[SIGNATURES]}, MADE.signer, MADE.ses, number=1
        )
        assert named(examine(members)) == ("invalid", "digests", "digest-differs")


@pytest.mark.parametrize(
    "step",
    [
        "_container",
        "_coverage",
        "_digests",
        "_seal_equal",
        "_signature",
        "_seal_maker",
        "_chain",
        "_validity",
    ],
)
def test_a_check_that_breaks_down_lets_nothing_pass(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: object) -> None:
        raise RuntimeError("defect")

    monkeypatch.setattr(ofd_check, step, breaks)
    report = examine(sealed())
    assert report.verdict is Verdict.CANNOT_VERIFY
    assert report.first_failed is not None
    assert report.first_failed.reason.code == "internal"


def test_after_the_first_failure_the_other_steps_say_why_they_were_not_run() -> None:
    report = examine(without(sealed(), PAGE))
    later = report.steps[2:]
    assert {result.outcome for result in later} == {Outcome.NOT_RUN}
    assert {result.reason.en for result in later} == {"not run: step coverage failed"}
    assert all(result.reason.zh for result in report.steps)
