"""The steps after security: the licence's state in the library, and its data against the library and against what is drawn."""

from contracts.record import Status
from core.errors import TransientError
from core.ports.library import LibraryLookup
from core.verification.finding import Broken, Undecided
from core.verification.proceedings import NotApplicable, Proceedings, passed
from core.verification.record_data import differences, unknown_codes
from core.verification.report import Content, Reason, Step


def examine(
    content: Content, library: LibraryLookup | None, proceedings: Proceedings, *, every_item: bool = False
) -> None:
    """Takes the content through status and data; both are not run without a library.

    With ``every_item`` a code the library's record does not have is a difference too.
    """
    proceedings.take(Step.STATUS, lambda: _status(content, library))
    proceedings.take(Step.DATA, lambda: _data(content, library, every_item=every_item))


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


def _data(content: Content, library: LibraryLookup | None, *, every_item: bool) -> Reason:
    asked = _reachable(content, library)
    try:
        record = asked.record_of(content.identifier)
    except TransientError as error:
        raise _out_of_reach() from error
    if record is None:
        raise Broken("not-in-library", "the library does not know this licence", "证照库中没有该证照")
    differing = differences(content, record) + (unknown_codes(content, record) if every_item else [])
    if differing:
        codes = ", ".join(differing[:10])
        raise Broken(
            "data-differs", f"the file and the library differ in {codes}", f"文件与证照库数据不一致：{codes}"
        )
    return passed("metadata, drawn text and library agree", "元数据、版面文字与证照库一致")


def _reachable(content: Content, library: LibraryLookup | None) -> LibraryLookup:
    if library is None:
        raise NotApplicable("offline", "no library was asked", "离线验证，未查询证照库")
    if not content.identifier:
        raise Undecided("no-identifier", "the file names no licence", "文件中没有证照标识")
    return library


def _out_of_reach() -> Undecided:
    return Undecided("library-unavailable", "the library is out of reach", "证照库暂不可用")
