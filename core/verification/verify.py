"""Verification of a file: security steps on its own bytes, then status and data in the library where one can be asked."""

from datetime import UTC, datetime

from core.ports.library import LibraryLookup
from core.verification import library_check, ofd_check, pdf_check
from core.verification.content import content_of
from core.verification.finding import Broken
from core.verification.limits import DEFAULT, Limits
from core.verification.ofd_check import OfdCase
from core.verification.pdf_check import PdfCase
from core.verification.pdf_content import pdf_content_of
from core.verification.proceedings import Proceedings
from core.verification.report import SECURITY_STEPS, Content, Reason, VerificationReport
from core.verification.trust import TrustStore

_ZIP, _PDF = b"PK\x03\x04", b"%PDF-"
_BLANKS, _LATEST_HEADER = b"\0\t\n\f\r ", 1024
"""Readers of PDF look for its header in the first 1 024 bytes; blanks alone may stand before it here."""


def verify_file(
    data: bytes,
    trust: TrustStore,
    *,
    library: LibraryLookup | None = None,
    now: datetime | None = None,
    limits: Limits = DEFAULT,
) -> VerificationReport:
    """The report on ``data``, whoever made it; never raises for what the file contains.

    ``now`` (aware) only decides what lies in the future. Without ``library`` the steps status and data are not run.
    """
    moment = now or datetime.now(UTC)
    if data.startswith(_ZIP):
        return _verify_ofd(OfdCase(data, trust, moment, limits), library)
    if data[:_LATEST_HEADER].lstrip(_BLANKS).startswith(_PDF):
        return _verify_pdf(PdfCase(data, trust, moment, limits), library)
    return _unknown(library)


def _verify_ofd(case: OfdCase, library: LibraryLookup | None) -> VerificationReport:
    proceedings = Proceedings()
    ofd_check.examine(case, proceedings)
    content = content_of(case.container) if case.container else Content()
    library_check.examine(content, library, proceedings)
    return VerificationReport(
        form="ofd",
        own=case.own,
        steps=tuple(proceedings.results),
        signatures=ofd_check.facts_of(case),
        unsigned_members=ofd_check.unsigned_members(case),
        uncovered=case.container.uncovered if case.container else (),
        content=content,
    )


def _verify_pdf(case: PdfCase, library: LibraryLookup | None) -> VerificationReport:
    proceedings = Proceedings()
    pdf_check.examine(case, proceedings)
    content = pdf_content_of(case.data, case.limits)
    library_check.examine(content, library, proceedings)
    return VerificationReport(
        form="pdf",
        own=case.own,
        steps=tuple(proceedings.results),
        signatures=pdf_check.facts_of(case),
        uncovered=pdf_check.uncovered(case),
        content=content,
    )


def _unknown(library: LibraryLookup | None) -> VerificationReport:
    proceedings = Proceedings()

    def refuse() -> Reason:
        raise Broken("unknown-form", "the file is neither an OFD nor a PDF", "文件既不是 OFD 也不是 PDF")

    for step in SECURITY_STEPS:
        proceedings.take(step, refuse)
    library_check.examine(Content(), library, proceedings)
    return VerificationReport(form="unknown", own=False, steps=tuple(proceedings.results))
