"""``POST /v1/verifications``: a package file in, the report of the steps out."""

from email.parser import BytesParser
from email.policy import HTTP

from starlette.requests import Request
from starlette.responses import Response

from adapters.api.calls import Api, head_of, parameters, response
from adapters.http.problems import json_reply
from contracts.fault import Rule
from core.access import Action, authorise
from core.errors import Refused

NO_FILE = Rule(
    code="verification.no-file",
    en="the request carries no file",
    zh="请求中没有文件",
    remedy_en="Send the file as the body (application/octet-stream), or as a part of multipart/form-data.",
    remedy_zh="请将文件作为正文（application/octet-stream）发送，或作为 multipart/form-data 的一部分。",
)


class Verifications:
    """The route."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def verify(self, request: Request) -> Response:
        parameters(request)
        principal, body = await self._api.caller_with_body(request)
        try:
            authorise(principal, Action.VERIFY)
            data = uploaded(head_of(request).value(b"content-type"), body.read())
        finally:
            body.close()
        report = await self._api.reader.run(self._api.services.verify, data)
        return response(json_reply(200, dict(report)))


def uploaded(content_type: str, content: bytes) -> bytes:
    """The file of an upload: the body itself, or the first file of a form (RFC 7578); raises ``Refused`` (400) without one."""
    data = content
    if content_type.lower().startswith("multipart/form-data"):
        message = BytesParser(policy=HTTP).parsebytes(
            b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + content
        )
        files = [part for part in message.iter_parts() if part.get_filename() is not None]
        payload = files[0].get_payload(decode=True) if files else None
        data = payload if isinstance(payload, bytes) else b""
    if not data:
        raise Refused.by(NO_FILE.at(""), status=400)
    return data
