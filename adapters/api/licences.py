"""Licences: find, show, history, package, thumbnail, one-time link.

Scope *sharing* sees only what is current, valid and sealed; *management* needs the right ``manage``. A licence of a type
the caller has no right to looks like none at all.
"""

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from adapters.api.calls import Api, date_of, limit_of, parameters, response, wrong
from adapters.api.licence_json import history_json, licence_json
from adapters.http.problems import Headers, Reply, json_reply
from contracts.fault import Rule
from contracts.record import Status
from core.access import Action, Principal, allows, authorise, granted_types
from core.errors import NotFound, Refused
from core.store import package_queue
from core.store.licences import LicenceQuery, LicenceView, Scope
from core.store.packages import PackageView

FILTERS = (
    "holder_name",
    "holder_code",
    "number",
    "identifier",
    "licence_type",
    "issuer_code",
    "department",
    "region",
    "text",
)
FACE_TARGET = "face"
FORMS = {"ofd": b"application/ofd", "pdf": b"application/pdf"}

PENDING = Rule(
    code="package-pending",
    en="the package of the current version is not sealed yet ({state})",
    zh="当前版本的证照文件尚未签章（{state}）",
    remedy_en="Ask again in a while.",
    remedy_zh="请稍后再试。",
)
HELD = Rule(
    code="package-held",
    en="the package of the current version could not be made ({state})",
    zh="当前版本的证照文件未能生成（{state}）",
    remedy_en="An operator mends the cause and releases it (licence-hub package list).",
    remedy_zh="由运维人员排除原因后释放（licence-hub package list）。",
)
ENDED = Rule(
    code="licence-not-valid",
    en="the licence is {status}: it has no package to give out",
    zh="该证照状态为 {status}，不提供证照文件",
    remedy_en="Only valid licences are quoted or reused.",
    remedy_zh="只有有效证照可以引用或复用。",
)
OTHER_FORM = Rule(
    code="package-form",
    en="this licence is packaged as {form} only",
    zh="该证照仅有 {form} 格式的文件",
    remedy_en="Leave out the query parameter form, or ask for {form}.",
    remedy_zh="请省略 form 参数，或请求 {form} 格式。",
)
NO_PICTURE = Rule(
    code="no-picture",
    en="the package is another library's original, which the hub hands out as it came: there is no picture of it",
    zh="该证照文件为其他证照库的原件，按原样提供，没有图片",
    remedy_en="Fetch the package itself.",
    remedy_zh="请获取证照文件本身。",
)
TYPE_NEEDED = Rule(
    code="licence-type-needed",
    en="name a licence_type: the grant covers {types}",
    zh="请指定 licence_type：授权范围为 {types}",
    remedy_en="Add the query parameter licence_type.",
    remedy_zh="请添加查询参数 licence_type。",
)


class Licences:
    """The routes under ``/v1/licences``."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._store = api.services.store

    async def find(self, request: Request) -> Response:
        principal = await self._api.caller(request)
        found = parameters(request, *FILTERS, "status", "issued_from", "issued_to", "scope", "after", "limit")
        licence_type = _permitted_type(principal, found.get("licence_type", ""))
        texts = {name: found[name] for name in FILTERS if name in found} | {"licence_type": licence_type}
        query = LicenceQuery(
            scope=_scope(principal, licence_type or "*", found.get("scope", "")),
            status=_status(found),
            issued_from=date_of(found, "issued_from"),
            issued_to=date_of(found, "issued_to"),
            **texts,
        )
        page = await self._api.reader.run(
            self._store.licences.find, query, found.get("after", ""), limit_of(found)
        )
        body = {
            "licences": [licence_json(view) for view in page.licences],
            "next": page.next or None,
            "scope": query.scope,
        }
        return response(json_reply(200, body))

    async def show(self, request: Request) -> Response:
        principal = await self._api.caller(request)
        parameters(request, "scope")
        view = await self._shown(request, principal, Action.LICENCE_READ)
        return response(json_reply(200, licence_json(view)))

    async def history(self, request: Request) -> Response:
        parameters(request)
        principal = await self._api.caller(request)
        view = await self._view(request, principal, Action.LICENCE_READ)
        authorise(principal, Action.MANAGE, licence_type=view.licence_type)
        return response(
            json_reply(200, history_json(await self._api.reader.run(self._store.licences.history, view.id)))
        )

    async def package(self, request: Request) -> Response:
        """The sealed file of the current version, whichever version's identifier was asked for.

        Without ``form`` the OFD, or the one form that another library's original has.
        """
        principal = await self._api.caller(request)
        form = parameters(request, "form").get("form", "")
        if form and form not in FORMS:
            raise wrong("form", " or ".join(FORMS))
        view = await self._view(request, principal, Action.LICENCE_FETCH)
        row = await self._sealed(view, form)
        data = await self._api.reader.run(self._api.services.package_file, view.id, row.version_no, row.form)
        name = f'attachment; filename="{view.id}-{row.version_no}.{row.form}"'.encode()
        headers: Headers = [(b"content-type", FORMS[row.form]), (b"content-disposition", name)]
        if row.digest is not None:
            headers.append((b"etag", f'"{row.digest.hex()}"'.encode()))
        return response(Reply(200, data, headers))

    async def thumbnail(self, request: Request) -> Response:
        parameters(request)
        view = await self._view(request, await self._api.caller(request), Action.LICENCE_FETCH)
        return response(await self._picture(await self._sealed(view)))

    async def link(self, request: Request) -> Response:
        """``POST …/links``: a link to the face that opens once, for a short while, without a credential."""
        parameters(request)
        principal, body = await self._api.caller_with_body(request)
        body.close()
        view = await self._view(request, principal, Action.LICENCE_FETCH)
        _refuse_original(await self._sealed(view))
        life_s = self._api.services.gateway.link_s
        token = await self._api.reader.run(self._store.links.issue, f"{FACE_TARGET}:{view.id}", life_s)
        expires = datetime.now(UTC) + timedelta(seconds=life_s)
        url = f"{self._api.services.public_url}/v1/links/{token}"
        return response(
            json_reply(201, {"url": url, "expires_at": expires.isoformat(timespec="seconds"), "uses": 1})
        )

    async def open_link(self, request: Request) -> Response:
        """``GET /v1/links/{token}``: the face, once; the licence is judged again when the link is opened."""
        parameters(request)
        target = await self._api.reader.run(self._store.links.redeem, request.path_params["token"])
        if target is None:
            raise NotFound("this link is unknown, used or expired", "该链接不存在、已使用或已过期")
        view = await self._api.reader.run(self._store.licences.get, target.removeprefix(f"{FACE_TARGET}:"))
        row = await self._sealed(view)
        _refuse_original(row)
        picture = await self._api.reader.run(self._api.services.face_picture, view.id, row.version_no)
        return response(Reply(200, picture, [(b"content-type", b"image/png")]))

    async def _view(self, request: Request, principal: Principal, action: Action) -> LicenceView:
        """The licence at the version named, if the caller may do ``action`` with its type; else ``NotFound``."""
        name = request.path_params["identifier"]
        view: LicenceView = await self._api.reader.run(self._store.licences.get, name)
        if not allows(principal, action, licence_type=view.licence_type):
            raise _unknown(name)
        return view

    async def _shown(self, request: Request, principal: Principal, action: Action) -> LicenceView:
        """The licence in the caller's scope; raises ``NotFound`` for what the scope does not show."""
        view = await self._view(request, principal, action)
        scope = _scope(principal, view.licence_type, request.query_params.get("scope", ""))
        if scope == "sharing" and (view.superseded or not view.sealed or view.status is not Status.VALID):
            raise _unknown(request.path_params["identifier"])
        return view

    async def _sealed(self, view: LicenceView, form: str = "") -> PackageView:
        """The package row of the current version, in ``form`` or the one it has.

        Raises ``Refused``: 409 while there is none to give out, 404 when there is one in another form alone.
        """
        if view.status is not Status.VALID:
            raise Refused.by(ENDED.at("", status=view.status.value), status=409)
        version = (view.id, view.current_version)
        row: PackageView | None = await self._api.reader.run(self._store.packages.get, *version)
        if row is None or row.state != "packaged":
            state = row.state if row else "pending"
            raise Refused.by(
                (HELD if state in package_queue.HELD else PENDING).at("", state=state), status=409
            )
        if form in ("", row.form):
            return row
        other: PackageView | None = await self._api.reader.run(self._store.packages.get, *version, form)
        if other is None:
            raise Refused.by(OTHER_FORM.at("", form=row.form), status=404)
        return other

    async def _picture(self, row: PackageView) -> Reply:
        if row.thumbnail is None:
            raise Refused.by(NO_PICTURE.at(""), status=404)
        picture = await self._api.reader.run(self._store.blobs.get, row.thumbnail)
        return Reply(200, picture, [(b"content-type", b"image/jpeg")])


def _refuse_original(row: PackageView) -> None:
    if row.original:
        raise Refused.by(NO_PICTURE.at(""), status=404)


def _permitted_type(principal: Principal, asked: str) -> str:
    """The type a search is limited to: the one asked for, or the only one granted; empty when every type is granted.

    Raises ``Refused``: 403 for a type without right, 400 when a type must be named.
    """
    if asked:
        authorise(principal, Action.LICENCE_READ, licence_type=asked)
        return asked
    granted = granted_types(principal, Action.LICENCE_READ)
    if "*" in granted:
        return ""
    if len(granted) == 1 and not granted[0].endswith("*"):
        return granted[0]
    authorise(principal, Action.LICENCE_READ, licence_type=granted[0] if granted else "")
    raise Refused.by(TYPE_NEEDED.at("", types=", ".join(granted)), status=400)


def _scope(principal: Principal, licence_type: str, asked: str) -> Scope:
    """The widest scope granted for the type, or the narrower one asked for; raises ``Refused`` (403) for a wider one."""
    if asked not in {"", "sharing", "management"}:
        raise wrong("scope", "sharing or management")
    if asked == "management":
        authorise(principal, Action.MANAGE, licence_type=licence_type)
    if asked != "sharing" and allows(principal, Action.MANAGE, licence_type=licence_type):
        return "management"
    return "sharing"


def _status(found: dict[str, str]) -> Status | None:
    text = found.get("status", "")
    try:
        return Status(text) if text else None
    except ValueError:
        raise wrong("status", "one of " + ", ".join(Status)) from None


def _unknown(name: str) -> NotFound:
    return NotFound(f"no licence {name}", f"没有证照 {name}")
