"""Judging another library's sealed original (source class E): only one that verifies, and says what the record says, is kept."""

import msgspec

from contracts.record import ELEMENT_CODES, LicenceRecord
from core.packaging.values import FILE_NUMBER_CODE
from core.verification.record_data import Meanings, differences
from core.verification.report import Verdict, VerificationReport

_IDENTIFIER = ELEMENT_CODES["identifier"]
_NAMED = 10
"""Codes that differ named in a reason."""


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """What a genuine original says of itself."""

    form: str
    """``ofd`` or ``pdf``, by its content."""
    algorithm: str
    """Of its own first signature."""
    key_id: str
    file_number: str
    """文件编号 its library gave it; empty where it states none."""


class NotKept(msgspec.Struct, frozen=True):
    """Why an original may not stand for its licence."""

    reason: str


def judged(
    report: VerificationReport, record: LicenceRecord, identifier: str, meanings: Meanings
) -> Original | NotKept:
    """The judgement on an original from its verification report (security alone, no library asked) and its record.

    ``identifier`` is the one the library knows the licence by; what the file states of itself must be the record's.
    """
    if report.verdict is not Verdict.VALID:
        return NotKept(f"the original is not accepted: {_first_failed(report)}")
    content = report.content
    differing = differences(content, record, meanings)
    if content.identifier not in ("", identifier):
        differing.insert(0, _IDENTIFIER)
    if differing:
        codes = ", ".join(differing[:_NAMED])
        return NotKept(f"the original and the record differ in {codes} (原件与报送数据不一致)")
    signature = report.signatures[0]
    return Original(
        form=report.form,
        algorithm=signature.algorithm,
        key_id=signature.key_id,
        file_number=content.metadata.get(FILE_NUMBER_CODE, ""),
    )


def _first_failed(report: VerificationReport) -> str:
    result = report.first_failed
    if result is None:
        return report.verdict.value
    said = result.reason
    return f"{report.verdict.value}, {result.step.value}: {said.code}: {said.en} ({said.zh})"
