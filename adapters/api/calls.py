"""What the routes share: who calls, with which body, and how values are read from a query."""

import hashlib
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from adapters.api.services import GatewayServices
from adapters.http.body import Body, read_body
from adapters.http.problems import Reply
from adapters.http.reading import Reader
from adapters.http.request import Head, verify
from adapters.rest.push import body_limits, check_digest
from contracts.fault import Rule
from contracts.text import escaped, forbidden_character
from core.access import Principal, refusals
from core.errors import NotFound, Refused

PAGE_LIMIT = 100
LARGEST_PAGE = 500

PARAMETER = Rule(
    code="http.parameter",
    en="parameter {name!r} must be {expected}",
    zh="参数 {name!r} 应为 {expected}",
    remedy_en="See /openapi.json for the parameters of this route.",
    remedy_zh="请参阅 /openapi.json 中该路径的参数。",
)
UNKNOWN_PARAMETER = Rule(
    code="http.unknown-parameter",
    en="there is no query parameter {name!r} here; known: {known}",
    zh="此处没有查询参数 {name!r}；可用：{known}",
    remedy_en="Remove or correct it: a filter that is not understood is never ignored.",
    remedy_zh="请删除或更正：无法识别的过滤条件不会被忽略。",
)
FORBIDDEN_CHARACTER = Rule(
    code="http.forbidden-character",
    en="{name!r} holds a control character, a direction mark or a half character, or is no UTF-8: nothing here is called so",
    zh="{name!r} 含有控制字符、方向标记或半个字符，或不是 UTF-8：此处不存在这样的名称",
    remedy_en="Send plain text; in a query each byte of its UTF-8 as %XX.",
    remedy_zh="请发送普通文本；查询参数请以 %XX 形式书写其 UTF-8 字节。",
)


class Api:
    """The services with the threads the routes read through."""

    def __init__(self, services: GatewayServices) -> None:
        self.services = services
        self.reader = Reader(services.gateway.query_threads, services.gateway.query_timeout_s)

    async def caller(self, request: Request) -> Principal:
        """The caller of a request without a body; raises ``Refused``."""
        verified = verify(head_of(request), self.services.authenticator)
        if verified.content_sha256 not in {None, _NOTHING}:
            raise Refused.by(refusals.CONTENT_DIGEST.at("X-Content-SHA256"), status=400)
        await self._admit(verified.principal, verified.nonce)
        return verified.principal

    async def caller_with_body(self, request: Request) -> tuple[Principal, Body]:
        """The caller and the body that was signed; the body is the caller's to close."""
        head = head_of(request)
        verified = verify(head, self.services.authenticator)
        body = await read_body(request.receive, head, body_limits(self.services.gateway))
        try:
            check_digest(verified, body)
            await self._admit(verified.principal, verified.nonce)
        except BaseException:
            body.close()
            raise
        return verified.principal, body

    async def _admit(self, principal: Principal, nonce: str) -> None:
        if nonce:
            await self.services.intake.admit_nonce(principal.client, nonce)


_NOTHING = hashlib.sha256(b"").digest()


def head_of(request: Request) -> Head:
    """The head the gate has read."""
    head: Head = request.scope["state"]["head"]
    return head


def response(reply: Reply) -> Response:
    """A reply as Starlette sends it."""
    made = Response(reply.body, reply.status)
    made.raw_headers.extend(reply.headers)
    return made


def parameters(request: Request, *known: str) -> dict[str, str]:
    """The query parameters, fit to ask the store for, as then are those of the path.

    Raises ``Refused`` (400) for one that is not known, appears twice or holds a character that no stored text holds, and
    ``NotFound`` for such a path: databases differ in what they make of one.
    """
    for value in request.path_params.values():
        if forbidden_character(value) is not None:
            raise NotFound(f"nothing is called {escaped(value)}", f"不存在 {escaped(value)}")
    found: dict[str, str] = {}
    for name, value in _sent(request):
        if name not in known:
            raise Refused.by(UNKNOWN_PARAMETER.at("", name=name, known=", ".join(known) or "-"), status=400)
        if name in found:
            raise wrong(name, "given once")
        found[name] = checked(name, value)
    return found


def _sent(request: Request) -> list[tuple[str, str]]:
    """Names and values of the query; bytes that are no UTF-8 become half characters, which ``checked`` refuses."""
    query = request.scope["query_string"].decode("utf-8", "surrogateescape")
    return parse_qsl(query, keep_blank_values=True, errors="surrogateescape")


def checked(name: str, text: str, pointer: str = "") -> str:
    """``text``; raises ``Refused`` (400) when it holds a character that no stored text holds."""
    if forbidden_character(text) is not None:
        raise Refused.by(FORBIDDEN_CHARACTER.at(pointer, escaped(text), name=name), status=400)
    return text


def limit_of(found: dict[str, str]) -> int:
    """``limit`` of a page."""
    text = found.get("limit", str(PAGE_LIMIT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= LARGEST_PAGE):
        raise wrong("limit", f"a number from 1 to {LARGEST_PAGE}")
    return int(text)


def date_of(found: dict[str, str], name: str) -> date | None:
    """A date parameter, None when it was not given."""
    text = found.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise wrong(name, "a date like 2026-01-31") from None


def uuid_of(text: str, name: str) -> UUID:
    """A UUID from a path or query."""
    try:
        return UUID(text)
    except ValueError:
        raise wrong(name, "a UUID") from None


def wrong(name: str, expected: str) -> Refused:
    """The refusal of a parameter's form."""
    return Refused.by(PARAMETER.at("", name=name, expected=expected), status=400)


def moment(at_ms: int) -> str:
    """Unix milliseconds as RFC 3339 in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Json = dict[str, Any]
