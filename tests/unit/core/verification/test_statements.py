import pytest

from contracts.record import LicenceRecord, Status
from core.errors import Refused, Unavailable
from core.ports.library import LibraryStatus
from core.verification.report import SECURITY_STEPS, Outcome, Step, Verdict
from core.verification.statement import identifier_in, verify_statement
from ofd_material import IDENTIFIER

RECORD = LicenceRecord(
    licence_type="11100000MB03271699001", issuer_name="海州县行政审批局", items={"KZ_A": "甲"}
)


class Library:
    def __init__(self, status: Status = Status.VALID, *, down: bool = False) -> None:
        self.status, self.down = status, down

    def status_of(self, identifier: str) -> LibraryStatus | None:
        if self.down:
            raise Unavailable("out of reach")
        return LibraryStatus(self.status) if identifier == IDENTIFIER else None

    def record_of(self, identifier: str) -> LicenceRecord | None:
        return RECORD if identifier == IDENTIFIER else None

    def meanings_of(self, licence_type: str) -> dict[str, dict[str, set[str]]]:
        return {"KZ_A": {"甲": {"甲级"}}}


@pytest.mark.parametrize(
    ("identifier", "items", "library", "verdict", "code"),
    [
        (IDENTIFIER, {}, Library(), Verdict.VALID, ""),
        (IDENTIFIER, {"ZZBFJG": "海州县行政审批局", "KZ_A": "甲"}, Library(), Verdict.VALID, ""),
        (IDENTIFIER, {"KZ_A": "甲级"}, Library(), Verdict.VALID, ""),
        (IDENTIFIER, {"KZ_A": "乙"}, Library(), Verdict.INVALID, "data-differs"),
        (IDENTIFIER, {"KZ_B": "甲"}, Library(), Verdict.INVALID, "data-differs"),
        (IDENTIFIER + "0", {}, Library(), Verdict.INVALID, "not-in-library"),
        (IDENTIFIER, {}, Library(Status.REVOKED), Verdict.INVALID, "status-revoked"),
        (IDENTIFIER, {}, Library(down=True), Verdict.CANNOT_VERIFY, "library-unavailable"),
        ("", {}, Library(), Verdict.CANNOT_VERIFY, "no-identifier"),
    ],
)
def test_a_statement_is_as_good_as_the_library_says(
    identifier: str, items: dict[str, str], library: Library, verdict: Verdict, code: str
) -> None:
    report = verify_statement(identifier, items, library)
    assert report.verdict is verdict
    assert (report.first_failed.reason.code if report.first_failed else "") == code
    assert {report.result_of(step).outcome for step in SECURITY_STEPS} == {Outcome.NOT_RUN}


def test_without_items_nothing_is_said_to_agree() -> None:
    data = verify_statement(IDENTIFIER, {}, Library()).result_of(Step.DATA)
    assert (data.outcome, data.reason.code) == (Outcome.NOT_RUN, "no-items")
    assert (
        verify_statement(IDENTIFIER, {"KZ_A": "甲"}, Library()).result_of(Step.DATA).outcome is Outcome.PASSED
    )


@pytest.mark.parametrize(
    "text", [IDENTIFIER, f"https://example.gov.cn/q?id={IDENTIFIER}", f"证照标识:{IDENTIFIER}\n"]
)
def test_the_identifier_is_found_in_the_text_of_a_code(text: str) -> None:
    assert identifier_in(text) == IDENTIFIER


@pytest.mark.parametrize(
    "text", ["", "1.2.156.3005.2.X", IDENTIFIER + " " + IDENTIFIER[:-1] + "W", "9" * 5000]
)
def test_a_text_without_one_identifier_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        identifier_in(text)
    assert caught.value.status == 400
