"""Containers and markup made to mislead, exhaust or escape."""

import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.packaging.container import STORED, central_directory, member
from core.verification.limits import DEFAULT
from core.verification.report import Step, Verdict, VerificationReport
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from mutation_material import peak_above_idle_mb
from ofd_material import PAGE, SIGNATURE, XMLNS, Bend, Members, document, own_package, sealed, zipped
from signing_material import NOON, YEAR, material

TRUST = TrustStore.of([material().root.certificate])


def verify(data: bytes) -> VerificationReport:
    return verify_file(data, TRUST, now=NOON + YEAR)


def code(report: VerificationReport) -> str:
    return report.first_failed.reason.code if report.first_failed else ""


def rezipped(edit: Callable[[zipfile.ZipFile], None]) -> bytes:
    """The sealed sample with something more written by ``edit``."""
    out = io.BytesIO(zipped(sealed()))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        edit(archive)
    return out.getvalue()


def named(name: str) -> bytes:
    return rezipped(lambda archive: archive.writestr(name, b"x"))


def symlink() -> bytes:
    information = zipfile.ZipInfo("Doc_0/link")
    information.external_attr = 0xA1FF << 16
    return rezipped(lambda archive: archive.writestr(information, "/etc/passwd"))


def patched(data: bytes, at: int, form: str, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(form, changed, at, value)
    return bytes(changed)


def end_of(data: bytes) -> int:
    return data.rindex(b"PK\x05\x06")


def first_entry(data: bytes) -> int:
    return data.index(b"PK\x01\x02")


def overlapping() -> bytes:
    """One member lies inside the other's content, as in overlap bombs."""
    inner = member("b", b"x", method=STORED)
    outer = member("a", inner, method=STORED)
    directory = central_directory(outer)
    entry = bytearray(central_directory(inner)[:47])
    entry[42:46] = struct.pack("<I", len(outer) - len(inner))
    entries = directory[:47] + bytes(entry)
    return outer + entries + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(entries), len(outer), 0)


def before_the_end(data: bytes, more: bytes) -> bytes:
    """What readers that count back from the end record would take for the directory."""
    return data[: end_of(data)] + more + data[end_of(data) :]


def before_the_directory(data: bytes, more: bytes) -> bytes:
    """A member only readers see that do not ask the directory."""
    at = first_entry(data)
    moved = data[:at] + more + data[at:]
    return patched(moved, end_of(moved) + 16, "<I", at + len(more))


def with_wide_end(data: bytes, more: int = 0) -> bytes:
    """A ZIP64 end before the short one, as some tools always write it; its count is ``more`` too high."""
    end = end_of(data)
    _, _, _, _, count, size, start, _ = struct.unpack_from("<4sHHHHIIH", data, end)
    wide = struct.pack(
        "<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count + more, count + more, size, start
    )
    return data[:end] + wide + struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1) + data[end:]


def test_a_zip64_end_that_says_the_same_is_read() -> None:
    data = with_wide_end(zipped(sealed()))
    assert verify(data).verdict is Verdict.VALID
    unsaid = patched(patched(data, end_of(data) + 10, "<H", 0xFFFF), end_of(data) + 16, "<I", 0xFFFFFFFF)
    assert verify(patched(unsaid, end_of(unsaid) + 8, "<H", 0xFFFF)).verdict is Verdict.VALID


SAMPLE = zipped(sealed())
MALFORMED: list[tuple[str, Callable[[], bytes], str]] = [
    ("empty", lambda: b"", "unknown-form"),
    ("something else", lambda: b"GIF89a" + SAMPLE, "unknown-form"),
    ("cut off", lambda: SAMPLE[:-30], "container-malformed"),
    ("no members", lambda: b"PK\x03\x04" + zipped({}), "container-malformed"),
    ("bytes after the end", lambda: SAMPLE + b"x", "container-malformed"),
    ("several parts", lambda: patched(SAMPLE, end_of(SAMPLE) + 4, "<H", 1), "container-malformed"),
    (
        "ZIP64 end missing",
        lambda: patched(SAMPLE, end_of(SAMPLE) + 16, "<I", 0xFFFFFFFF),
        "container-malformed",
    ),
    ("ZIP64 sizes", lambda: patched(SAMPLE, first_entry(SAMPLE) + 24, "<I", 0xFFFFFFFF), "zip64"),
    ("ZIP64 end that differs", lambda: with_wide_end(SAMPLE, 1), "container-malformed"),
    ("bytes before the end", lambda: before_the_end(SAMPLE, b"x"), "container-malformed"),
    (
        "another directory",
        lambda: before_the_end(SAMPLE, SAMPLE[first_entry(SAMPLE) : end_of(SAMPLE)]),
        "container-malformed",
    ),
    (
        "unlisted member",
        lambda: before_the_directory(SAMPLE, member("x", b"x", method=STORED)),
        "container-malformed",
    ),
    (
        "folder with content",
        lambda: rezipped(lambda archive: archive.writestr("Doc_0/x/", b"x")),
        "container-malformed",
    ),
    (
        "more entries than there are",
        lambda: patched(patched(SAMPLE, end_of(SAMPLE) + 8, "<H", 99), end_of(SAMPLE) + 10, "<H", 99),
        "container-malformed",
    ),
    (
        "fewer entries than there are",
        lambda: patched(patched(SAMPLE, end_of(SAMPLE) + 8, "<H", 3), end_of(SAMPLE) + 10, "<H", 3),
        "container-malformed",
    ),
    (
        "directory beyond the end",
        lambda: patched(SAMPLE, end_of(SAMPLE) + 16, "<I", len(SAMPLE)),
        "container-malformed",
    ),
    ("encrypted", lambda: patched(SAMPLE, first_entry(SAMPLE) + 8, "<H", 1), "zip-method"),
    ("unknown compression", lambda: patched(SAMPLE, first_entry(SAMPLE) + 10, "<H", 12), "zip-method"),
    ("names differ", lambda: SAMPLE.replace(b"OFD.xml", b"OFX.xml", 1), "container-malformed"),
    ("sizes differ", lambda: patched(SAMPLE, 22, "<I", 1), "container-malformed"),
    ("overlap", overlapping, "members-overlap"),
    ("symbolic link", symlink, "container-malformed"),
    ("parent folder", lambda: named("../evil"), "member-name"),
    ("absolute", lambda: named("/etc/passwd"), "member-name"),
    ("hidden parent", lambda: named("Doc_0/a/../../../evil"), "member-name"),
    ("drive", lambda: named("C:evil"), "member-name"),
    ("empty part", lambda: named("Doc_0//x"), "member-name"),
]


@pytest.mark.parametrize(
    ("build", "expected"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED]
)
def test_malformed_containers_are_refused_by_name(build: Callable[[], bytes], expected: str) -> None:
    report = verify(build())
    assert code(report) == expected
    assert report.verdict is not Verdict.VALID
    assert report.first_failed == report.result_of(Step.CONTAINER)


def test_a_member_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = rezipped(lambda archive: archive.writestr("OFD.xml", b"<other/>"))
    assert code(verify(data)) == "member-twice"


def test_a_damaged_part_is_named() -> None:
    data = zipped(sealed(), method=zipfile.ZIP_STORED)
    report = verify(data.replace("海州县".encode(), "海洲县".encode(), 1))
    assert report.verdict is Verdict.INVALID
    assert code(report) == "member-damaged"


def test_bytes_that_nothing_covers_are_listed_for_files_of_others() -> None:
    out = io.BytesIO(zipped(sealed()))
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"hidden"
    report = verify(out.getvalue())
    assert report.verdict is Verdict.VALID
    assert [(run.length, run.what) for run in report.uncovered] == [(6, "comment of the file")]
    assert out.getvalue()[report.uncovered[0].offset :] == b"hidden"


MARKUP: list[tuple[str, bytes, str]] = [
    (
        "external entity",
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        "markup-doctype",
    ),
    ("document type", b"<!DOCTYPE html><x/>", "markup-doctype"),
    (
        "in UTF-16",
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x []><x/>'.encode("utf-16"),
        "markup-doctype",
    ),
    ("UTF-16 without", '<?xml version="1.0" encoding="UTF-16"?><x/>'.encode("utf-16"), "markup-encoding"),
    ("parameter entity", b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/">%p;]><x/>', "markup-doctype"),
    ("undefined entity", b"<x>&e;</x>", "markup-malformed"),
    ("too deep", b"<x>" * 5000 + b"</x>" * 5000, "markup-malformed"),
    ("too many elements", b"<x>" + b"<y/>" * 200_000 + b"</x>", "limit"),
    ("too many attributes", b"<x " + b" ".join(b"a%d='1'" % n for n in range(300_000)) + b"/>", "limit"),
    ("too large", b"<x>" + b"a" * (3 << 20) + b"</x>", "limit"),
    ("not closed", b"<x>", "markup-malformed"),
    ("nothing", b"", "markup-malformed"),
    ("another root", b"<x/>", "not-ofd"),
]


@pytest.mark.parametrize(
    ("markup", "expected"), [case[1:] for case in MARKUP], ids=[case[0] for case in MARKUP]
)
def test_hostile_markup_is_refused_by_name(markup: bytes, expected: str) -> None:
    report = verify(zipped({**sealed(), "OFD.xml": markup}))
    assert code(report) == expected
    assert report.verdict is Verdict.INVALID


def test_hostile_markup_in_a_signature_is_refused_too() -> None:
    bomb = b'<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    report = verify(zipped(sealed(bend=Bend(signature_xml=lambda xml: bomb + xml))))
    assert code(report) == "markup-doctype"


def many_members() -> bytes:
    return zipped({**sealed(), **{f"x/{n}": b"" for n in range(DEFAULT.members)}})


def many_references(xml: bytes) -> bytes:
    one = b'<ofd:Reference FileRef="/OFD.xml"><ofd:CheckValue>AAAA</ofd:CheckValue></ofd:Reference>'
    return xml.replace(b"</ofd:References>", one * (DEFAULT.references + 1) + b"</ofd:References>")


def many_signatures() -> Members:
    return {**document(signatures=DEFAULT.signatures + 1), SIGNATURE: b"<x/>"}


def test_members_references_and_signatures_are_counted() -> None:
    assert code(verify(many_members())) == "limit"
    assert code(verify(zipped(sealed(bend=Bend(signature_xml=many_references))))) == "references"
    assert code(verify(zipped(many_signatures()))) == "signature-list"


def bomb(size: int) -> bytes:
    """A sealed file whose page unpacks to ``size`` bytes of blanks, in well under a hundredth of that."""
    return zipped({**sealed(), PAGE: b" " * size})


def test_bytes_are_counted_while_unpacking_whatever_the_headers_say() -> None:
    limits = replace(DEFAULT, content_bytes=1 << 20)
    data = bomb(4 << 20)
    report = verify_file(data, TRUST, limits=limits)
    assert code(report) == "limit"
    lying = data.replace(struct.pack("<I", 4 << 20), struct.pack("<I", 100))
    assert code(verify_file(lying, TRUST, limits=limits)) == "limit"


def test_a_file_beyond_the_size_limit_is_not_looked_at() -> None:
    assert code(verify_file(own_package(), TRUST, limits=replace(DEFAULT, file_bytes=1000))) == "limit"


def many_large_pages() -> bytes:
    page = f"<ofd:Page {XMLNS}>" + "<ofd:A/>" * 25_000 + "</ofd:Page>"
    listed = "".join(f'<ofd:Page ID="{n}" BaseLoc="p{n}.xml"/>' for n in range(60))
    root = document()["Doc_0/Document.xml"].replace(b"</ofd:Pages>", listed.encode() + b"</ofd:Pages>")
    return zipped(
        {**sealed(), "Doc_0/Document.xml": root, **{f"Doc_0/p{n}.xml": page.encode() for n in range(60)}}
    )


@pytest.mark.slow
def test_memory_stays_within_50_mb_above_idle_whatever_comes(tmp_path: Path) -> None:
    hostile = [bomb(200 << 20), many_members(), many_large_pages(), zipped(many_signatures())]
    hostile += [zipped({**sealed(), "OFD.xml": markup}) for _, markup, _ in MARKUP]
    assert peak_above_idle_mb(tmp_path, [zipped(sealed()), *hostile]) <= 50


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_get_a_report(data: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"%PDF-1.7\n"):
        assert verify_file(start + data, TRUST).verdict is not Verdict.VALID
