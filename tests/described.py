"""Holds answers of a hub against the description it gives of itself."""

import re
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker


def as_described(response: httpx.Response) -> None:
    """Fails for a status, a media type or a JSON body that ``/openapi.json`` of the same hub does not describe.

    What is not in the description (its own page, the metrics) and methods that no path has are left alone.
    """
    request = response.request
    document = httpx.get(request.url.copy_with(raw_path=b"/openapi.json")).json()
    operation = _operation(document, request)
    if operation is None or response.status_code == 500:
        return
    response.read()
    where = f"{request.method} {request.url.path} -> {response.status_code}"
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{where}: {response.text[:500]}"
    described = _resolved(document, described)
    media = response.headers["content-type"].partition(";")[0]
    assert media in described["content"], f"{where}: {media}"
    if media.endswith("json"):
        schema = {**described["content"][media]["schema"], "components": document["components"]}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(response.json())]
        assert not found, f"{where}: {found}"


def _operation(document: dict[str, Any], request: httpx.Request) -> dict[str, Any] | None:
    """The most literal path that fits, with its operation."""
    for path in sorted(document["paths"], key=lambda path: path.count("{")):
        pattern = "".join(
            "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]+\})", path)
        )
        if re.fullmatch(pattern, request.url.path):
            found: dict[str, Any] | None = document["paths"][path].get(request.method.lower())
            return found
    return None


def _resolved(document: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    reference = item.get("$ref")
    if reference is None:
        return item
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    resolved: dict[str, Any] = found
    return resolved
