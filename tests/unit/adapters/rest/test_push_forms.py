import errno
import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.rest.form import Part as ReadPart
from contracts.chunk import Entry
from core.config import Gateway
from core.errors import Unavailable
from core.store.blobs import BlobStore
from form_material import (
    BOUNDARY,
    Part,
    form,
    form_media,
    original,
    pages,
    picture,
    png_bomb,
    scan,
    sealed_ofd,
    sealed_pdf,
    the_record,
)
from gateway_parts import BEARER, Hub, encoded, lines, permits, record, replaced, sign
from pushing import JSON, NDJSON, URL, post, run


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    hub.register(permits())
    yield hub
    hub.close()


def push(hub: Hub, *parts: Part, boundary: str = BOUNDARY, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return post(hub, form(*parts, boundary=boundary), form_media(boundary), headers=named)


def published(hub: Hub) -> Entry:
    [chunk] = hub.published()
    [entry] = chunk.entries
    return entry


def stored(hub: Hub, digest: str) -> bytes:
    return BlobStore(hub.database, hub.keyring).get(bytes.fromhex(digest))


def files_of(hub: Hub) -> int:
    with hub.database.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM blob").scalar_one())


def found(response: httpx.Response) -> list[tuple[str, str]]:
    return [(error["rule"], error["pointer"]) for error in response.json()["errors"]]


def test_scans_are_in_the_store_in_page_order_when_their_record_is_on_the_bus(hub: Hub) -> None:
    sent = [picture("red"), picture("green", "PNG"), pages("white", "black")]
    names = ["第1页.jpg", "C:\\scans\\p2.png", "p3.tif"]
    response = push(hub, the_record(), *map(scan, sent, names))
    assert response.status_code == 202, response.text
    entry = published(hub)
    assert str(entry.receipt) == response.json()["records"][0]["receipt"]
    assert entry.record is not None
    scans = entry.record.scans
    assert [scan.media_type for scan in scans] == ["image/jpeg", "image/png", "image/tiff"]
    assert [scan.name for scan in scans] == ["第1页.jpg", "p2.png", "p3.tif"]
    assert [scan.size_bytes for scan in scans] == list(map(len, sent))
    assert [stored(hub, scan.digest) for scan in scans] == sent
    assert hub.attachments.of(entry.receipt) == {scan.digest for scan in scans}


@pytest.mark.parametrize(
    ("content", "media"), [(sealed_ofd(), "application/ofd"), (sealed_pdf(), "application/pdf")]
)
def test_the_sealed_original_of_another_library_is_kept_byte_for_byte(
    hub: Hub, content: bytes, media: str
) -> None:
    assert push(hub, original(content), the_record()).status_code == 202
    entry = published(hub)
    assert entry.record is not None
    assert entry.record.original is not None
    assert (entry.record.original.media_type, stored(hub, entry.record.original.digest)) == (media, content)


def test_what_a_sender_calls_its_file_is_never_believed(hub: Hub) -> None:
    body = form(the_record(), scan(picture(kind="PNG"), "page.jpg"), headers=["X-Kind: image/gif"])
    assert post(hub, body, form_media()).status_code == 202
    entry = published(hub)
    assert entry.record is not None
    assert entry.record.scans[0].media_type == "image/png"


def test_a_bearer_may_push_a_form_too(hub: Hub) -> None:
    headers = {"Authorization": f"Bearer {BEARER}"} | form_media()
    body = form(the_record(), scan())
    response = run(hub, lambda client: client.post(URL, content=body, headers=headers))
    assert response.status_code == 202


def test_the_raw_record_names_its_files_beside_what_was_sent(hub: Hub) -> None:
    sent = b' { "number" : "P-1", "holder":"x", "note": 1.50 }'
    assert push(hub, ("record", "record.json", sent), scan()).status_code == 202
    entry = published(hub)
    assert entry.raw.startswith(b'{"$scans":[{"digest":"')
    assert entry.raw.endswith(sent.lstrip()[1:])


REFUSED: dict[str, tuple[list[Part], list[tuple[str, str]]]] = {
    "no record": ([scan()], [("form.record-missing", "/record")]),
    "two records": ([the_record(), the_record(), scan()], [("form.record-twice", "/record")]),
    "no file": ([the_record()], [("form.no-file", "")]),
    "an unknown part": ([the_record(), scan(), ("photo", "a.jpg", picture())], [("form.unknown-part", "/photo")]),
    "an empty scan": ([the_record(), scan(), scan(b"")], [("form.empty-part", "/scan/1")]),
    "an empty record": ([("record", "", b""), scan()], [("form.empty-part", "/record")]),
    "scans and an original": ([the_record(), scan(), original(sealed_ofd())], [("form.originals", "/original")]),
    "two originals": ([the_record(), original(sealed_ofd()), original(sealed_pdf())], [("form.originals", "/original")]),
    "a text as a scan": ([the_record(), scan(b"hello")], [("scan.format", "/scan/0")]),
    "a GIF": ([the_record(), scan(picture(kind="GIF"), "a.png")], [("scan.format", "/scan/0")]),
    "a PDF as a scan": ([the_record(), scan(sealed_pdf())], [("scan.format", "/scan/0")]),
    "every bad file at once": (
        [the_record(), scan(b"a"), scan(), scan(b"b")], [("scan.format", "/scan/0"), ("scan.format", "/scan/2")]
    ),
    "a page that breaks off, beside another bad one": (
        [the_record(), scan(picture()[:-100]), scan(), scan(b"b")], [("scan.incomplete", "/scan/0"), ("scan.format", "/scan/2")]
    ),
    "a picture as an original": ([the_record(), original(picture())], [("original.format", "/original")]),
    "an unsigned PDF": ([the_record(), original(b"%PDF-1.7\n%%EOF")], [("original.not-sealed", "/original")]),
    "a PNG bomb": ([the_record(), scan(png_bomb(60_000, 60_000))], [("scan.too-large", "/scan/0")]),
    "a picture over our limit": ([the_record(), scan(png_bomb(12_000, 12_000))], [("scan.too-large", "/scan/0")]),
    "too many pages": ([the_record(), scan(pages(*["white"] * 101))], [("scan.too-many-pages", "/scan/0")]),
    "an array": ([the_record([record()]), scan()], [("form.not-one-record", "/record")]),
    "two lines": ([("record", "", lines([record(), record()])), scan()], [("json.syntax", "")]),
    "no JSON": ([("record", "", b"number=1"), scan()], [("json.no-records", "")]),
    "a record to mend": ([the_record(record("")), scan()], [("mapping.required", "/number")]),
    "another's file named": ([the_record(record() | {"$scans": []}), scan()], [("mapping.reserved-field", "/$scans")]),
    "a bad name": ([the_record(), scan(name="a\x01b.jpg")], [("form.file-name", "/scan/0")]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_form_is_refused_with_part_and_remedy_and_stores_nothing(hub: Hub, name: str) -> None:
    parts, expected = REFUSED[name]
    response = push(hub, *parts)
    assert (response.status_code, found(response)) == (422, expected), response.text
    chinese = push(hub, *parts, Accept_Language="zh-CN").json()
    for english, translated in zip(response.json()["errors"], chinese["errors"], strict=True):
        assert english["remedy"]
        assert english["remedy"] != translated["remedy"]
        assert english["detail"] != translated["detail"]
    assert hub.published() == []
    assert files_of(hub) == 0
    assert push(hub, the_record(), scan()).status_code == 202


GOOD = form(the_record(), scan())
MALFORMED: dict[str, tuple[bytes, dict[str, str]]] = {
    "no boundary": (GOOD, {"Content-Type": "multipart/form-data"}),
    "an empty boundary": (GOOD, {"Content-Type": "multipart/form-data; boundary="}),
    "a long boundary": (GOOD, form_media("x" * 71)),
    "a boundary with a quote": (GOOD, {"Content-Type": 'multipart/form-data; boundary="a\\"b"'}),
    "another boundary": (GOOD, form_media("other")),
    "nothing": (b"", form_media()),
    "JSON": (encoded(record()), form_media()),
    "cut in a part": (GOOD[:-200], form_media()),
    "cut before the end": (GOOD.removesuffix(b"--\r\n"), form_media()),
    "a part without a name": (GOOD.replace(b'; name="scan"', b""), form_media()),
    "a part that is no form data": (GOOD.replace(b"form-data; name", b"attachment; name"), form_media()),
    "a header twice": (GOOD.replace(b"Content-Type", b"Content-Type: a/b\r\nContent-Type", 1), form_media()),
    "an endless header": (GOOD.replace(b"Content-Type", b"X: " + b"y" * 100_000 + b"\r\nContent-Type", 1), form_media()),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_a_body_that_is_no_form_is_a_typed_refusal(hub: Hub, name: str) -> None:
    body, media = MALFORMED[name]
    response = post(hub, body, media)
    assert (response.status_code, response.json()["code"]) == (400, "form.malformed"), response.text
    assert response.json()["errors"][0]["remedy"]
    assert hub.published() == []
    assert files_of(hub) == 0


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("Content-Transfer-Encoding: base64", "form.encoded-part"),
        ("Content-Transfer-Encoding: quoted-printable", "form.encoded-part"),
    ],
)
def test_a_part_in_an_encoding_is_not_taken_for_its_bytes(hub: Hub, header: str, rule: str) -> None:
    response = post(hub, form(the_record(), scan(), headers=[header]), form_media())
    assert (response.status_code, found(response)) == (422, [(rule, "/scan/0")])


def test_a_multipart_inside_a_part_is_refused(hub: Hub) -> None:
    body = GOOD.replace(
        b"Content-Type: application/octet-stream", b"Content-Type: multipart/mixed; boundary=b"
    )
    response = post(hub, body, form_media())
    assert (response.status_code, found(response)) == (422, [("form.nested", "/scan/0")])


def test_files_beyond_the_limits_are_refused_before_any_is_stored(tmp_path: Path) -> None:
    hub = Hub(tmp_path, replaced(Gateway(), files_limit=2, file_limit_bytes=3000))
    hub.register(permits())
    many = push(hub, the_record(), scan(), scan(), scan())
    assert (many.status_code, many.json()["code"]) == (413, "form.too-many-files")
    large = push(hub, the_record(), scan(), scan(picture() + b"\0" * 3000))
    assert (large.status_code, found(large)) == (413, [("form.part-too-large", "/scan/1")])
    assert push(hub, the_record(), scan(), scan(picture("red"))).status_code == 202
    assert files_of(hub) == 2
    hub.close()


@pytest.mark.parametrize("media", [JSON, NDJSON])
@pytest.mark.parametrize("name", ["$scans", "$original"])
def test_a_plain_record_cannot_name_a_stored_file(hub: Hub, media: dict[str, str], name: str) -> None:
    digest = hashlib.sha256(picture()).hexdigest()
    reference = {"digest": digest, "media_type": "image/jpeg", "size_bytes": 1}
    for stolen in ([reference], reference, [], None):
        response = post(hub, encoded(record(state="draft") | {name: stolen}), media)
        assert (response.status_code, found(response)) == (422, [("mapping.reserved-field", f"/{name}")])
    assert hub.published() == []


def test_a_body_that_is_not_the_signed_one_stores_no_file(hub: Hub) -> None:
    body = form(the_record(), scan())
    headers = sign("POST", URL, body) | form_media()
    changed = body.replace(b'"P-1"', b'"P-2"')
    response = run(hub, lambda client: client.post(URL, content=changed, headers=headers))
    assert (response.status_code, response.json()["code"]) == (400, "auth.content-digest")
    assert (hub.published(), files_of(hub)) == ([], 0)


def test_a_signed_form_is_taken_once(hub: Hub) -> None:
    body = form(the_record(), scan())
    headers = sign("POST", URL, body) | form_media()
    answers = [
        run(hub, lambda client: client.post(URL, content=body, headers=headers)).status_code for _ in range(2)
    ]
    refused = form(the_record(), scan(b"no picture"))
    spent = sign("POST", URL, refused) | form_media()
    answers += [
        run(hub, lambda client: client.post(URL, content=refused, headers=spent)).status_code
        for _ in range(2)
    ]
    assert answers == [202, 401, 422, 401]
    assert len(hub.published()) == 1


def test_the_same_form_under_the_same_key_gets_the_same_receipt_whatever_its_boundary(hub: Hub) -> None:
    sent = (the_record(), scan(), scan(picture("red")))
    first = push(hub, *sent, Idempotency_Key="k-1").json()
    again = push(hub, *sent, boundary="another-boundary", Idempotency_Key="k-1").json()
    assert first["records"] == again["records"]
    assert files_of(hub) == 2
    other = push(hub, the_record(), scan(picture("blue")), Idempotency_Key="k-1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.conflict")
    assert files_of(hub) == 2


def test_the_order_of_pages_counts_in_the_digest_and_their_names_do_not(hub: Hub) -> None:
    red, blue = picture("red"), picture("blue")
    for parts in (
        [scan(red), scan(blue)],
        [scan(red, "other.jpg"), scan(blue)],
        [scan(blue), scan(red)],
        [scan(red)],
    ):
        assert push(hub, the_record(), *parts).status_code == 202
    assert post(hub, encoded(record())).status_code == 202
    digests = [entry.source_digest for chunk in hub.published() for entry in chunk.entries]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_when_the_store_takes_no_files_nothing_is_published(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: Any) -> bytes:
        raise Unavailable("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(hub.attachments, "put", away)
        response = push(hub, the_record(), scan(), Idempotency_Key="k-1")
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert hub.published() == []
    assert push(hub, the_record(), scan(), Idempotency_Key="k-1").status_code == 202


def test_a_publication_that_could_not_be_noted_is_repeated_under_the_same_receipt(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: Any) -> None:
        raise Unavailable("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(hub.attachments, "published", away)
        assert push(hub, the_record(), scan(), Idempotency_Key="k-1").status_code == 503
    unanswered = published(hub).receipt
    again = push(hub, the_record(), scan(), Idempotency_Key="k-1").json()
    assert again["records"][0]["receipt"] == str(unanswered)
    assert hub.attachments.purge(2**62) == 0


def test_a_file_of_a_record_the_bus_did_not_take_goes_and_one_of_an_accepted_record_stays(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[[], Any] = hub.bus.publisher

    class Away:
        blocked = False

        async def publish(self, *_arguments: Any) -> None:
            raise Unavailable("the broker is away")

        async def aclose(self) -> None:
            return

    async def publisher() -> Any:
        return Away()

    with monkeypatch.context() as patch:
        patch.setattr(hub.bus, "publisher", publisher)
        assert push(hub, the_record(), scan(picture("red"))).status_code == 503
    assert hub.bus.publisher == real
    assert push(hub, the_record(), scan(picture("blue"))).status_code == 202
    assert files_of(hub) == 2
    assert hub.attachments.purge(2**62) == 1
    assert files_of(hub) == 1
    entry = published(hub)
    assert entry.record is not None
    assert stored(hub, entry.record.scans[0].digest) == picture("blue")


def test_a_full_disk_is_a_try_again_and_stores_no_file(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ReadPart, "add", full)
        response = push(hub, the_record(), scan())
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert (hub.published(), files_of(hub)) == ([], 0)


def test_a_large_form_is_read_in_constant_memory(hub: Hub) -> None:
    sent = [picture("red") + bytes([number]) * 3_000_000 for number in range(8)]
    body = form(the_record(), *map(scan, sent))
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        base, _ = tracemalloc.get_traced_memory()
        assert post(hub, body, form_media()).status_code == 202
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(published(hub).raw) < 4000
    assert peak - base < 16_000_000
