"""The hub's own packages are accepted in one form alone."""

import io
import zipfile

import pytest

from core.ports.signer import Algorithm
from core.verification.canonical import canonical_faults
from core.verification.report import Step, Verdict
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from ofd_material import (
    PAGE,
    SIGNATURE,
    SIGNED_VALUE,
    canonically_zipped,
    own_package,
    sealed,
    unzipped,
    zipped,
)
from signing_material import material

TRUST = TrustStore.of([material().root.certificate])
FLIPS = (0x01, 0x80, 0xFF)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_an_own_package_is_valid_and_known_as_own(algorithm: Algorithm) -> None:
    made = material(algorithm)
    report = verify_file(own_package(made), TrustStore.of([made.root.certificate]))
    assert report.verdict is Verdict.VALID, report.first_failed
    assert report.own
    assert report.unsigned_members == ()
    assert report.uncovered == ()


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", [Algorithm.SM2_SM3, Algorithm.ECDSA_P256_SHA256])
def test_every_byte_changed_in_three_ways_is_refused(algorithm: Algorithm) -> None:
    made = material(algorithm)
    trust = TrustStore.of([made.root.certificate])
    data = own_package(made)
    assert len(data) < 30_000
    assert accepted_changes(data, trust, range(len(data))) == []


def test_bytes_of_every_region_changed_in_three_ways_are_refused() -> None:
    data = own_package()
    assert accepted_changes(data, TRUST, range(0, len(data), 41)) == []


def accepted_changes(data: bytes, trust: TrustStore, positions: range) -> list[tuple[int, int]]:
    accepted = []
    for position in positions:
        for flip in FLIPS:
            changed = bytearray(data)
            changed[position] ^= flip
            if verify_file(bytes(changed), trust).verdict is Verdict.VALID:
                accepted.append((position, flip))
    return accepted


def test_the_same_content_deflated_another_way_is_refused() -> None:
    members = unzipped(own_package())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    report = verify_file(out.getvalue(), TRUST)
    assert (report.verdict, report.own) == (Verdict.INVALID, True)
    assert report.first_failed is not None
    assert report.first_failed.step is Step.CONTAINER


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (lambda data: data + b"\0", {"canonical.directory"}),
        (lambda data: b"\0" + data, {"canonical.member", "canonical.last"}),
        (lambda data: data[:-2] + b"\x01\x00" + b"c", {"canonical.directory"}),
        (lambda data: canonically_zipped(dict(reversed(unzipped(data).items()))), {"canonical.last"}),
        (
            lambda data: canonically_zipped({"extra.txt": b"x", **unzipped(data)}),
            {"canonical.container-digest"},
        ),
        (lambda data: canonically_zipped(without(unzipped(data), PAGE)), {"canonical.container-digest"}),
        (lambda data: canonically_zipped(without(unzipped(data), SIGNED_VALUE)), {"canonical.last"}),
        (lambda data: zipped(unzipped(data)), {"canonical.member", "canonical.last"}),
        (
            lambda data: canonically_zipped(
                {**unzipped(data), SIGNED_VALUE: with_timestamp(unzipped(data)[SIGNED_VALUE])}
            ),
            {"canonical.signed-value"},
        ),
        (lambda _: canonically_zipped(sealed()), {"canonical.container-digest"}),
        (lambda _: b"", {"canonical.member", "canonical.last"}),
    ],
)
def test_each_rule_names_its_fault(change: object, rules: set[str]) -> None:
    assert callable(change)
    assert {fault.rule for fault in canonical_faults(change(own_package()))} == rules
    assert canonical_faults(own_package()) == []


def without(members: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {key: value for key, value in members.items() if key != name}


def with_timestamp(value: bytes) -> bytes:
    """A fifth element, which no signature covers."""
    from core.gm import der

    return der.sequence(der.read_one(value).content, der.explicit(0, der.bits(b"x")))


def test_every_signature_file_is_stored_as_it_is() -> None:
    data = own_package()
    for name in (SIGNATURE, SIGNED_VALUE):
        assert unzipped(data)[name] in data
