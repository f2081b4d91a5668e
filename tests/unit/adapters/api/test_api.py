import json
from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx
import pytest

from contracts.identity import uuid7
from core.store.packages import Made
from gateway_parts import TYPE, permits, record, sign
from licencehub.app import Hub
from served_hub import Served, served_hub

CLIENTS = """
[[client]]
id = "other"
kind = "bearer"
secret = "file:secrets/client-other.key"
[[client.grants]]
actions = ["push", "receipt.read", "quarantine.read"]
interfaces = ["other"]
[[client.grants]]
actions = ["licence.read", "licence.fetch"]
types = ["NOT-THIS-TYPE"]

[[client]]
id = "reader"
kind = "bearer"
secret = "file:secrets/client-reader.key"
[[client.grants]]
actions = ["licence.read", "licence.fetch"]
types = ["11100000000013338W*"]
"""


def prepare(hub: Hub) -> None:
    for name in ("other", "reader"):
        (hub.folder / "secrets" / f"client-{name}.key").write_text(f"the-bearer-key-of-{name}")
    registry = hub.store.registry
    licence_type = {"code": TYPE, "name": {"en": "Permit"}, "required": ["licence_number"]}
    registry.apply("licence-type", TYPE, licence_type, "test")
    for name in ("permits", "other"):
        registry.apply("interface", name, permits(name), "test")
        registry.set_state("interface", name, "enabled", "test")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_hub(tmp_path_factory.mktemp("hub"), prepare, CLIENTS) as served:
        yield served


@pytest.fixture(scope="module")
def stored(served: Served) -> dict[str, UUID]:
    """Receipts by licence number of records that the worker has finished."""
    sent = [record("P-1"), record("P-2", holder="另一公司")]
    with served.client() as client:
        answer = client.post("/v1/interfaces/permits/records", json=sent).json()
        receipts = {
            one["number"]: UUID(a["receipt"])
            for one, a in zip(sent, answer["records"], strict=False)
            if "receipt" in a
        }
    served.work_off(list(receipts.values()))
    return receipts


def licence_of(served: Served, receipt: UUID) -> UUID:
    found = served.hub.store.ledger.entry(receipt).licence_id
    assert found is not None
    return found


def seal(served: Served, licence_id: UUID, picture: bytes = b"a picture") -> None:
    """What the package worker does at its end."""
    store = served.hub.store
    [claim] = store.packages.claim([(licence_id, store.licences.get(licence_id).current_version)], 60)
    made = Made(
        file_number="F-1", template="t", digest=b"d" * 32, size_bytes=1, algorithm="a", key_id="k", blob=b"b" * 32,
        thumbnail=store.blobs.put(picture, "image/jpeg"),
    )  # fmt: skip
    assert store.packages.finish([(claim, {"ofd": made, "pdf": made})]) == [True]


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_a_receipt_tells_its_outcome(served: Served, stored: dict[str, UUID]) -> None:
    with served.client() as client:
        shown = client.get(f"/v1/receipts/{stored['P-1']}").json()
    assert (shown["outcome"], shown["interface"], shown["position"]) == ("new", "permits", 0)
    assert UUID(shown["licence"]).version == 7


def test_a_receipt_without_an_outcome_is_pending_and_an_impossible_one_unknown(served: Served) -> None:
    with served.client() as client:
        assert client.get(f"/v1/receipts/{uuid7()}").json()["outcome"] == "pending"
        assert code(client.get(f"/v1/receipts/{uuid4()}")) == (404, "not-found")
        assert code(client.get(f"/v1/receipts/{uuid7(1_000_000)}")) == (404, "not-found")
        assert code(client.get("/v1/receipts/1")) == (400, "http.parameter")


def test_a_receipt_of_somebody_else_looks_like_none(served: Served, stored: dict[str, UUID]) -> None:
    with served.client("other") as client:
        assert code(client.get(f"/v1/receipts/{stored['P-1']}")) == (404, "not-found")


def test_without_a_right_to_receipts_none_is_shown(served: Served) -> None:
    with served.client("reader") as client:
        assert code(client.get(f"/v1/receipts/{uuid7()}")) == (403, "access.denied")


def test_a_department_sees_its_own_quarantine_and_why(served: Served) -> None:
    with served.client() as client:
        sent = client.post(
            "/v1/interfaces/other/records",
            content=b'{"number": "\xff"}',
            headers={"Content-Type": "application/json"},
        )
        receipt = UUID(sent.json()["records"][0]["receipt"])
        served.work_off([receipt])
        page = client.get("/v1/interfaces/other/quarantine", params={"state": "open"}).json()
        assert [case["receipt"] for case in page["cases"]] == [str(receipt)]
        assert page["cases"][0]["errors"][0]["rule"] == page["cases"][0]["rules"][0]
        assert page["cases"][0]["errors"][0]["remedy"]
        assert client.get("/v1/interfaces/permits/quarantine").json()["cases"] == []
        assert code(client.get("/v1/interfaces/other/quarantine", params={"state": "shut"})) == (
            400,
            "http.parameter",
        )
    with served.client("other") as client:
        assert len(client.get("/v1/interfaces/other/quarantine").json()["cases"]) == 1
        assert code(client.get("/v1/interfaces/permits/quarantine")) == (403, "access.denied")


def test_licences_are_found_by_filters_page_by_page(served: Served, stored: dict[str, UUID]) -> None:
    with served.client() as client:
        assert {one["licence_number"] for one in client.get("/v1/licences").json()["licences"]} >= {
            "P-1",
            "P-2",
        }
        [only] = client.get("/v1/licences", params={"number": "P-2"}).json()["licences"]
        assert only["holders"][0]["name"] == "另一公司"
        first = client.get("/v1/licences", params={"limit": 1}).json()
        second = client.get("/v1/licences", params={"limit": 1, "after": first["next"]}).json()
        assert first["licences"][0]["id"] != second["licences"][0]["id"]


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "limit=0",
        "limit=x",
        "limit=100000",
        "issued_from=yesterday",
        "status=fine",
        "number=a&number=b",
        "scope=all",
    ],
)
def test_a_filter_that_is_not_understood_is_never_ignored(served: Served, query: str) -> None:
    with served.client() as client:
        response = client.get(f"/v1/licences?{query}")
    assert response.status_code == 400
    assert response.json()["code"] in {"http.parameter", "http.unknown-parameter"}


def test_a_licence_that_is_not_sealed_is_for_management_alone(
    served: Served, stored: dict[str, UUID]
) -> None:
    licence_id = licence_of(served, stored["P-2"])
    with served.client() as client:
        assert client.get(f"/v1/licences/{licence_id}").status_code == 200
        assert code(client.get(f"/v1/licences/{licence_id}", params={"scope": "sharing"})) == (
            404,
            "not-found",
        )
        assert code(client.get(f"/v1/licences/{licence_id}/package")) == (409, "package-pending")
        (claim,) = served.hub.store.packages.claim([(licence_id, 1)], 60)
        served.hub.store.packages.hold(claim, "needs-glyph", "𠮷")
        assert code(client.get(f"/v1/licences/{licence_id}/package")) == (409, "package-held")
        package_queue = served.hub.store.package_queue
        package_queue.release(state="needs-glyph", actor="test", reason="the font was extended")
    with served.client("reader") as client:
        assert code(client.get(f"/v1/licences/{licence_id}")) == (404, "not-found")
        assert code(client.get(f"/v1/licences/{licence_id}", params={"scope": "management"})) == (
            403,
            "access.denied",
        )
        assert (
            client.get("/v1/licences", params={"licence_type": TYPE, "number": "P-2"}).json()["licences"]
            == []
        )
        assert code(client.get(f"/v1/licences/{licence_id}/history")) == (403, "access.denied")


def test_a_licence_of_a_type_without_right_looks_like_none(served: Served, stored: dict[str, UUID]) -> None:
    licence_id = licence_of(served, stored["P-1"])
    with served.client("other") as client:
        for path in ("", "/history", "/package", "/thumbnail"):
            assert code(client.get(f"/v1/licences/{licence_id}{path}")) == (404, "not-found")
        assert code(client.post(f"/v1/licences/{licence_id}/links")) == (404, "not-found")
        assert code(client.get("/v1/licences", params={"licence_type": TYPE})) == (403, "access.denied")
        assert client.get("/v1/licences").json()["licences"] == []


def test_a_search_over_a_family_of_types_must_name_one(served: Served) -> None:
    with served.client("reader") as client:
        assert code(client.get("/v1/licences")) == (400, "licence-type-needed")


def test_a_sealed_licence_is_shown_fetched_and_told(served: Served, stored: dict[str, UUID]) -> None:
    licence_id = licence_of(served, stored["P-1"])
    seal(served, licence_id)
    identifier = served.hub.store.licences.get(licence_id).identifier
    with served.client("reader") as client:
        shown = client.get(f"/v1/licences/{identifier}").json()
        assert (shown["id"], shown["sealed"], shown["status"], shown["superseded"]) == (
            str(licence_id),
            True,
            "valid",
            False,
        )
        package = client.get(f"/v1/licences/{identifier}/package")
        assert package.content == f"ofd package {licence_id} 1".encode()
        pdf = client.get(f"/v1/licences/{identifier}/package", params={"form": "pdf"})
        assert (pdf.content[:4], pdf.headers["content-type"]) == (b"pdf ", "application/pdf")
        assert code(client.get(f"/v1/licences/{identifier}/package", params={"form": "docx"})) == (
            400,
            "http.parameter",
        )
        assert package.headers["content-type"] == "application/ofd"
        assert client.get(f"/v1/licences/{identifier}/thumbnail").content == b"a picture"
    with served.client() as client:
        history = client.get(f"/v1/licences/{identifier}/history").json()
    assert [version["outcome"] for version in history["versions"]] == ["new"]


def test_a_one_time_link_opens_once_and_without_a_credential(served: Served) -> None:
    with served.client() as client:
        answer = client.post("/v1/interfaces/permits/records", json=record("P-9")).json()
        receipt = UUID(answer["records"][0]["receipt"])
        served.work_off([receipt])
        licence_id = licence_of(served, receipt)
        assert code(client.post(f"/v1/licences/{licence_id}/links")) == (409, "package-pending")
        seal(served, licence_id)
        made = client.post(f"/v1/licences/{licence_id}/links")
    assert made.status_code == 201
    path = "/v1/links/" + made.json()["url"].rpartition("/")[2]
    with served.visitor() as anybody:
        assert anybody.head(path).status_code == 405
        opened = anybody.get(path)
        assert (opened.status_code, opened.headers["cache-control"]) == (200, "no-store")
        assert opened.content.startswith(b"\x89PNG\r\n")
        assert code(anybody.get(path)) == (404, "not-found")
        assert code(anybody.get("/v1/links/guess")) == (404, "not-found")


def test_another_librarys_original_is_fetched_in_its_form_and_has_no_picture(served: Served) -> None:
    with served.client() as client:
        answer = client.post("/v1/interfaces/permits/records", json=record("P-10")).json()
        receipt = UUID(answer["records"][0]["receipt"])
        served.work_off([receipt])
        licence_id = licence_of(served, receipt)
        keep_original(served, licence_id)
        package = client.get(f"/v1/licences/{licence_id}/package")
        assert package.content == f"pdf package {licence_id} 1".encode()
        assert package.headers["content-type"] == "application/pdf"
        assert f"{licence_id}-1.pdf" in package.headers["content-disposition"]
        in_ofd = client.get(f"/v1/licences/{licence_id}/package", params={"form": "ofd"})
        assert code(in_ofd) == (404, "package-form")
        assert "packaged as pdf only" in in_ofd.text
        assert code(client.get(f"/v1/licences/{licence_id}/thumbnail")) == (404, "no-picture")
        assert code(client.post(f"/v1/licences/{licence_id}/links")) == (404, "no-picture")


def keep_original(served: Served, licence_id: UUID) -> None:
    """What the package worker does with an original in PDF."""
    store = served.hub.store
    [claim] = store.packages.claim([(licence_id, store.licences.get(licence_id).current_version)], 60)
    made = Made(
        file_number="F-1", template="", digest=b"d" * 32, size_bytes=1, algorithm="a", key_id="k", blob=b"d" * 32,
        original=True,
    )  # fmt: skip
    assert store.packages.finish([(claim, {"pdf": made})]) == [True]


PROTECTED = [
    ("GET", "/v1/receipts/01a209fa-0ba7-7c1a-91ab-428dc0a768ab"),
    ("GET", "/v1/interfaces/permits/quarantine"),
    ("POST", "/v1/interfaces/permits/records"),
    ("GET", "/v1/licences"),
    ("GET", "/v1/licences/x"),
    ("GET", "/v1/licences/x/history"),
    ("GET", "/v1/licences/x/package"),
    ("GET", "/v1/licences/x/thumbnail"),
    ("GET", "/v1/licences/x/scans/1"),
    ("GET", "/v1/licences/x/original"),
    ("POST", "/v1/licences/x/links"),
    ("POST", "/v1/verifications"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_every_route_of_the_matrix_is_shut_without_a_credential(
    served: Served, method: str, path: str
) -> None:
    with served.visitor() as anybody:
        assert code(anybody.request(method, path)) == (401, "auth.no-credential")
        assert code(anybody.request(method, path, headers={"Authorization": "Bearer no"})) == (
            401,
            "auth.bearer",
        )


def test_the_matrix_names_every_protected_route_of_the_description(served: Served) -> None:
    with served.visitor() as anybody:
        paths = anybody.get("/openapi.json").json()["paths"]
    described = {
        (method.upper(), path.count("/"), path.rpartition("/")[2])
        for path, item in paths.items()
        for method, operation in item.items()
        if operation.get("security") != []
    }
    listed = {(method, path.count("/"), path.rpartition("/")[2]) for method, path in PROTECTED}
    assert {(method, depth) for method, depth, _name in described} == {
        (method, depth) for method, depth, _name in listed
    }


def test_a_signed_question_is_answered_once(served: Served) -> None:
    headers = sign("GET", "/v1/licences?limit=1&number=P-1", b"", secret=served.secret("department"))
    with served.visitor() as client:
        assert client.get("/v1/licences?limit=1&number=P-1", headers=headers).status_code == 200
        assert code(client.get("/v1/licences?limit=1&number=P-1", headers=headers)) == (
            401,
            "auth.nonce-seen",
        )
        other = sign("GET", "/v1/licences?limit=1&number=P-1", b"", secret=served.secret("department"))
        assert code(client.get("/v1/licences?limit=1&number=P-2", headers=other)) == (401, "auth.signature")


def test_a_file_that_is_no_package_is_invalid_and_no_file_is_a_refusal(served: Served) -> None:
    with served.client() as client:
        assert client.post("/v1/verifications", content=b"not an OFD").json()["verdict"] == "invalid"
        form = client.post(
            "/v1/verifications", files={"file": ("licence.ofd", b"PK\x03\x04\r\n--", "application/ofd")}
        )
        assert form.json()["form"] == "ofd"
        assert code(client.post("/v1/verifications", content=b"")) == (400, "verification.no-file")


def test_the_hub_describes_itself_and_its_interfaces(served: Served) -> None:
    with served.visitor() as anybody:
        document = anybody.get("/openapi.json").json()
        page = anybody.get("/docs")
        assets = [
            anybody.get(f"/docs/{name}")
            for name in ("swagger-ui-bundle.js", "swagger-ui.css", "viewer.js", "favicon.png")
        ]
        missing = anybody.get("/docs/..%2fapp.py")
    assert document["openapi"].startswith("3.1")
    permit = document["components"]["schemas"]["record-permits"]
    assert set(permit["properties"]) == {"number", "title", "holder", "issued", "note"}
    assert permit["required"] == ["number"]
    assert permit["properties"]["holder"] == {"description": "Becomes holder.name"}
    assert "/v1/interfaces/permits/records" in document["paths"]
    assert _unresolved(document) == []
    assert "http" not in page.text.replace("HTTP", "")
    assert [asset.status_code for asset in assets] == [200] * 4
    assert missing.status_code == 404


def _unresolved(document: dict[str, object]) -> list[str]:
    """References of the document that lead nowhere."""
    text = json.dumps(document)
    references = {part.split('"')[0] for part in text.split('"$ref": "#')[1:]}
    lost = []
    for reference in sorted(references):
        place: object = document
        for step in reference.split("/")[1:]:
            place = place.get(step.replace("~1", "/")) if isinstance(place, dict) else None
        if place is None:
            lost.append(reference)
    return lost


def test_what_is_not_there_is_a_problem_too(served: Served) -> None:
    with served.client() as client:
        assert code(client.get("/v1/none")) == (404, "http.404")
        assert code(client.delete("/v1/licences")) == (405, "http.405")
        assert client.delete("/v1/licences").headers["allow"]
        assert code(put := client.put("/v1/interfaces/any/records")) == (405, "http.405")
        assert put.headers["allow"] == "POST"
        assert client.get("/v1/none", headers={"Accept-Language": "zh"}).json()["title"] == "此路径不存在"


def test_the_process_says_that_it_lives_and_is_ready(served: Served) -> None:
    with served.visitor() as anybody:
        assert anybody.get("/livez").status_code == 200
        ready = anybody.get("/readyz")
    assert (ready.status_code, ready.json()["parts"]) == (
        200,
        {"store": True, "bus": True, "keys": True, "registry": True, "serving": True},
    )


def test_refused_credentials_and_replays_are_counted_by_reason(served: Served) -> None:
    def counted() -> dict[str, float]:
        lines = served.hub.observer.exposition().splitlines()
        found = (
            line.rpartition(" ")
            for line in lines
            if line.startswith(("hub_auth_failures_total", "hub_replays_refused_total"))
        )
        return {name: float(value) for name, _blank, value in found}

    before = counted()
    headers = sign("GET", "/v1/licences?limit=1", b"", secret=served.secret("department"))
    with served.visitor() as client:
        for _ in range(3):
            client.get("/v1/licences?limit=1", headers=headers)
        client.get("/v1/licences")
        client.post("/v1/interfaces/permits/records", content=b"{}", headers={"Authorization": "Bearer no"})
    more = {
        name: value - before.get(name, 0) for name, value in counted().items() if value != before.get(name, 0)
    }
    assert more == {
        'hub_auth_failures_total{protocol="rest",reason="nonce-seen"}': 2,
        'hub_auth_failures_total{protocol="rest",reason="no-credential"}': 1,
        'hub_auth_failures_total{protocol="rest",reason="bearer"}': 1,
        'hub_replays_refused_total{protocol="rest"}': 2,
    }


def test_a_statement_is_verified_without_a_file(served: Served) -> None:
    unknown = "1.2.156.3005.2.11100000000013338W032.11220000013544541J.NOBODY.001.8"
    with served.client() as client:
        by_name = client.post(
            "/v1/verifications", json={"identifier": unknown, "items": {"ZZMC": "x"}}
        ).json()
        by_code = client.post("/v1/verifications", json={"qr": f"https://x.example/?id={unknown}&v=1"}).json()
    assert by_name["form"] == by_code["form"] == "statement"
    assert by_name["content"]["identifier"] == by_code["content"]["identifier"] == unknown
    assert {by_name["verdict"], by_code["verdict"]} == {"invalid"}


@pytest.mark.parametrize(
    "statement",
    [
        {},
        {"identifier": "x", "qr": "y"},
        {"identifier": "x", "items": {"ZZMC": 1}},
        {"qr": "no identifier"},
        [],
        {"status": "valid"},
    ],
)
def test_a_body_that_states_nothing_is_refused(served: Served, statement: object) -> None:
    with served.client() as client:
        assert client.post("/v1/verifications", json=statement).status_code == 400
