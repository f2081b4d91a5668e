"""The steps after security: the licence's state in the library, and its data against the library and against what is drawn."""

from contracts.record import LicenceRecord, Status
from core.errors import TransientError
from core.ports.library import LibraryLookup
from core.verification.finding import Broken, Undecided
from core.verification.proceedings import NotApplicable, Proceedings, passed
from core.verification.record_data import Meanings, differences, unknown_codes
from core.verification.report import Content, Reason, Step

_NAMED = 10
"""Codes named in a reason."""


def examine(content: Content, library: LibraryLookup | None, proceedings: Proceedings) -> None:
    """Takes the content of a file through status and data; both are not run without a library."""
    proceedings.take(Step.STATUS, lambda: _status(content, library))
    proceedings.take(Step.DATA, lambda: _data(content, library))


def examine_statement(content: Content, library: LibraryLookup, proceedings: Proceedings) -> None:
    """Takes what somebody states through status and data; a code the library's record does not have is a difference."""
    proceedings.take(Step.STATUS, lambda: _status(content, library))
    proceedings.take(Step.DATA, lambda: _stated_data(content, library))


def _status(content: Content, library: LibraryLookup | None) -> Reason:
    asked = _reachable(content, library)
    try:
        found = asked.status_of(content.identifier)
    except TransientError as error:
        raise _out_of_reach() from error
    if found is None:
        raise Broken("not-in-library", "the library does not know this licence", "证照库中没有该证照")
    if found.superseded:
        raise Broken("superseded", "a newer version of this licence has been issued", "该证照已有新版本")
    if found.status is not Status.VALID:
        raise Broken(
            f"status-{found.status.value}",
            f"the licence is {found.status.value}",
            f"证照状态为 {found.status.value}",
        )
    return passed("the library holds this licence as valid", "证照库中该证照有效")


def _data(content: Content, library: LibraryLookup | None) -> Reason:
    record, meanings = _held(content, _reachable(content, library))
    if differing := ", ".join(differences(content, record, meanings)[:_NAMED]):
        raise Broken(
            "data-differs",
            f"the file and the library differ in {differing}",
            f"文件与证照库数据不一致：{differing}",
        )
    return passed("metadata, drawn text and library agree", "元数据、版面文字与证照库一致")


def _stated_data(content: Content, library: LibraryLookup) -> Reason:
    if set(content.metadata) <= {"ZZBS"}:
        raise NotApplicable("no-items", "no items were stated", "未陈述任何照面信息")
    record, meanings = _held(content, _reachable(content, library))
    found = differences(content, record, meanings) + unknown_codes(content, record)
    if differing := ", ".join(found[:_NAMED]):
        raise Broken(
            "data-differs",
            f"what is stated and the library differ in {differing}",
            f"陈述信息与证照库数据不一致：{differing}",
        )
    return passed("what is stated agrees with the library", "陈述信息与证照库一致")


def _held(content: Content, asked: LibraryLookup) -> tuple[LicenceRecord, Meanings]:
    """The library's record, and the texts that its codes have had."""
    try:
        record = asked.record_of(content.identifier)
        meanings = asked.meanings_of(record.licence_type) if record else {}
    except TransientError as error:
        raise _out_of_reach() from error
    if record is None:
        raise Broken("not-in-library", "the library does not know this licence", "证照库中没有该证照")
    return record, meanings


def _reachable(content: Content, library: LibraryLookup | None) -> LibraryLookup:
    if library is None:
        raise NotApplicable("offline", "no library was asked", "离线验证，未查询证照库")
    if not content.identifier:
        raise Undecided("no-identifier", "the file names no licence", "文件中没有证照标识")
    return library


def _out_of_reach() -> Undecided:
    return Undecided("library-unavailable", "the library is out of reach", "证照库暂不可用")
