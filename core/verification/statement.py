"""Verification without a file: what somebody states of a licence (identifier and items, or the text of its QR code)."""

import re
from collections.abc import Mapping

from core.errors import Refused
from core.ports.library import LibraryLookup
from core.verification import library_check
from core.verification.proceedings import NotApplicable, Proceedings
from core.verification.report import SECURITY_STEPS, STATEMENT, Content, Reason, VerificationReport

_IDENTIFIER = re.compile(
    r"1\.2\.156\.3005\.2\.[0-9A-Z]{1,64}\.[0-9A-Z]{1,64}\.[0-9A-Z]{1,64}\.[0-9]{1,6}\.[0-9A-Z](?![0-9A-Z.])"
)


def verify_statement(identifier: str, items: Mapping[str, str], library: LibraryLookup) -> VerificationReport:
    """The report on a statement: valid when the library holds the licence as valid and every item given is its own.

    ``items`` are metadata texts by code (``ZZMC``, ``KZ_…``); a code the library does not have is a difference. The security
    steps are not run: a statement carries no signature. Without items the data step is not run.
    """
    proceedings = Proceedings()
    for step in SECURITY_STEPS:
        proceedings.take(step, _no_file)
    content = Content({**items, "ZZBS": identifier})
    library_check.examine_statement(content, library, proceedings)
    return VerificationReport(form=STATEMENT, own=False, steps=tuple(proceedings.results), content=content)


def identifier_in(text: str) -> str:
    """The one national identifier in the text of a QR code; raises ``Refused`` (400) when there is none, or several."""
    found: set[str] = set(_IDENTIFIER.findall(text))
    if len(found) != 1:
        raise Refused(
            "no-identifier",
            "the text holds no licence identifier, or several",
            status=400,
            summary_zh="文本中没有证照标识，或有多个证照标识",
        )
    return found.pop()


def _no_file() -> Reason:
    raise NotApplicable("no-file", "a statement carries no signature", "陈述信息不带签名")
