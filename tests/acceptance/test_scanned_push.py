"""Records that come with their files, over HTTP into a real hub, and what the library then knows of them."""

import hashlib
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from adapters.rereading import Rereader
from contracts.outcome import Outcome
from core.errors import NotFound
from core.interfaces import InterfaceDirectory
from core.ports.intake import Lot
from core.service.registration import Registration
from form_material import form, form_media, picture, scan, sealed_ofd, the_record
from gateway_parts import TYPE, permits, record
from licencehub.app import Hub
from router.replay import Replay
from served_hub import Served, served_hub

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "scanned-approvals"
EXPECTED = json.loads((EXAMPLE / "expected.json").read_bytes())
READER = """
[[client]]
id = "reader"
kind = "bearer"
secret = "file:secrets/client-reader.key"
[[client.grants]]
actions = ["licence.read", "licence.fetch"]
types = ["*"]
"""
PERMIT = {
    "code": TYPE,
    "name": {"en": "Permit"},
    "required": ["licence_number"],
    "items": {"KZ_NOTE": {"label": {"en": "Note"}}},
}
WORDS = list(EXPECTED["outcomes"].values())


def prepare(hub: Hub) -> None:
    (hub.folder / "secrets" / "client-reader.key").write_text("the-bearer-key-of-reader")
    registry = hub.store.registry
    for entry in Registration(registry).apply([EXAMPLE / "interface.toml"], "test", hub.styles):
        if entry.kind == "interface":
            registry.set_state("interface", entry.name, "enabled", "test")
    registry.apply("licence-type", TYPE, PERMIT, "test")
    for name, letter in (("material", "B"), ("replayed", "B"), ("library", "E"), ("data", "D")):
        declared = permits(name, source_class=letter)
        declared["fields"]["verified_by"] = {"source": "verifier"}
        registry.apply("interface", name, declared, "test")
        registry.set_state("interface", name, "enabled", "test")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_hub(tmp_path_factory.mktemp("hub"), prepare, READER) as served:
        yield served


def push(
    served: Served, interface: str, value: dict[str, Any], *files: tuple[str, bytes], **headers: str
) -> UUID:
    """Pushes a form (JSON without files) and returns the receipt once it has its outcome."""
    path = f"/v1/interfaces/{interface}/records"
    parts: list[Any] = [("record", (None, json.dumps(value), "application/json"))]
    parts += [(name, (f"{name}-{n}", data, "image/png")) for n, (name, data) in enumerate(files)]
    with served.client() as client:
        sent = client.post(path, files=parts, headers=headers) if files else client.post(path, json=value)
    assert sent.status_code == 202, sent.text
    receipt = UUID(sent.json()["records"][0]["receipt"])
    served.work_off([receipt])
    return receipt


def outcome(served: Served, receipt: UUID) -> tuple[str, list[str]]:
    row = served.hub.store.ledger.entry(receipt)
    return row.outcome.value, [f"{fault.rule} {fault.pointer}" for fault in row.faults]


def shown(served: Served, receipt: UUID) -> dict[str, Any]:
    licence_id = served.hub.store.ledger.entry(receipt).licence_id
    with served.client() as client:
        licence: dict[str, Any] = client.get(f"/v1/licences/{licence_id}").json()
    return licence


def permit(**changes: str) -> dict[str, Any]:
    stated: dict[str, Any] = json.loads((EXAMPLE / EXPECTED["record"]).read_bytes())
    return stated | changes


def example_pages() -> list[tuple[str, bytes]]:
    return [("scan", (EXAMPLE / name).read_bytes()) for name in EXPECTED["scans"]]


def test_the_example_ends_as_it_says(served: Served) -> None:
    other = [("scan", picture("red"))]
    sent = [
        push(served, "planning-permits", permit(), *example_pages()),
        push(served, "planning-permits", permit(), *example_pages()),
        push(served, "planning-permits", permit(), *other),
        push(served, "planning-permits", permit(gxsj="2024-05-21 09:00:00"), *other),
        push(served, "planning-permits", permit(zsbh="建字第9号")),
    ]
    assert [outcome(served, receipt)[0] for receipt in sent] == WORDS
    assert outcome(served, sent[-1])[1] == ["scan.missing /scans"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_pushes_pages_with_a_bearer_key_and_signed(served: Served, tmp_path: Path) -> None:
    for name in EXPECTED["scans"]:
        shutil.copy(EXAMPLE / name, tmp_path)
    (tmp_path / "record.json").write_text(json.dumps(permit(zsbh="建字第77号")))
    path = f"{served.url}/v1/interfaces/planning-permits/records"
    bearer = ["curl", "-sS", path, "-H", f"Authorization: Bearer {served.secret('developer')}"]
    bearer += [
        "-F",
        "record=@record.json;type=application/json",
        "-F",
        "scan=@page1.jpg",
        "-F",
        "scan=@page2.png",
    ]
    secret = served.hub.folder / "secrets" / "client-department.key"
    signed = [
        "sh",
        str(ROOT / "examples" / "clients" / "push-scans.sh"),
        served.url,
        "department",
        str(secret),
    ]
    signed += ["planning-permits", "record.json", "page1.jpg", "page2.png"]
    receipts = []
    for command in (bearer, signed, signed):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
        receipts.append(json.loads(done.stdout)["records"][0]["receipt"])
    assert receipts[1] == receipts[2] != receipts[0]
    served.work_off(sorted({UUID(receipt) for receipt in receipts}))
    [first, again, _same] = [served.hub.store.ledger.entry(UUID(receipt)) for receipt in receipts]
    assert first.licence_id == again.licence_id is not None
    assert {first.outcome, again.outcome} == {Outcome.NEW, Outcome.REPEAT}


def test_a_form_cut_on_its_way_leaves_nothing(served: Served) -> None:
    body = form(the_record(permit(zsbh="建字第99号")), scan(picture("purple")))
    head = (
        "POST /v1/interfaces/planning-permits/records HTTP/1.1\r\nHost: hub\r\n"
        f"Authorization: Bearer {served.secret('developer')}\r\n"
        f"Content-Type: {form_media()['Content-Type']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(head.encode() + body[:-10])
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    digest = hashlib.sha256(picture("purple")).digest()
    with pytest.raises(NotFound):
        served.hub.store.blobs.get(digest)


def test_a_licence_says_what_it_came_with_and_gives_it_to_management_alone(served: Served) -> None:
    red, blue = picture("red"), picture("blue", "PNG")
    receipt = push(served, "material", record("S-1", verifier="李四"), ("scan", red), ("scan", blue))
    licence = shown(served, receipt)
    assert licence["source_class"] == "B"
    assert [(s["name"], s["media_type"], s["size_bytes"]) for s in licence["scans"]] == [
        ("scan-0", "image/jpeg", len(red)),
        ("scan-1", "image/png", len(blue)),
    ]
    assert "李四" not in json.dumps(licence, ensure_ascii=False)
    one = f"/v1/licences/{licence['id']}"
    with served.client() as client:
        first, second = client.get(f"{one}/scans/1"), client.get(f"{one}/scans/2")
        assert (first.content, second.content) == (red, blue)
        assert second.headers["content-type"] == "image/png"
        assert second.headers["etag"] == f'"{licence["scans"][1]["digest"]}"'
        assert client.get(f"{one}/scans/3").status_code == 404
        assert client.get(f"{one}/original").status_code == 404
        for wrong in ("0", "x", "-1", "１"):
            assert client.get(f"{one}/scans/{wrong}").status_code == 400
        signed_in = client.headers["Authorization"]
    with httpx.Client(
        base_url=served.url, headers={"Authorization": "Bearer the-bearer-key-of-reader"}
    ) as reader:
        assert reader.get(f"{one}/scans/1").status_code == 403
        assert reader.headers["Authorization"] != signed_in


def test_another_librarys_original_is_kept_untouched(served: Served) -> None:
    receipt = push(served, "library", record("S-2"), ("original", sealed_ofd()))
    licence = shown(served, receipt)
    assert (licence["scans"], licence["original"]["media_type"]) == ([], "application/ofd")
    with served.client() as client:
        assert client.get(f"/v1/licences/{licence['id']}/original").content == sealed_ofd()


@pytest.mark.parametrize(
    ("interface", "files", "findings"),
    [
        ("material", [("scan", picture())], ["verified-by.missing /verifier"]),
        ("material", [], ["scan.missing /scans", "verified-by.missing /verifier"]),
        ("library", [], ["original.missing /original"]),
        ("library", [("scan", picture())], ["scan.unexpected /scans", "original.missing /original"]),
        ("data", [("scan", picture())], ["scan.unexpected /scans"]),
        ("data", [("original", sealed_ofd())], ["original.unexpected /original"]),
    ],
)
def test_files_must_fit_how_the_data_came_about(
    served: Served, interface: str, files: list[tuple[str, bytes]], findings: list[str]
) -> None:
    receipt = push(served, interface, record("S-3"), *files)
    assert outcome(served, receipt) == ("rejected", findings)


def test_a_replay_finds_the_files_of_the_raw_record_again(served: Served) -> None:
    receipt = push(
        served, "replayed", record("S-4"), ("scan", picture("green"))
    )  # rejected: nobody verified it
    hub = served.hub
    declared = permits("replayed", source_class="B")
    declared["fields"]["verified_by"] = {"constant": "窗口核验"}
    hub.store.registry.apply("interface", "replayed", declared, "test")
    replayed = _replay(hub, receipt)
    served.work_off([replayed])
    assert outcome(served, replayed) == ("new", [])
    assert [scan["size_bytes"] for scan in shown(served, replayed)["scans"]] == [len(picture("green"))]
    again = _replay(hub, replayed)
    served.work_off([again])
    assert outcome(served, again)[0] == "repeat"


def test_references_the_hub_did_not_write_are_refused_by_a_replay_too(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = push(served, "material", record("S-5", verifier="李四"), ("scan", picture("black")))
    [stolen] = shown(served, mine)["scans"]
    hub = served.hub
    row = hub.store.ledger.entry(push(served, "data", record("S-6")))
    forged = json.dumps(
        record("S-6") | {"$scans": [stolen]}
    ).encode()  # of an age before the names were reserved
    monkeypatch.setattr(hub.store.ledger, "raw_of", lambda _receipt: forged)
    [(_row, draft)] = list(Rereader(hub.store, hub.config.data).drafts([row], _live(hub, "data"), []))
    assert draft.record is None
    assert [fault.rule for fault in draft.faults] == ["mapping.reserved-field"]


def _live(hub: Hub, name: str) -> Any:
    directory = InterfaceDirectory(hub.store.registry.snapshot)
    directory.refresh()
    return next(live for live in directory.all() if live.declaration.name == name)


def _replay(hub: Hub, receipt: UUID) -> UUID:
    row = hub.store.ledger.entry(receipt)
    live = _live(hub, row.interface)
    lot = Lot(row.interface, live.revision, "rest", live.declaration.collection)
    drafts = Rereader(hub.store, hub.config.data).drafts([row], live, [])
    [fresh] = Replay(hub.store, lot).publish(drafts, hub.intake())
    return fresh
