"""``POST /v1/verifications``: a package file or a statement in, the report of the steps out."""

from collections.abc import AsyncGenerator

import msgspec
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from adapters.api.calls import Api, checked, head_of, parameters, response
from adapters.decoding import parse_record
from adapters.http.problems import json_reply
from contracts.fault import Fault, Rule
from core.access import Action, authorise
from core.errors import Refused
from core.verification.statement import identifier_in

NO_FILE = Rule(
    code="verification.no-file",
    en="the request carries no file",
    zh="请求中没有文件",
    remedy_en="Send the file as the body (application/octet-stream), or as a part of multipart/form-data.",
    remedy_zh="请将文件作为正文（application/octet-stream）发送，或作为 multipart/form-data 的一部分。",
)
NO_STATEMENT = Rule(
    code="verification.no-statement",
    en="the JSON body states nothing that can be verified ({why})",
    zh="JSON 正文不是可核验的陈述（{why}）",
    remedy_en="Send identifier (or qr, the text of the QR code) and items: texts by metadata code.",
    remedy_zh="请发送 identifier（或二维码文本 qr）及 items：以元数据代码为键的文本。",
)


class Verifications:
    """The route."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def verify(self, request: Request) -> Response:
        """A file, or (as JSON) a statement: an identifier with items, or the text of a QR code."""
        parameters(request)
        principal, body = await self._api.caller_with_body(request)
        try:
            authorise(principal, Action.VERIFY)
            content, media = body.read(), head_of(request).value(b"content-type")
        finally:
            body.close()
        services = self._api.services
        if media.partition(";")[0].strip().lower() == "application/json":
            statement = stated(content)
            report = await self._api.reader.run(
                services.verify_statement, statement.identifier, statement.items
            )
        else:
            report = await self._api.reader.run(services.verify, await uploaded(media, content))
        return response(json_reply(200, dict(report)))


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody states of a licence without its file."""

    identifier: str = ""
    """National identifier (证照标识)."""
    qr: str = ""
    """Text of a QR code that holds the identifier; instead of ``identifier``."""
    items: dict[str, str] = {}
    """Metadata texts by code (``ZZMC``, ``CZZT``, ``KZ_…``)."""


def stated(content: bytes) -> Statement:
    """The statement of a JSON body, its identifier found; raises ``Refused`` (400)."""
    parsed = parse_record(content)
    if isinstance(parsed, Fault):
        raise Refused.by(parsed, status=400)
    try:
        statement = msgspec.convert(parsed, Statement)
    except msgspec.ValidationError as error:
        raise Refused.by(NO_STATEMENT.at("", why=str(error)), status=400) from error
    if bool(statement.identifier) == bool(statement.qr):
        raise Refused.by(NO_STATEMENT.at("", why="identifier or qr"), status=400)
    identifier = checked("identifier", statement.identifier, "/identifier") or identifier_in(statement.qr)
    return Statement(identifier=identifier, items=statement.items)


async def uploaded(content_type: str, content: bytes) -> bytes:
    """The file of an upload: the body itself, or the first file of a form (RFC 7578); raises ``Refused`` (400) without one."""
    is_form = content_type.lower().startswith("multipart/form-data")
    data = await _first_file(content_type, content) if is_form else content
    if not data:
        raise Refused.by(NO_FILE.at(""), status=400)
    return data


async def _first_file(content_type: str, content: bytes) -> bytes:
    """Empty when the form has no file, or cannot be taken apart."""

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield content

    try:
        form = await MultiPartParser(Headers({"content-type": content_type}), pieces()).parse()
    except MultiPartException:
        return b""
    try:
        files = [part for _name, part in form.multi_items() if isinstance(part, UploadFile)]
        return await files[0].read() if files else b""
    finally:
        await form.close()
