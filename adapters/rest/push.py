"""``POST /v1/interfaces/{interface}/records``: records in, receipts out (channel adapter, EIP).

Credential, right and interface are judged on the head alone; nothing of a body is believed before all of it is here and its
digest is the one that was signed.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

import msgspec

from adapters.http.body import Body, Limits, Receive, read_body
from adapters.http.problems import Headers, Reply, fault_json, json_reply, problem
from adapters.http.request import Head, verify
from adapters.rest.counts import PROTOCOL, Counts
from adapters.rest.form import boundary_of
from adapters.rest.form_record import FormLimits, read_form_record
from adapters.rest.records import Read, read_records
from contracts.fault import Fault, Rule, pointer
from core.access import Action, Authenticator, Verified, authorise, refusals
from core.config import Gateway
from core.errors import Refused
from core.interfaces import InterfaceDirectory, LiveInterface
from core.ports.intake import Intake, Lot, Push, ReceivedFile
from core.ports.observe import Observer

PREFIX = "/v1/interfaces/"
SUFFIX = "/records"
ERRORS_LIMIT = 100
"""Findings repeated at the top of a refusal; every record's own are beside it."""

_JSON = "application/json"
_FORM = "multipart/form-data"
_LINES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")

MEDIA = Rule(
    code="http.media-type",
    en="Content-Type {sent!r} is not taken here",
    zh="不接受 Content-Type {sent!r}",
    remedy_en="Send application/json or application/x-ndjson in UTF-8, or multipart/form-data, without Content-Encoding.",
    remedy_zh="请发送 UTF-8 的 application/json 或 application/x-ndjson，或 multipart/form-data，不要使用 Content-Encoding。",
)
ENCODED = Rule(
    code="http.content-encoding",
    en="Content-Encoding {sent!r} is not taken here",
    zh="不接受 Content-Encoding {sent!r}",
    remedy_en="Send the body as it is, without compressing it.",
    remedy_zh="请直接发送未压缩的正文。",
)
KEY = Rule(
    code="idempotency.key",
    en="Idempotency-Key must be 1 to 255 visible ASCII characters",
    zh="Idempotency-Key 应为 1 至 255 个可见 ASCII 字符",
    remedy_en="Use a UUID or the sender's own record number.",
    remedy_zh="请使用 UUID 或发送方自己的流水号。",
)
_TITLES = {
    422: ("No record of the request is valid", "请求中没有有效记录"),
    503: ("The bus took none of the records: send them again", "消息总线未接收任何记录，请重新发送"),
}


class PushEndpoint:
    """The route of every interface that is pushed to."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        authenticator: Authenticator,
        directory: InterfaceDirectory,
        intake: Intake,
        observer: Observer,
    ) -> None:
        self._authenticator = authenticator
        self._directory = directory
        self._intake = intake
        self._count = Counts(observer)
        self._records_limit = gateway.records_limit
        self._limits = body_limits(gateway)
        self._form_limits = FormLimits(gateway.files_limit, gateway.file_limit_bytes)
        self._large = asyncio.Semaphore(gateway.large_bodies)

    async def __call__(self, head: Head, path: str, receive: Receive) -> Reply:
        name = path[len(PREFIX) : -len(SUFFIX)]
        verified = verify(head, self._authenticator)
        authorise(verified.principal, Action.PUSH, interface=name)
        live = self._directory.accepting(name, PROTOCOL)
        media = _media(head)
        boundary = boundary_of(head.value(b"content-type")) if media == _FORM else b""
        request = _Request(head, verified, live, _key(head))
        body = await read_body(receive, head, self._limits)
        try:
            check_digest(verified, body)
            async with self._large if body.spooled else contextlib.nullcontext():
                if media == _FORM:
                    return await self._push_form(request, body, boundary)
                return await self._push(request, body, lines=media in _LINES)
        finally:
            body.close()

    async def _push(self, request: "_Request", body: Body, *, lines: bool) -> Reply:
        translator = request.live.translator
        async with self._spending(request):
            read = await read_records(body, lines=lines, translator=translator, limit=self._records_limit)
        return await self._take(request, body, read, body.sha256)

    async def _push_form(self, request: "_Request", body: Body, boundary: bytes) -> Reply:
        translator = request.live.translator
        async with self._spending(request):
            form = await asyncio.to_thread(read_form_record, body, boundary, translator, self._form_limits)
        try:
            return await self._take(request, body, form.read, form.digest, form.files)
        finally:
            form.close()

    async def _take(
        self,
        request: "_Request",
        body: Body,
        read: Read,
        digest: bytes,
        files: tuple[ReceivedFile, ...] = (),
    ) -> Reply:
        declaration, verified = request.live.declaration, request.verified
        push = Push(
            lot=Lot(declaration.name, request.live.revision, PROTOCOL, declaration.collection),
            client=verified.principal.client,
            nonce=verified.nonce,
            key=request.key if read.drafts else "",
            body_digest=digest,
            trace=request.head.trace,
            drafts=tuple(read.drafts),
            files=files,
        )
        receipts = await self._intake.take(push)
        retry = receipts.count(None)
        self._count.request(declaration.name, body.size, len(receipts) - retry, len(read.refused), retry)
        return _answer(request.head, read, receipts)

    @contextlib.asynccontextmanager
    async def _spending(self, request: "_Request") -> AsyncIterator[None]:
        """A signed request is spent even when its body is refused."""
        try:
            yield
        except Exception:
            await self._admit(request.verified)
            raise

    async def _admit(self, verified: Verified) -> None:
        if verified.nonce:
            await self._intake.admit_nonce(verified.principal.client, verified.nonce)


class _Request(NamedTuple):
    """What is known of a push before its body."""

    head: Head
    verified: Verified
    live: LiveInterface
    key: str


def body_limits(gateway: Gateway) -> Limits:
    """The limits of bodies that the configuration sets."""
    return Limits(
        size_bytes=gateway.body_limit_bytes,
        memory_bytes=gateway.spool_memory_bytes,
        grace_s=gateway.slow_body_s,
        bytes_per_s=gateway.min_body_bytes_per_s,
    )


def check_digest(verified: Verified, body: Body) -> None:
    """Raises ``Refused`` (400) when the body is not the one that was signed."""
    if verified.content_sha256 is not None and verified.content_sha256 != body.sha256:
        raise Refused.by(refusals.CONTENT_DIGEST.at("X-Content-SHA256"), status=400)


def _media(head: Head) -> str:
    """The media type of the body; raises ``Refused`` (415) for one that is not taken."""
    sent = head.value(b"content-type")
    media, _, parameters = sent.lower().partition(";")
    charset = parameters.partition("charset=")[2].strip(' "')
    media = media.strip()
    known = media in (_JSON, _FORM) or media in _LINES
    encoding = head.value(b"content-encoding")
    if encoding:
        raise Refused.by(ENCODED.at("Content-Encoding", sent=encoding[:100]), status=415)
    if not known or (media != _FORM and charset not in {"", "utf-8", "utf8"}):
        raise Refused.by(MEDIA.at("Content-Type", sent=sent[:100]), status=415)
    return media


def _key(head: Head) -> str:
    key = head.value(b"idempotency-key")
    if b"idempotency-key" in head.values and not _KEY.fullmatch(key):
        raise Refused.by(KEY.at("Idempotency-Key"), status=400)
    return key


def _answer(head: Head, read: Read, receipts: list[UUID | None]) -> Reply:
    """202 when any record was accepted; 503 when the bus took none; 422 when none was valid."""
    records = _records(head, read, receipts)
    accepted = len(receipts) - receipts.count(None)
    counts = {"accepted": accepted, "refused": len(read.refused), "retry": len(receipts) - accepted}
    if accepted:
        headers: Headers = [(b"location", f"/v1/receipts/{receipts[0]}".encode())] if read.count == 1 else []
        return json_reply(202, {**counts, "records": records}, headers)
    status = 503 if receipts else 422
    english, chinese = _TITLES[status]
    title = chinese if head.tongue == "zh-CN" else english
    code = "unavailable" if receipts else "push.no-valid-record"
    reply = problem(
        status, code, title, head.request_id, head.tongue, errors=_top(head, read), **counts, records=records
    )
    if receipts:
        reply.headers.append((b"retry-after", b"2"))
    return reply


def _records(head: Head, read: Read, receipts: list[UUID | None]) -> list[dict[str, object]]:
    """The answer of each record, in the order they were sent."""
    answers: dict[int, dict[str, object]] = {}
    for draft, receipt in zip(read.drafts, receipts, strict=True):
        answers[draft.position] = {"retry": True} if receipt is None else {"receipt": receipt}
    for refused in read.refused:
        answers[refused.position] = {"errors": [fault_json(fault, head.tongue) for fault in refused.faults]}
    return [{"index": position, **answers[position]} for position in sorted(answers)]


def _top(head: Head, read: Read) -> list[dict[str, object]]:
    """The first findings; in a batch their pointers begin with the record's index."""
    faults = [(refused.position, fault) for refused in read.refused for fault in refused.faults][
        :ERRORS_LIMIT
    ]
    return [
        fault_json(_placed(fault, position, alone=read.count == 1), head.tongue) for position, fault in faults
    ]


def _placed(fault: Fault, position: int, *, alone: bool) -> Fault:
    return fault if alone else msgspec.structs.replace(fault, pointer=pointer(position) + fault.pointer)
