"""What a licence came with: its scanned pages, or another library's sealed original. For management alone."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from adapters.api.calls import Api, parameters, response, wrong
from adapters.http.problems import Headers, Reply
from contracts.record import Attachment
from core.access import Action, allows, authorise
from core.errors import NotFound
from core.store.licences import LicenceView


class Received:
    """The routes ``…/scans/{number}`` and ``…/original`` of a licence."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._store = api.services.store

    async def scan(self, request: Request) -> Response:
        """One page, counted from 1."""
        view = await self._view(request)
        text = request.path_params["number"]
        if not (text.isascii() and text.isdigit() and int(text[:6]) >= 1):
            raise wrong("number", "the number of a page, from 1")
        if int(text[:6]) > len(view.scans):
            raise _nothing(f"scan {text}", f"第 {text} 页扫描件")
        return await self._file(view.scans[int(text[:6]) - 1])

    async def original(self, request: Request) -> Response:
        """The file as the other library sealed it."""
        view = await self._view(request)
        if view.original is None:
            raise _nothing("original", "原件")
        return await self._file(view.original)

    async def _view(self, request: Request) -> LicenceView:
        """The licence at the version named; ``NotFound`` for a type without right, ``Refused`` (403) without ``manage``."""
        principal = await self._api.caller(request)
        parameters(request)
        name = request.path_params["identifier"]
        view: LicenceView = await self._api.reader.run(self._store.licences.get, name)
        if not allows(principal, Action.LICENCE_READ, licence_type=view.licence_type):
            raise NotFound(f"no licence {name}", f"没有证照 {name}")
        authorise(principal, Action.MANAGE, licence_type=view.licence_type)
        return view

    async def _file(self, file: Attachment) -> Response:
        data = await self._api.reader.run(self._store.blobs.get, bytes.fromhex(file.digest))
        name = f"attachment; filename*=UTF-8''{quote(file.name or file.digest, safe='')}".encode()
        headers: Headers = [
            (b"content-type", file.media_type.encode()),
            (b"content-disposition", name),
            (b"etag", f'"{file.digest}"'.encode()),
        ]
        return response(Reply(200, data, headers))


def _nothing(what: str, what_zh: str) -> NotFound:
    return NotFound(f"the licence came without {what}", f"该证照没有{what_zh}")
