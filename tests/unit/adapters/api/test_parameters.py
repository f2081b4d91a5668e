"""What no stored text holds is never asked of a database: PostgreSQL fails on some of it, SQLite finds nothing."""

from collections.abc import Iterator

import pytest

from adapters.api.licences import FILTERS
from core.store.licences import LicenceStore
from core.store.quarantine import QuarantineStore
from gateway_parts import permits
from licencehub.app import Hub
from served_hub import Served, served_hub

REFUSED = {
    "%00": "\\u0000",
    "a%00b": "a\\u0000b",
    "%1b": "\\u001b",
    "%ff": "\\udcff",
    "%ed%a0%80": "\\udced\\udca0\\udc80",
    "%e2%80%ae": "\\u202e",
}
"""Texts of a query, and how the answer shows them."""


def prepare(hub: Hub) -> None:
    hub.store.registry.apply("interface", "permits", permits(), "test")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_hub(tmp_path_factory.mktemp("hub"), prepare) as served:
        yield served


@pytest.fixture
def never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks the store fails, as with PostgreSQL."""

    def fail(*_arguments: object, **_named: object) -> None:
        raise ValueError("A string literal cannot contain NUL (0x00) characters.")

    for store, method in ((LicenceStore, "find"), (LicenceStore, "get"), (LicenceStore, "status_of")):
        monkeypatch.setattr(store, method, fail)
    monkeypatch.setattr(QuarantineStore, "page", fail)


@pytest.mark.usefixtures("never_asked")
@pytest.mark.parametrize("name", [*FILTERS, "after", "status", "scope", "limit"])
def test_a_parameter_that_holds_nul_is_refused_by_name(served: Served, name: str) -> None:
    with served.client() as client:
        response = client.get(f"/v1/licences?{name}=%00")
    [error] = response.json()["errors"]
    assert (response.status_code, response.json()["code"]) == (400, "http.forbidden-character")
    assert repr(name) in error["detail"]
    assert error["value"] == "\\u0000"
    assert error["remedy"]


@pytest.mark.usefixtures("never_asked")
@pytest.mark.parametrize("sent", REFUSED)
def test_a_parameter_that_no_stored_text_can_match_is_refused_and_shown(served: Served, sent: str) -> None:
    with served.client() as client:
        response = client.get(f"/v1/licences?text={sent}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["value"] == REFUSED[sent]


@pytest.mark.parametrize("sent", ["%E6%9F%90", "a+b%20c", "%F0%A0%80%80", ""])
def test_any_other_text_is_asked_for(served: Served, sent: str) -> None:
    with served.client() as client:
        assert client.get(f"/v1/licences?text={sent}").json()["licences"] == []


@pytest.mark.usefixtures("never_asked")
@pytest.mark.parametrize(
    "path",
    [
        "/v1/licences/a%00b",
        "/v1/licences/%00/history",
        "/v1/licences/%00/package",
        "/v1/licences/%00/thumbnail",
        "/v1/licences/%00/scans/1",
        "/v1/licences/%00/original",
        "/v1/links/%00",
        "/v1/interfaces/%00/quarantine",
        "POST /v1/licences/%00/links",
        "POST /v1/interfaces/%00/records",
    ],
)
def test_a_path_that_holds_nul_leads_nowhere(served: Served, path: str) -> None:
    method, _blank, target = path.rpartition(" ")
    headers = {"Content-Type": "application/json"} if "records" in target else {}
    with served.client() as client:
        response = client.request(method or "GET", target, headers=headers)
    assert response.status_code == 404


def test_a_path_that_is_no_utf_8_leads_nowhere(served: Served) -> None:
    with served.client() as client:
        assert client.get("/v1/licences/%ff").status_code == 404


@pytest.mark.usefixtures("never_asked")
def test_a_statement_whose_identifier_holds_nul_is_refused(served: Served) -> None:
    with served.client() as client:
        response = client.post("/v1/verifications", json={"identifier": "1.2\0", "items": {"ZZMC": "x"}})
    [error] = response.json()["errors"]
    assert response.status_code == 400
    assert (error["pointer"], error["value"]) == ("/identifier", "1.2\\u0000")
