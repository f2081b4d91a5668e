"""Errors as RFC 9457 problem objects, in the caller's language: what, where, which value, what to do."""

import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from contracts.fault import Fault
from contracts.record import Language
from core.errors import ContractError, HubError, InternalError, NotFound, Refused, Throttled, TransientError

Headers = list[tuple[bytes, bytes]]

MEDIA_TYPE = b"application/problem+json"

_QUALITY = re.compile(r"\s*([A-Za-z*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*$")

_REMEDIES = {
    400: ("Correct the request as /openapi.json describes it.", "请按 /openapi.json 的说明更正请求。"),
    401: ("Send a credential as /openapi.json describes it.", "请按 /openapi.json 的说明提供凭证。"),
    403: ("Ask the hub's operator for the right.", "请向运维人员申请权限。"),
    404: (
        "Check the name in the path; what the caller has no right to is answered like this, too.",
        "请检查路径中的名称；无权查看的对象也以此答复。",
    ),
    405: ("Use a method that /openapi.json names for this path.", "请使用 /openapi.json 中该路径的方法。"),
    429: (
        "Send the same request again after the seconds in Retry-After.",
        "请在 Retry-After 所示秒数后重新发送同一请求。",
    ),
    500: ("Tell the hub's operator the request_id.", "请将 request_id 告知运维人员。"),
    503: (
        "Send the same request again after the seconds in Retry-After.",
        "请在 Retry-After 所示秒数后重新发送同一请求。",
    ),
}
"""What to do where no finding says it, by status."""


class Reply(NamedTuple):
    """A response with its body whole."""

    status: int
    body: bytes
    headers: Headers


def language(accept_language: str) -> Language:
    """The better liked of English and Chinese; English without a preference (RFC 9110 section 12.5.4)."""
    best: dict[str, float] = {"en": 0.0, "zh": 0.0}
    for part in accept_language.split(","):
        if found := _QUALITY.fullmatch(part):
            tag, quality = found[1].lower().partition("-")[0], float(found[2] or 1)
            if tag in best:
                best[tag] = max(best[tag], quality)
    return "zh-CN" if best["zh"] > best["en"] else "en"


def json_reply(status: int, value: Any, headers: Headers | None = None) -> Reply:
    """A JSON response."""
    return Reply(status, orjson.dumps(value), [(b"content-type", b"application/json"), *(headers or [])])


def fault_json(fault: Fault, tongue: Language) -> dict[str, Any]:
    """A finding as one element of ``errors``: ``pointer`` into the body, or ``header`` when it is about a header."""
    chinese = tongue == "zh-CN"
    in_body = not fault.pointer or fault.pointer.startswith("/")
    place = {"pointer": fault.pointer} if in_body else {"pointer": "", "header": fault.pointer}
    return {
        **place,
        "rule": fault.rule,
        "value": fault.value,
        "detail": fault.message_zh if chinese else fault.message,
        "remedy": fault.remedy_zh if chinese else fault.remedy,
    }


def problem(
    status: int,
    code: str,
    title: str,
    request_id: str,
    tongue: Language,
    *,
    errors: Iterable[dict[str, Any]] = (),
    **more: Any,
) -> Reply:
    """A problem response; ``more`` are further members of the object. Without findings the problem itself is the one."""
    body = {
        "type": f"urn:licence-hub:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "request_id": request_id,
        "errors": list(errors) or [_unfounded(status, code, title, tongue)],
        **more,
    }
    headers = [(b"content-type", MEDIA_TYPE), (b"content-language", tongue.encode())]
    return Reply(status, orjson.dumps(body), headers)


def _unfounded(status: int, code: str, title: str, tongue: Language) -> dict[str, Any]:
    """A problem without findings as its own finding."""
    english, chinese = _REMEDIES.get(status, _REMEDIES[400])
    remedy = chinese if tongue == "zh-CN" else english
    return {"pointer": "", "rule": code, "value": None, "detail": title, "remedy": remedy}


def refusal(error: HubError, request_id: str, tongue: Language) -> Reply:
    """The problem that an error of the hub becomes; an internal one shows nothing but its request id."""
    status = status_of(error)
    if isinstance(error, InternalError):
        return internal(request_id, tongue)
    title = error.summary_zh if tongue == "zh-CN" else error.summary
    reply = problem(
        status, error.code, title, request_id, tongue, errors=[fault_json(f, tongue) for f in _faults(error)]
    )
    if isinstance(error, TransientError):
        reply.headers.append((b"retry-after", str(max(1, math.ceil(error.retry_after_s))).encode()))
    if status == 401:
        reply.headers.append((b"www-authenticate", b'Bearer realm="licence-hub"'))
    return reply


def internal(request_id: str, tongue: Language) -> Reply:
    """The answer to a defect: an id to ask with, no inner detail."""
    title = "平台内部错误" if tongue == "zh-CN" else "The hub met an internal error"
    return problem(500, "internal", title, request_id, tongue)


def status_of(error: HubError) -> int:
    """The HTTP status an error stands for."""
    if isinstance(error, Refused):
        return error.status
    for kind, status in ((ContractError, 422), (Throttled, 429), (TransientError, 503), (NotFound, 404)):
        if isinstance(error, kind):
            return status
    return 500


def _faults(error: HubError) -> list[Fault]:
    if isinstance(error, ContractError):
        return error.faults
    if isinstance(error, Refused) and error.fault is not None:
        return [error.fault]
    return []
