import asyncio
from collections.abc import Awaitable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from gateway_parts import BEARER, Hub, encoded, lines, permits, record, sign
from pushing import JSON, NDJSON, URL, post, run


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    hub.register(permits())
    yield hub
    hub.close()


def _post(client: httpx.AsyncClient, content: bytes, headers: dict[str, str]) -> Awaitable[httpx.Response]:
    return client.post(URL, content=content, headers=headers)


def test_a_record_is_on_the_bus_when_its_receipt_is_given(hub: Hub) -> None:
    content = encoded(record())
    response = post(hub, content)
    assert response.status_code == 202
    answer = response.json()
    assert (answer["accepted"], answer["refused"], answer["retry"]) == (1, 0, 0)
    [chunk] = hub.published()
    [entry] = chunk.entries
    assert str(entry.receipt) == answer["records"][0]["receipt"]
    assert response.headers["location"] == f"/v1/receipts/{entry.receipt}"
    assert (chunk.interface, chunk.protocol, chunk.interface_revision) == ("permits", "rest", 2)
    assert entry.record is not None
    assert (entry.record.licence_number, entry.record.holders[0].name) == ("P-1", "某公司")
    assert entry.raw == content


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (encoded([record("A"), record("B"), record("C")]), JSON),
        (lines([record("A"), record("B"), record("C")]), NDJSON),
    ],
)
def test_a_batch_gets_a_receipt_per_record_in_order(hub: Hub, content: bytes, media: dict[str, str]) -> None:
    answer = post(hub, content, media).json()
    [chunk] = hub.published()
    assert [entry.record.licence_number for entry in chunk.entries if entry.record] == ["A", "B", "C"]
    assert [str(entry.receipt) for entry in chunk.entries] == [one["receipt"] for one in answer["records"]]
    assert (
        [entry.position for entry in chunk.entries]
        == [one["index"] for one in answer["records"]]
        == [0, 1, 2]
    )


def test_each_record_of_a_mixed_batch_has_its_own_answer(hub: Hub) -> None:
    sent = [
        record("A"),
        record(""),
        "not an object",
        record("D", state="draft"),
        record("E", issued="2026-02-30"),
    ]
    response = post(hub, lines(sent), NDJSON)
    assert response.status_code == 202
    answers = response.json()["records"]
    assert [sorted(answer) for answer in answers] == [
        ["index", "receipt"], ["errors", "index"], ["errors", "index"], ["index", "receipt"], ["errors", "index"],
    ]  # fmt: skip
    assert answers[1]["errors"][0]["pointer"] == "/number"
    assert answers[1]["errors"][0]["remedy"]
    [chunk] = hub.published()
    assert [entry.filtered_by for entry in chunk.entries] == ["", "drafts"]


def test_when_no_record_is_valid_the_answer_is_a_problem_with_every_place(hub: Hub) -> None:
    response = post(hub, encoded([record(""), record("", issued="x")]))
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == "urn:licence-hub:problem:push.no-valid-record"
    assert {error["pointer"] for error in problem["errors"]} == {"/0/number", "/1/number", "/1/issued"}
    assert [{error["pointer"] for error in one["errors"]} for one in problem["records"]] == [
        {"/number"},
        {"/number", "/issued"},
    ]
    assert hub.published() == []


def test_a_problem_speaks_the_language_asked_for(hub: Hub) -> None:
    english = post(hub, encoded(record(""))).json()
    chinese = post(hub, encoded(record("")), headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}).json()
    assert english["title"] == "No record of the request is valid"
    assert chinese["title"] == "请求中没有有效记录"
    assert chinese["errors"][0]["remedy"] != english["errors"][0]["remedy"]


HOSTILE = {
    "cut": b'{"number": "A"',
    "duplicate key": b'{"number": "A", "number": "B"}',
    "duplicate key behind a blank": b'{"number": "A", "number" : "B"}',
    "NaN": b'{"number": "A", "note": NaN}',
    "infinity": b'{"number": "A", "note": -Infinity}',
    "lone surrogate": b'{"number": "A", "note": "\\ud800"}',
    "deep": b'{"number": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "deep array": b"[" * 10_000 + b"]" * 10_000,
    "long integer": b'{"number": "A", "note": ' + b"9" * 5000 + b"}",
    "a string": b'"record"',
    "a number": b"1",
    "nothing": b"",
    "blanks": b"  \n ",
    "an empty array": b"[]",
    "two documents": b'{"number": "A"}{"number": "B"}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_is_a_typed_refusal_and_the_next_record_goes_through(hub: Hub, name: str) -> None:
    response = post(hub, HOSTILE[name])
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["rule"]
    assert hub.published() == []
    assert post(hub, encoded(record())).status_code == 202


def test_bytes_that_do_not_decode_are_held_for_a_person_and_never_replaced(hub: Hub) -> None:
    content = b'{"number": "\xff"}'
    assert post(hub, content).status_code == 202
    [chunk] = hub.published()
    [entry] = chunk.entries
    assert (entry.record, entry.raw) == (None, content)
    assert [fault.disposition.value for fault in entry.faults] == ["quarantine"]


def test_a_broken_array_accepts_none_of_its_records(hub: Hub) -> None:
    response = post(hub, encoded([record("A"), record("B")])[:-20])
    assert response.status_code == 422
    assert hub.published() == []


def test_a_body_that_is_not_the_signed_one_accepts_nothing(hub: Hub) -> None:
    content = encoded([record("A"), record("B")])
    response: httpx.Response = run(
        hub,
        lambda client: client.post(URL, content=content + b" ", headers=sign("POST", URL, content) | JSON),
    )
    assert (response.status_code, response.json()["code"]) == (400, "auth.content-digest")
    assert hub.published() == []


def test_a_replayed_request_is_refused_on_every_gateway(hub: Hub) -> None:
    content = encoded(record())
    headers = sign("POST", URL, content) | JSON
    first = run(hub, lambda client: client.post(URL, content=content, headers=headers))
    again = run(hub, lambda client: client.post(URL, content=content, headers=headers))
    assert (first.status_code, again.status_code, again.json()["code"]) == (202, 401, "auth.nonce-seen")
    assert len(hub.published()) == 1


def test_a_request_refused_for_its_records_is_spent_too(hub: Hub) -> None:
    for content in (encoded(record("")), b"{"):
        headers = sign("POST", URL, content) | JSON
        answers = [run(hub, partial(_post, content=content, headers=headers)) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [422, 401]


def test_the_same_key_and_body_gets_the_same_receipts_and_is_published_again(hub: Hub) -> None:
    content = encoded([record("A"), record("B")])
    first = post(hub, content, headers={"Idempotency-Key": "k-1"}).json()
    again = post(hub, content, headers={"Idempotency-Key": "k-1"}).json()
    assert [one["receipt"] for one in first["records"]] == [one["receipt"] for one in again["records"]]
    chunks = hub.published()
    first_receipts, again_receipts = ([entry.receipt for entry in chunk.entries] for chunk in chunks)
    assert first_receipts == again_receipts
    assert chunks[0].entries[0].submission == chunks[1].entries[0].submission
    assert chunks[0].entries[0].stamp_us == chunks[1].entries[0].stamp_us


def test_a_repeat_is_not_published_again_once_the_ledger_has_it(hub: Hub) -> None:
    content = encoded([record("A"), record("B")])
    first = post(hub, content, headers={"Idempotency-Key": "k-1"}).json()
    [chunk] = hub.published()
    hub.decided(chunk.entries[0].receipt, "permits")
    again = post(hub, content, headers={"Idempotency-Key": "k-1"}).json()
    assert again["records"] == first["records"]
    [chunk_again] = hub.published()
    assert [entry.receipt for entry in chunk_again.entries] == [chunk.entries[1].receipt]


def test_the_same_key_with_another_body_is_a_conflict_and_stores_nothing(hub: Hub) -> None:
    post(hub, encoded(record("A")), headers={"Idempotency-Key": "k-1"})
    hub.published()
    response = post(hub, encoded(record("B")), headers={"Idempotency-Key": "k-1"})
    assert (response.status_code, response.json()["code"]) == (409, "idempotency.conflict")
    assert hub.published() == []


def test_a_body_mended_after_a_refusal_may_use_the_same_key(hub: Hub) -> None:
    assert post(hub, encoded(record("")), headers={"Idempotency-Key": "k-1"}).status_code == 422
    assert post(hub, encoded(record("A")), headers={"Idempotency-Key": "k-1"}).status_code == 202


def test_a_request_without_a_valid_record_is_told_so_under_a_key_that_is_taken_too(hub: Hub) -> None:
    assert post(hub, encoded(record("A")), headers={"Idempotency-Key": "k-1"}).status_code == 202
    assert post(hub, encoded(record("")), headers={"Idempotency-Key": "k-1"}).status_code == 422


def test_concurrent_posts_share_a_message_and_keep_their_own_receipts(hub: Hub) -> None:
    async def talk(client: httpx.AsyncClient) -> list[httpx.Response]:
        contents = [encoded(record(f"P-{number}")) for number in range(150)]
        posts = [client.post(URL, content=body, headers=sign("POST", URL, body) | JSON) for body in contents]
        return await asyncio.gather(*posts)

    responses = run(hub, talk)
    assert {response.status_code for response in responses} == {202}
    chunks = hub.published()
    assert len(chunks) < 30
    assert all(len(chunk.entries) <= 100 for chunk in chunks)
    numbers = {
        str(entry.receipt): entry.record.licence_number
        for chunk in chunks
        for entry in chunk.entries
        if entry.record
    }
    assert [numbers[response.json()["records"][0]["receipt"]] for response in responses] == [
        f"P-{n}" for n in range(150)
    ]


def test_a_large_push_is_cut_into_chunks_of_at_most_100_records_and_256_kilobytes(hub: Hub) -> None:
    response = post(hub, lines([record(f"P-{number}", note="x" * 3000) for number in range(250)]), NDJSON)
    assert response.status_code == 202
    chunks = hub.published()
    assert sum(len(chunk.entries) for chunk in chunks) == 250
    assert all(sum(len(entry.raw) for entry in chunk.entries) < 256 * 1024 for chunk in chunks)


def test_a_bearer_key_serves_development(hub: Hub) -> None:
    headers = {"Authorization": f"Bearer {BEARER}"} | JSON
    assert (
        run(hub, lambda client: client.post(URL, content=encoded(record()), headers=headers)).status_code
        == 202
    )


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "auth.no-credential"),
        ({"Authorization": "Bearer wrong"}, 401, "auth.bearer"),
        ({"Authorization": "Basic eDp5"}, 401, "auth.no-credential"),
        ({"Authorization": "Bearer the-key-of-nobody"}, 403, "access.denied"),
        ({"X-Client-Id": "department"}, 401, "auth.header-missing"),
    ],
)
def test_without_a_credential_and_a_right_nothing_is_accepted(
    hub: Hub, headers: dict[str, str], status: int, code: str
) -> None:
    response = run(hub, lambda client: client.post(URL, content=encoded(record()), headers=headers | JSON))
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert hub.published() == []


def test_a_header_sent_twice_is_refused(hub: Hub) -> None:
    content = encoded(record())
    headers = [*sign("POST", URL, content).items(), *JSON.items(), ("X-Client-Id", "developer")]
    response: httpx.Response = run(hub, lambda client: client.post(URL, content=content, headers=headers))
    assert (response.status_code, response.json()["errors"][0]["header"]) == (400, "X-Client-Id")


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("registered", 403, "interface.disabled"),
        ("paused", 409, "interface.paused"),
        ("retired", 403, "interface.disabled"),
    ],
)
def test_an_interface_that_is_not_enabled_accepts_nothing(
    hub: Hub, state: str, status: int, code: str
) -> None:
    hub.register(permits("other"), state)
    response = post(hub, encoded(record()), url="/v1/interfaces/other/records")
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_an_unknown_interface_is_named(hub: Hub) -> None:
    headers = {"Authorization": f"Bearer {BEARER}"} | JSON
    response = run(
        hub, lambda client: client.post("/v1/interfaces/none/records", content=b"{}", headers=headers)
    )
    assert (response.status_code, response.json()["code"]) == (404, "interface.unknown")


def test_a_file_interface_is_not_pushed_to(hub: Hub) -> None:
    hub.register(permits("other", protocol="file"))
    response = post(hub, encoded(record()), url="/v1/interfaces/other/records")
    assert (response.status_code, response.json()["code"]) == (409, "interface.protocol")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/json; charset=gbk"},
        {"Content-Type": ""},
    ],
)
def test_another_media_type_is_refused(hub: Hub, headers: dict[str, str]) -> None:
    response = post(hub, encoded(record()), headers)
    assert (response.status_code, response.json()["code"]) == (415, "http.media-type")


def test_a_compressed_body_is_refused_by_the_header_that_says_so(hub: Hub) -> None:
    response = post(hub, encoded(record()), {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["rule"]) == (415, "http.content-encoding")
    assert error["header"] == "Content-Encoding"
    assert "gzip" in error["detail"]


@pytest.mark.parametrize("key", ["", "x" * 256, "with blank", "schlüssel".encode().decode("latin-1")])
def test_a_malformed_idempotency_key_is_refused(hub: Hub, key: str) -> None:
    content = encoded(record())
    named = (sign("POST", URL, content) | JSON | {"Idempotency-Key": key}).items()
    headers = [(name.encode(), value.encode("latin-1")) for name, value in named]
    response = run(hub, lambda client: client.post(URL, content=content, headers=headers))
    assert (response.status_code, response.json()["code"]) == (400, "idempotency.key")


def test_fields_the_mapping_does_not_read_cannot_set_anything(hub: Hub) -> None:
    content = encoded(
        record(status="revoked", issuer_name="forged", identifier="1.2.156.3005.2.x", receipt="x", version=9)
    )
    assert post(hub, content).status_code == 202
    [chunk] = hub.published()
    [entry] = chunk.entries
    assert entry.record is not None
    assert (entry.record.status.value, entry.record.issuer_name, entry.record.identifier) == ("valid", "", "")


def test_a_declared_fault_is_quarantined_instead_of_refused(hub: Hub) -> None:
    hub.register(
        permits(
            "other",
        )
    )
    refused = post(hub, encoded(record(""))).json()["errors"][0]["rule"]
    hub.register(permits("other", quarantine_faults=[refused]))
    assert post(hub, encoded(record("")), url="/v1/interfaces/other/records").status_code == 202
    [chunk] = hub.published()
    assert [fault.rule for fault in chunk.entries[0].faults] == [refused]


def test_an_answer_carries_its_request_id_and_is_not_cached(hub: Hub) -> None:
    response = post(hub, encoded(record()), headers={"X-Request-Id": "abc-1"})
    assert response.headers["x-request-id"] == "abc-1"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_trace_travels_with_the_chunk(hub: Hub) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    post(hub, encoded(record()), headers={"traceparent": trace})
    [chunk] = hub.published()
    assert chunk.trace == trace
