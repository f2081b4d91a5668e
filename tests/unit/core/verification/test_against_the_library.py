"""The steps after security: the licence's state and its data."""

from datetime import date
from typing import Any

import msgspec
import pytest

from contracts.record import Holder, LicenceRecord, Status
from core.errors import Unavailable
from core.ports.library import LibraryStatus
from core.verification.record_data import differences
from core.verification.report import Content, Outcome, Step, Verdict, VerificationReport
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from ofd_material import IDENTIFIER, own_package
from signing_material import material

TRUST = TrustStore.of([material().root.certificate])
RECORD = LicenceRecord(licence_type="11100000MB03271699001", issuer_name="海州县行政审批局")


class Library:
    """A library that knows one licence."""

    def __init__(
        self,
        status: LibraryStatus | None = None,
        record: LicenceRecord | None = RECORD,
        *,
        down: bool = False,
    ) -> None:
        self.status, self.record, self.down = status or LibraryStatus(Status.VALID), record, down
        self.meanings: dict[str, dict[str, set[str]]] = {}
        self.asked: list[str] = []

    def status_of(self, identifier: str) -> LibraryStatus | None:
        self.asked.append(identifier)
        if self.down:
            raise Unavailable("the store is out of reach")
        return self.status if self.record else None

    def record_of(self, identifier: str) -> LicenceRecord | None:
        if self.down:
            raise Unavailable("the store is out of reach")
        return self.record

    def meanings_of(self, licence_type: str) -> dict[str, dict[str, set[str]]]:
        return self.meanings


def verify(library: Library, data: bytes | None = None) -> VerificationReport:
    return verify_file(data or own_package(), TRUST, library=library)


def code(report: VerificationReport) -> str:
    return report.first_failed.reason.code if report.first_failed else ""


def test_a_licence_the_library_holds_as_the_file_states_it_is_valid_in_every_step() -> None:
    library = Library()
    report = verify(library)
    assert report.verdict is Verdict.VALID, report.first_failed
    outcomes = {result.step: result.outcome for result in report.steps}
    assert outcomes[Step.STATUS] is outcomes[Step.DATA] is Outcome.PASSED
    assert library.asked == [IDENTIFIER]


@pytest.mark.parametrize(
    ("library", "step", "expected"),
    [
        (Library(record=None), Step.STATUS, "not-in-library"),
        (Library(LibraryStatus(Status.REVOKED)), Step.STATUS, "status-revoked"),
        (Library(LibraryStatus(Status.SUSPENDED)), Step.STATUS, "status-suspended"),
        (Library(LibraryStatus(Status.VALID, superseded=True)), Step.STATUS, "superseded"),
        (Library(record=msgspec.structs.replace(RECORD, issuer_name="其他机关")), Step.DATA, "data-differs"),
    ],
)
def test_a_genuine_file_of_a_licence_that_does_not_stand(library: Library, step: Step, expected: str) -> None:
    report = verify(library)
    assert report.verdict is Verdict.INVALID
    assert code(report) == expected
    assert report.first_failed == report.result_of(step)
    assert report.result_of(Step.VALIDITY).outcome is Outcome.PASSED


def test_a_library_out_of_reach_leaves_the_question_open() -> None:
    report = verify(Library(down=True))
    assert report.verdict is Verdict.CANNOT_VERIFY
    assert code(report) == "library-unavailable"


def test_a_forged_file_is_not_asked_about() -> None:
    library = Library()
    data = bytearray(own_package())
    data[200] ^= 1
    assert verify(library, bytes(data)).verdict is Verdict.INVALID
    assert library.asked == []


@pytest.mark.parametrize(
    ("change", "metadata", "face", "expected"),
    [
        ({}, {"ZZBFRQ": "20261123"}, {"ZZBFRQ": "2026年11月23日"}, []),
        ({}, {"ZZBFRQ": "2026-11-23"}, {"ZZBFRQ": "二〇二六年十一月二十三日"}, []),
        ({}, {"ZZBFRQ": "20261124"}, {}, ["ZZBFRQ"]),
        ({}, {}, {"ZZBFRQ": "2026年11月24日"}, ["ZZBFRQ"]),
        ({}, {"CZZT": "甲、乙", "CZZTDM": "1、2"}, {"CZZT": "甲、乙"}, []),
        ({}, {"CZZT": "甲"}, {}, ["CZZT"]),
        ({"long_term": True}, {"ZZYXQJZRQ": "长期"}, {"ZZYXQJZRQ": "2026年11月23日 至 长期"}, []),
        ({"items": {"KZ_X": "文字 多"}}, {"KZ_X": "文字多"}, {"KZ_X": "文字多"}, []),
        ({"items": {"KZ_X": "文字"}}, {}, {"KZ_X": "文"}, ["KZ_X"]),
        ({"items": {"KZ_D": "2019-03-08"}}, {}, {"KZ_D": "2019年03月08日"}, []),
        ({"items": {"KZ_L": [{"A": 1}]}}, {"KZ_L": '[{"A":1}]'}, {"KZ_L": "anything"}, []),
        ({"items": {"KZ_L": [{"A": 1}]}}, {"KZ_L": '[{"A":2}]'}, {}, ["KZ_L"]),
        ({}, {}, {}, []),
    ],
)
def test_metadata_and_drawn_text_are_compared_with_the_record(
    change: dict[str, Any], metadata: dict[str, str], face: dict[str, str], expected: list[str]
) -> None:
    holders = (Holder(name="甲", code="1"), Holder(name="乙", code="2"))
    record = LicenceRecord(licence_type="T", holders=holders, issued_on=date(2026, 11, 23))
    changed = msgspec.structs.replace(record, **change)
    assert differences(Content(metadata, face), changed, {}) == expected


MEANINGS = {"KZ_LB": {"1": {"普通", "一般"}, "10": {"特殊"}}}


@pytest.mark.parametrize(
    ("metadata", "face", "expected"),
    [
        ({"KZ_LB": "1"}, {"KZ_LB": "普通"}, []),
        ({"KZ_LB": "1"}, {"KZ_LB": "一般"}, []),
        ({"KZ_LB": "1"}, {"KZ_LB": "1"}, []),
        ({"KZ_LB": "普 通"}, {}, []),
        ({"KZ_LB": "1"}, {"KZ_LB": "特殊"}, ["KZ_LB"]),
        ({"KZ_LB": "1"}, {"KZ_LB": "10"}, ["KZ_LB"]),
        ({"KZ_LB": "10"}, {"KZ_LB": "普通"}, ["KZ_LB"]),
    ],
)
def test_a_code_agrees_with_every_text_it_has_had_and_with_no_other(
    metadata: dict[str, str], face: dict[str, str], expected: list[str]
) -> None:
    record = LicenceRecord(licence_type="T", items={"KZ_LB": "1"})
    assert differences(Content(metadata, face), record, MEANINGS) == expected
