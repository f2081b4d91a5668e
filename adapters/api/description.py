"""``/openapi.json`` and ``/docs``: the hub describes itself, with assets of its own."""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from adapters.api.calls import response
from adapters.api.openapi import openapi
from adapters.http.problems import Headers, Reply, json_reply
from core.errors import NotFound
from core.interfaces import InterfaceDirectory

_MEDIA = {
    "index.html": b"text/html; charset=utf-8",
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "viewer.js": b"text/javascript; charset=utf-8",
    "swagger-ui.css": b"text/css; charset=utf-8",
    "favicon.png": b"image/png",
}
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; frame-ancestors 'none'"
)


class Description:
    """The routes."""

    def __init__(self, directory: InterfaceDirectory) -> None:
        self._directory = directory

    async def document(self, _request: Request) -> Response:
        return response(json_reply(200, openapi(self._directory.all())))

    async def viewer(self, _request: Request) -> Response:
        return response(_asset("index.html"))

    async def asset(self, request: Request) -> Response:
        return response(_asset(request.path_params["asset"]))


def _asset(name: str) -> Reply:
    """A file of the viewer; the table of names is closed, a path never reaches the disk."""
    media = _MEDIA.get(name)
    if media is None:
        raise NotFound(f"no asset {name}", f"没有资源 {name}")
    headers: Headers = [(b"content-type", media), (b"content-security-policy", _POLICY)]
    if name != "index.html":
        headers.append((b"cache-control", b"public, max-age=3600"))
    return Reply(200, files("adapters.api").joinpath("viewer", name).read_bytes(), headers)
