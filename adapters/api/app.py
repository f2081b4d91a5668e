"""The gateway's ASGI application: push on the fast path, everything else through Starlette, one gate before both."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from adapters.api.calls import Api, head_of, response
from adapters.api.description import Description
from adapters.api.licences import Licences
from adapters.api.quarantine import Quarantine
from adapters.api.receipts import Receipts
from adapters.api.received import Received
from adapters.api.services import GatewayServices
from adapters.api.verifications import Verifications
from adapters.http.body import Receive
from adapters.http.gate import App, Endpoint, Gate, Send
from adapters.http.problems import internal, json_reply, problem, refusal
from adapters.http.readiness import Readiness
from adapters.http.request import Scope
from adapters.rest.push import PREFIX, SUFFIX, PushEndpoint
from core.duty import Duty
from core.errors import HubError, TransientError
from core.interfaces import poll

OPEN_EVERY_S = 1.0
"""Pause between two attempts to open the intake."""
_HTTP_TITLES = {
    404: ("There is nothing here", "此路径不存在"),
    405: ("This method is not offered here", "此路径不支持该方法"),
}


def build_app(services: GatewayServices) -> Gate:
    """The application of one gateway process; its lifespan opens the intake and the background duties."""
    api = Api(services)
    readiness = Readiness(
        {**services.probes, "registry": lambda: _check_registry(services)},
        services.draining,
    )
    push = PushEndpoint(
        services.gateway,
        authenticator=services.authenticator,
        directory=services.directory,
        intake=services.intake,
        observer=services.observer,
    )

    def hot(method: str, path: str) -> Endpoint | None:
        return push if method == "POST" and path.startswith(PREFIX) and path.endswith(SUFFIX) else None

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with _duties(services, readiness):
            yield
        api.reader.close()

    app = Starlette(
        routes=_routes(api, readiness),
        lifespan=lifespan,
        exception_handlers={HubError: _problem, HTTPException: _problem, Exception: _problem},
    )
    app.router.redirect_slashes = False  # a signature is made over one path, not over two
    return Gate(app, hot, in_flight_limit=services.gateway.in_flight_limit, observer=services.observer)


def _routes(api: Api, readiness: Readiness) -> list[BaseRoute]:
    receipts, quarantine, licences, received = Receipts(api), Quarantine(api), Licences(api), Received(api)
    description = Description(api.services.directory)

    async def live(_request: Request) -> Response:
        return response(json_reply(200, {"status": "alive"}))

    async def ready(_request: Request) -> Response:
        parts = readiness.parts()
        return response(
            json_reply(200 if all(parts.values()) else 503, {"ready": all(parts.values()), "parts": parts})
        )

    one = "/v1/licences/{identifier}"
    return [
        Route(f"{PREFIX}{{interface}}{SUFFIX}", _Mounted(_only_post)),
        Route("/v1/receipts/{receipt}", receipts.show, methods=["GET"]),
        Route("/v1/interfaces/{interface}/quarantine", quarantine.page, methods=["GET"]),
        Route("/v1/licences", licences.find, methods=["GET"]),
        Route(one, licences.show, methods=["GET"]),
        Route(f"{one}/history", licences.history, methods=["GET"]),
        Route(f"{one}/package", licences.package, methods=["GET"]),
        Route(f"{one}/thumbnail", licences.thumbnail, methods=["GET"]),
        Route(f"{one}/scans/{{number}}", received.scan, methods=["GET"]),
        Route(f"{one}/original", received.original, methods=["GET"]),
        Route(f"{one}/links", licences.link, methods=["POST"]),
        _GetOnly("/v1/links/{token}", licences.open_link),
        Route("/v1/verifications", Verifications(api).verify, methods=["POST"]),
        Route("/openapi.json", description.document, methods=["GET"]),
        Route("/docs", description.viewer, methods=["GET"]),
        Route("/docs/{asset}", description.asset, methods=["GET"]),
        Route("/livez", live, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
        *(Route(path, _Mounted(mounted)) for path, mounted in api.services.mounts.items()),
    ]


async def _only_post(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """The push route under any other method; POST took the fast path."""
    raise HTTPException(405, headers={"Allow": "POST"})


class _Mounted:
    """Another ASGI application at one path; Starlette takes a bare function for a route of its own kind."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class _GetOnly(Route):
    """A route without the HEAD that Starlette adds: a look at the head must not use up what opens once."""

    def __init__(self, path: str, endpoint: object) -> None:
        super().__init__(path, endpoint, methods=["GET"])  # type: ignore[arg-type]  # Starlette checks it at run time
        self.methods = {"GET"}


@contextlib.asynccontextmanager
async def _duties(services: GatewayServices, readiness: Readiness) -> AsyncIterator[None]:
    """What runs beside the requests: intake, registry poll, probes, manifests; ended in the reverse order."""
    stop = threading.Event()
    with contextlib.suppress(TransientError):
        await asyncio.to_thread(services.directory.refresh)
    threading.Thread(target=poll, args=(services.directory, stop), name="registry-poll", daemon=True).start()
    readiness.start()
    opening = asyncio.create_task(_open(services))
    manifests = asyncio.create_task(_write_manifests(services))
    try:
        yield
    finally:
        stop.set()
        readiness.stop()
        for task in (opening, manifests):
            task.cancel()
        await asyncio.gather(opening, manifests, return_exceptions=True)
        await services.intake.aclose()


async def _open(services: GatewayServices) -> None:
    """Opens the intake; a bus that is away at the start is waited for."""
    duty = Duty("opening the intake")
    while True:
        with duty:
            await services.intake.open()
            return
        await asyncio.sleep(OPEN_EVERY_S)


async def _write_manifests(services: GatewayServices) -> None:
    manifest, keys = Duty("writing the gateway's manifests"), Duty("rolling the keys")
    while True:
        await asyncio.sleep(services.gateway.manifest_s)
        with manifest:
            await services.intake.write_manifest()
        with keys:
            await asyncio.to_thread(services.roll_keys)


def _check_registry(services: GatewayServices) -> None:
    if not services.directory.fresh:
        raise TransientError("the registry was not read for too long")


async def _problem(request: Request, error: Exception) -> Response:
    """The answer to whatever a route raised; the gate has the same for the fast path."""
    head = head_of(request)
    if isinstance(error, HubError):
        head.refused = error.code
        return response(refusal(error, head.request_id, head.tongue))
    if not isinstance(error, HTTPException):
        return response(internal(head.request_id, head.tongue))
    english, chinese = _HTTP_TITLES.get(error.status_code, (error.detail, error.detail))
    title = chinese if head.tongue == "zh-CN" else english
    made = response(
        problem(error.status_code, f"http.{error.status_code}", title, head.request_id, head.tongue)
    )
    made.headers.update(error.headers or {})
    return made
