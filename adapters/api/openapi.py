"""The OpenAPI 3.1 document, made from the contracts and the mappings of the registered interfaces: it cannot drift from them."""

from collections.abc import Iterable

from adapters.api.calls import LARGEST_PAGE, PAGE_LIMIT
from adapters.api.licences import FILTERS, FORMS
from adapters.api.schemas import REF, Schema, schemas
from contracts.interface import FieldMapping
from contracts.record import Status
from core.interfaces import LiveInterface
from core.packaging.file_kinds import SCAN_MEDIA
from core.store.quarantine import CASE_STATES

VERSION = "1"


def openapi(interfaces: Iterable[LiveInterface], server: str = "/") -> Schema:
    """The whole document."""
    enabled = [live for live in interfaces if live.state == "enabled" and live.declaration.protocol == "rest"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Licence Hub",
            "version": VERSION,
            "summary": "Takes in electronic licence records and gives out licences, packages and verdicts.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "security": [
            {"signature": [], "client": [], "timestamp": [], "nonce": [], "content": []},
            {"bearer": []},
        ],
        "tags": [{"name": name} for name in ("intake", "licences", "verification", "operation")],
        "paths": {**_push_paths(enabled), **_paths()},
        "components": {"schemas": _schemas(enabled), "securitySchemes": _SECURITY, "responses": _responses()},
    }


def record_schema(live: LiveInterface) -> Schema:
    """The record an interface is pushed: the fields its mapping reads. Further fields stay in the raw record, unread."""
    mappings = [(name, one) for name, value in live.declaration.fields.items() for one in _each(value)]
    properties: Schema = {column: {} for column in live.translator.columns}
    for target, mapping in mappings:
        for source in _sources(mapping):
            _describe(properties, source, target)
    required = {
        one.source for _name, one in mappings if one.required and isinstance(one.source, str) and not one.when
    }
    return {
        "type": "object",
        "title": live.declaration.title.get("en", live.declaration.name),
        "description": f"A record of {live.declaration.department}.",
        "properties": properties,
        "required": sorted(required & set(properties)),
    }


def _each(value: FieldMapping | tuple[FieldMapping, ...]) -> tuple[FieldMapping, ...]:
    return value if isinstance(value, tuple) else (value,)


def _sources(mapping: FieldMapping) -> tuple[str, ...]:
    return (
        mapping.source if isinstance(mapping.source, tuple) else (mapping.source,) if mapping.source else ()
    )


def _describe(properties: Schema, source: str, target: str) -> None:
    """Notes what a field becomes, at its place: ``a.b`` and ``/a/b`` lie in the object ``a``."""
    steps = source.lstrip("/").split("/") if source.startswith("/") else source.split(".")
    place = properties
    for step in steps[:-1]:
        inner = place.setdefault(step, {})
        inner["type"] = "object"
        place = inner.setdefault("properties", {})
    leaf = place.setdefault(steps[-1], {})
    known = leaf.get("description")
    leaf["description"] = f"{known}, {target}" if known else f"Becomes {target}"


def _push_paths(interfaces: list[LiveInterface]) -> Schema:
    named = {
        f"/v1/interfaces/{live.declaration.name}/records": {
            "post": _push(
                f"Push records of {live.declaration.name}", f"{REF}record-{live.declaration.name}", []
            )
        }
        for live in interfaces
    }
    general = _push("Push records to an interface", f"{REF}record", [_in_path("interface")])
    return {**named, "/v1/interfaces/{interface}/records": {"post": general}}


def _push(summary: str, record: str, parameters: list[Schema]) -> Schema:
    one, many = {"$ref": record}, {"type": "array", "items": {"$ref": record}}
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}
    return {
        "tags": ["intake"],
        "summary": summary,
        "parameters": [*parameters, key],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"oneOf": [one, many]}},
                "application/x-ndjson": {
                    "schema": {"type": "string", "description": "One JSON object a line."}
                },
                "multipart/form-data": {
                    "schema": {"oneOf": [_form(one, "scan"), _form(one, "original")]},
                    "encoding": {"record": {"contentType": "application/json"}},
                },
            },
        },
        "responses": {
            "202": _json("At least one record was accepted", f"{REF}PushAnswer"),
            **{
                str(status): {"$ref": "#/components/responses/Problem"}
                for status in (400, 401, 403, 404, 408, 409, 413, 415, 422, 503)
            },
        },
    }


def _form(record: Schema, file: str) -> Schema:
    """One record with its files."""
    files: Schema = {"type": "array", "items": _BINARY, "minItems": 1} if file == "scan" else _BINARY
    return {
        "type": "object",
        "properties": {"record": record, file: files},
        "required": ["record", file],
    }


def _paths() -> Schema:
    return {**_record_paths(), **_licence_paths(), **_service_paths()}


def _record_paths() -> Schema:
    state = _query("state", {"enum": list(CASE_STATES)})
    outcome = _json("Outcome", f"{REF}Receipt")
    held = _json("A page", f"{REF}QuarantinePage")
    question = "Records of an interface that are held for a person"
    return {
        "/v1/receipts/{receipt}": _get(
            "intake", "What became of a record", [_in_path("receipt", _UUID)], outcome
        ),
        "/v1/interfaces/{interface}/quarantine": _get(
            "intake", question, [_in_path("interface"), state, _query("after", _UUID), _LIMIT], held
        ),
    }


def _licence_paths() -> Schema:
    identifier = [_in_path("identifier")]
    scope = _query("scope", {"enum": ["sharing", "management"]})
    searches = [
        *(_query(name) for name in FILTERS),
        _query("status", {"enum": [status.value for status in Status]}),
        *(_query(name, {"type": "string", "format": "date"}) for name in ("issued_from", "issued_to")),
    ]
    licence, page = _json("The licence", f"{REF}Licence"), _json("A page", f"{REF}LicencePage")
    history, jpeg = _json("Both in order of arrival", f"{REF}History"), _file("image/jpeg")
    package = _file("application/ofd", "application/pdf")
    one, link = "/v1/licences/{identifier}", "A link to the face that opens once"
    return {
        "/v1/licences": _get("licences", "Find licences", [*searches, scope, _query("after"), _LIMIT], page),
        one: _get("licences", "Show a licence", [*identifier, scope], licence),
        f"{one}/history": _get("licences", "Versions and status events", identifier, history),
        f"{one}/package": _get(
            "licences",
            "The sealed package of the current version",
            [*identifier, _query("form", {"enum": list(FORMS)})],
            package,
        ),
        f"{one}/thumbnail": _get("licences", "A small picture of the face", identifier, jpeg),
        f"{one}/scans/{{number}}": _get(
            "licences",
            "A scanned page the licence came with",
            [*identifier, _in_path("number", _PAGE_NUMBER)],
            _SCAN,
        ),
        f"{one}/original": _get(
            "licences",
            "Another library's sealed file the licence came with",
            identifier,
            package,
        ),
        f"{one}/links": {
            "post": _operation("licences", link, identifier, _json("The link", f"{REF}Link"), "201")
        },
        "/v1/links/{token}": _open(
            _get(
                "licences",
                "Open a one-time link: the face as a picture",
                [_in_path("token")],
                _file("image/png"),
            ),
        ),
    }


def _service_paths() -> Schema:
    report = _json("What was found, whatever the verdict", f"{REF}Report")
    verify = _operation("verification", "Verify a package file, or a statement", [], report)
    live, ready = _json("It lives", f"{REF}Liveness"), _json("It can", f"{REF}Readiness")
    readiness = _open(_get("operation", "Whether it can do its work", [], ready))
    readiness["get"]["responses"]["503"] = _json("It cannot", f"{REF}Readiness")
    return {
        "/v1/verifications": {"post": {**verify, **_UPLOAD}},
        "/livez": _open(_get("operation", "Whether the process lives", [], live)),
        "/readyz": readiness,
    }


def _open(item: Schema) -> Schema:
    """The path without a credential."""
    return {"get": {**item["get"], "security": []}}


_BINARY: Schema = {"type": "string", "format": "binary"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_PAGE_NUMBER: Schema = {"type": "integer", "minimum": 1}
_STATEMENT: Schema = {
    "type": "object",
    "description": "A licence without its file: identifier, or qr (the text of its QR code), and items by metadata code.",
    "properties": {
        "identifier": {"type": "string", "minLength": 1},
        "qr": {"type": "string", "minLength": 1},
        "items": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "oneOf": [{"required": ["identifier"]}, {"required": ["qr"]}],
    "additionalProperties": False,
}
_UPLOAD: Schema = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": _BINARY},
            "multipart/form-data": {"schema": {"type": "object", "additionalProperties": _BINARY}},
            "application/json": {"schema": _STATEMENT},
        },
    }
}


def _get(tag: str, summary: str, parameters: list[Schema], good: Schema) -> Schema:
    return {"get": _operation(tag, summary, parameters, good)}


def _operation(tag: str, summary: str, parameters: list[Schema], good: Schema, status: str = "200") -> Schema:
    problems = {
        code: {"$ref": "#/components/responses/Problem"}
        for code in ("400", "401", "403", "404", "409", "503")
    }
    return {
        "tags": [tag],
        "summary": summary,
        "parameters": parameters,
        "responses": {status: good, **problems},
    }


def _in_path(name: str, schema: Schema | None = None) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema or {"type": "string"}}


def _query(name: str, schema: Schema | None = None) -> Schema:
    return {"name": name, "in": "query", "schema": schema or {"type": "string"}}


_LIMIT = _query("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_LIMIT})


def _json(description: str, ref: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": ref}}}}


def _file(*media: str) -> Schema:
    return {"description": "The file", "content": {one: {"schema": _BINARY} for one in media}}


_SCAN = _file(*SCAN_MEDIA)


def _responses() -> Schema:
    content = {"application/problem+json": {"schema": {"$ref": f"{REF}Problem"}}}
    return {"Problem": {"description": "What is wrong, where, and what to do (RFC 9457)", "content": content}}


def _schemas(interfaces: list[LiveInterface]) -> Schema:
    records = {f"record-{live.declaration.name}": record_schema(live) for live in interfaces}
    return {**schemas(), **records}


def _header(name: str, description: str) -> Schema:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


_SECURITY: Schema = {
    "client": _header("X-Client-Id", "Identifier of the client"),
    "timestamp": _header("X-Timestamp", "Unix milliseconds; at most 5 minutes off"),
    "nonce": _header("X-Nonce", "8 to 128 visible ASCII characters, never used before"),
    "content": _header("X-Content-SHA256", "SHA-256 of the body, 64 lower-case hexadecimal digits"),
    "signature": _header(
        "X-Signature",
        "Base64 of HMAC-SHA256 with the client's secret over method, path?query, timestamp, nonce and content digest, "
        "joined by line feeds",
    ),
    "bearer": {"type": "http", "scheme": "bearer", "description": "For development"},
}
