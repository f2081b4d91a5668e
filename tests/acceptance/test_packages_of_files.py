"""From a pushed form to the file a reader fetches: scanned licences, and another library's sealed original."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from contracts.identifier import build
from core.packaging.ofd_reader import read_ofd
from faults import hub_process
from gateway_parts import TYPE, permits, record
from licencehub.app import Hub
from licencehub.foundation import found_hub
from ofd_material import IDENTIFIER, document, sealed_members, zipped
from scan_material import rotated, scan
from served_hub import Served, served_hub, wait_for
from signing_material import material

ISSUER = "11220000013544541J"
OTHER_ISSUER_NAME = "海州县行政审批局"


def prepare(hub: Hub) -> None:
    found_hub(hub)
    declared_type = {
        "code": TYPE,
        "name": {"en": "Permit"},
        "required": ["licence_number"],
        "items": {"KZ_NOTE": {"label": {"zh-CN": "类别"}, "codes": {"1": "普通", "2": "特殊"}}},
    }
    hub.store.registry.apply("licence-type", TYPE, declared_type, "test")
    for name, letter in (("typed", "A"), ("library", "E"), ("data", "D")):
        declared = permits(name, source_class=letter)
        declared["fields"] |= {"identifier": {"source": "id"}, "issuer_name": {"source": "issuer"}}
        hub.store.registry.apply("interface", name, declared, "test")
        hub.store.registry.set_state("interface", name, "enabled", "test")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_hub(tmp_path_factory.mktemp("hub"), prepare, real_packages=True) as served:
        yield served


def pushed(served: Served, interface: str, value: dict[str, Any], *files: tuple[str, bytes]) -> UUID:
    """Pushes a form, works it off, lets the packager run; returns the licence."""
    parts: list[Any] = [("record", (None, json.dumps(value), "application/json"))]
    parts += [(name, (f"{name}-{number}", data)) for number, (name, data) in enumerate(files)]
    path = f"/v1/interfaces/{interface}/records"
    with served.client() as client:
        sent = client.post(path, files=parts) if files else client.post(path, json=value)
    assert sent.status_code == 202, sent.text
    receipt = UUID(sent.json()["records"][0]["receipt"])
    served.work_off([receipt])
    entry = served.hub.store.ledger.entry(receipt)
    assert entry.licence_id is not None, entry
    package(served)
    return entry.licence_id


def package(served: Served) -> None:
    hub_process.run_packager(served.hub, hub_process.Fuse(0))


def fetched(served: Served, licence_id: UUID, what: str = "package", **parameters: str) -> httpx.Response:
    with served.client() as client:
        return client.get(f"/v1/licences/{licence_id}/{what}", params=parameters)


def verdict(served: Served, data: bytes) -> str:
    with served.client() as client:
        told: str = client.post("/v1/verifications", content=data).json()["verdict"]
    return told


def test_a_scanned_licence_is_fetched_in_both_forms_and_shown(served: Served) -> None:
    value = record("P-1", issuer="某省住建厅", note="普通")
    licence_id = pushed(served, "typed", value, ("scan", scan("yellow")), ("scan", rotated()))
    ofd, pdf = (fetched(served, licence_id, form=form).content for form in ("ofd", "pdf"))
    assert [verdict(served, data) for data in (ofd, pdf)] == ["valid", "valid"]
    content = read_ofd(ofd)
    assert (content.page_count, content.metadata["KZ_NOTE"]) == (2, "1")
    thumbnail = fetched(served, licence_id, "thumbnail").content
    with Image.open(io.BytesIO(thumbnail)) as picture:
        blue = picture.convert("RGB").getchannel("B").crop((100, 150, 110, 160))
    assert max(blue.tobytes()) < 60, "the first page is yellow"
    with served.client() as client:
        link = client.post(f"/v1/licences/{licence_id}/links").json()["url"]
    with httpx.Client(base_url=served.url) as anybody:
        face = anybody.get("/v1/links/" + link.rpartition("/")[2])
    assert face.content.startswith(b"\x89PNG")


def test_the_face_of_a_coded_item_says_what_the_code_means(served: Served) -> None:
    licence_id = pushed(served, "data", record("D-1", issuer="某省住建厅", note="2"))
    data = fetched(served, licence_id).content
    content = read_ofd(data)
    assert content.metadata["KZ_NOTE"] == "2"
    assert content.face_items["KZ_*"] == "类别：特殊"
    assert verdict(served, data) == "valid"


def test_an_original_is_given_out_byte_for_byte_once_its_library_is_trusted(served: Served) -> None:
    identifier = str(build(TYPE, ISSUER, "E0001", 1))
    parts = {
        name: content.replace(IDENTIFIER.encode(), identifier.encode())
        for name, content in document().items()
    }
    original = zipped(sealed_members(parts, material().signer, material().ses))
    value = record("E-1", issuer=OTHER_ISSUER_NAME, id=identifier, note="1")
    licence_id = pushed(served, "library", value, ("original", original))
    (held,) = served.hub.store.package_queue.list(["failed"]).packages
    assert (held.licence_id, "chain: untrusted" in held.detail) == (licence_id, True)
    assert fetched(served, licence_id).status_code == 409
    assert verdict(served, original) == "cannot-verify"

    believe(served.hub)
    wait_for(lambda: verdict(served, original) == "valid")
    served.hub.store.package_queue.release("failed", actor="a", reason="their root is trusted")
    package(served)
    answer = fetched(served, licence_id)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/ofd")
    assert answer.content == original
    assert fetched(served, licence_id, "thumbnail").status_code == 404
    assert fetched(served, licence_id, form="pdf").status_code == 404


def believe(hub: Hub) -> None:
    """The operator puts the other library's root where the hub keeps roots, while it serves."""
    folder: Path = hub.authority_folder / "other"
    folder.mkdir()
    (folder / "root.crt").write_bytes(material().root.certificate)
