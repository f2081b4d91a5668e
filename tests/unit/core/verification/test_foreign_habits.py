"""What real producers write otherwise than the standards say, each seen in files of theirs; nothing of it weakens a check."""

import io
import re
import struct
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest

from core.gm import curve, der
from core.gm.der import DerError
from core.ports.signer import Algorithm
from core.sealing.certificates import Purpose
from core.sealing.ses import parse_signature
from core.verification.ber import in_der
from core.verification.report import Verdict, VerificationReport
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from ofd_material import (
    PAGE,
    SIGNED_VALUE,
    Bend,
    Members,
    canonically_zipped,
    document,
    own_package,
    sealed,
    sealed_members,
    unzipped,
    zipped,
)
from pdf_material import cms, foreign_pdf
from signing_material import NOON, YEAR, issued, made_seal, material

MADE = material()
TRUST = TrustStore.of([MADE.root.certificate])
YEARLESS = (b"http://www.ofdspec.org/2016", b"http://www.ofdspec.org")


def verify(data: bytes, trust: TrustStore = TRUST) -> VerificationReport:
    return verify_file(data, trust, now=NOON + YEAR)


def bare_numbers(members: Members) -> Members:
    """The signature as r || s instead of DER."""
    value = der.children(der.read_one(members[SIGNED_VALUE]).content)
    r, s = curve.read_signature(der.read_bits(value[3]))
    numbers = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return {**members, SIGNED_VALUE: der.sequence(*(part.encoding for part in value[:3]), der.bits(numbers))}


@pytest.mark.parametrize(
    "bend",
    [
        Bend(signature_xml=lambda xml: xml.replace(b'FileRef="/', b'FileRef="')),
        Bend(signature_xml=lambda xml: xml.replace(b"<ofd:SignedValue>/", b"<ofd:SignedValue>")),
        Bend(
            signature_xml=lambda xml: xml.replace(b"/Doc_0/Signs/Sign_0/SignedValue.dat", b"SignedValue.dat")
        ),
        Bend(signature_xml=lambda xml: xml.replace(*YEARLESS)),
        Bend(signature_xml=lambda xml: b"\xef\xbb\xbf" + xml),
        Bend(property_info="Doc_0/Signs/Sign_0/Signature.xml"),
        Bend(property_info="Sign_0/Signature.xml"),
        Bend(property_info="signed by test"),
        Bend(method="1.2.156.10197.1.301.1"),
        Bend(method="1.2.156.10197.501"),
        Bend(ses_algorithm="1.2.156.10197.1.301.1", method="1.2.156.10197.1.501"),
    ],
)
def test_habits_inside_the_signed_part_are_read(bend: Bend) -> None:
    report = verify(zipped(sealed(bend=bend)))
    assert report.verdict is Verdict.VALID, report.first_failed


def test_a_signature_of_two_bare_numbers_is_read_in_files_of_others_only() -> None:
    assert verify(zipped(bare_numbers(sealed()))).verdict is Verdict.VALID
    own = canonically_zipped(bare_numbers(unzipped(own_package())))
    assert verify(own).verdict is Verdict.INVALID


def test_a_whole_document_in_the_yearless_namespace_is_read() -> None:
    members = {name: data.replace(*YEARLESS) for name, data in document().items()}
    whole = sealed_members(
        members, MADE.signer, MADE.ses, bend=Bend(signature_xml=lambda xml: xml.replace(*YEARLESS))
    )
    report = verify(zipped(whole))
    assert report.verdict is Verdict.VALID, report.first_failed
    assert report.content.metadata["ZZBFJG"] == "海州县行政审批局"
    assert verify(zipped({**whole, PAGE: b"<x/>"})).verdict is Verdict.INVALID


def in_encoding(encoding: str) -> Members:
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    return {
        name: (head + re.sub(r"^<\?xml.*?\?>", "", data.decode())).encode(encoding)
        if name.endswith(".xml")
        else data
        for name, data in document().items()
    }


@pytest.mark.parametrize(
    "members",
    [
        in_encoding("GBK"),
        in_encoding("GB18030"),
        {
            name: b"\xef\xbb\xbf" + data if name.endswith(".xml") else data
            for name, data in document().items()
        },
        {name: data.replace(b"ofd:", b"o:").replace(b":ofd=", b":o=") for name, data in document().items()},
        {
            name: data.replace(b"<ofd:", b"<").replace(b"</ofd:", b"</").replace(b"xmlns:ofd=", b"xmlns=")
            for name, data in document().items()
        },
    ],
    ids=["GBK", "GB18030", "byte order mark", "another prefix", "no prefix"],
)
def test_documents_in_other_encodings_and_prefixes_are_read(members: Members) -> None:
    report = verify(zipped(sealed_members(members, MADE.signer, MADE.ses)))
    assert report.verdict is Verdict.VALID, report.first_failed
    assert report.content.metadata["ZZBFJG"] == "海州县行政审批局"


def test_a_seal_dated_before_its_makers_certificate_stands_when_the_certificate_stood_at_its_use() -> None:
    maker = issued(MADE.root, Purpose.SEAL_MAKER, validity=(NOON - timedelta(days=30), NOON + YEAR))
    ses = made_seal(maker, MADE.signer)
    assert verify(zipped(sealed_members(document(), MADE.signer, ses))).verdict is Verdict.VALID


@pytest.mark.parametrize(
    ("written", "moment"),
    [(b"20260601120000.123Z", NOON), (b"20260601200000+0800", NOON), (b"20260601120000Z", NOON)],
)
def test_times_with_fractions_and_offsets_are_read(written: bytes, moment: object) -> None:
    value = der.children(der.read_one(sealed()[SIGNED_VALUE]).content)
    signed = der.children(value[0].content)
    inner = der.sequence(
        *(part.encoding for part in signed[:2]),
        der.tlv(0x18, written),
        *(part.encoding for part in signed[3:]),
    )
    whole = der.sequence(inner, *(part.encoding for part in value[1:]))
    assert parse_signature(whole).signed_at == moment


@pytest.mark.parametrize(
    "written", [b"20261301120000+0800", b"2026", b"20260601120000", b"2026060112000\xff"]
)
def test_times_that_are_none_are_refused(written: bytes) -> None:
    value = der.children(der.read_one(sealed()[SIGNED_VALUE]).content)
    signed = der.children(value[0].content)
    inner = der.sequence(
        *(part.encoding for part in signed[:2]),
        der.tlv(0x18, written),
        *(part.encoding for part in signed[3:]),
    )
    with pytest.raises(DerError):
        parse_signature(der.sequence(inner, *(part.encoding for part in value[1:])))


def streamed(*, wide: bool = False) -> bytes:
    """Written to a pipe: sizes follow each member, in 64 bits where asked."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sealed().items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=wide) as member:
                member.write(data)
    return out.getvalue()


def streamed_wide() -> bytes:
    return streamed(wide=True)


def backslashes() -> bytes:
    return zipped({name.replace("/", "\\"): data for name, data in sealed().items()})


def utf8_flag_in_the_local_header() -> bytes:
    data = bytearray(zipped(sealed()))
    struct.pack_into("<H", data, 6, 0x0800)
    return bytes(data)


def wide_sizes_in_the_local_header() -> bytes:
    """ZIP64 sizes for a small first member, as .NET writes them; the offsets behind it move."""
    data = zipped(sealed())
    name_size = struct.unpack_from("<H", data, 26)[0]
    packed, size = struct.unpack_from("<II", data, 18)
    extra = struct.pack("<HHQQ", 1, 16, size, packed)
    head = bytearray(data[: 30 + name_size])
    struct.pack_into("<II", head, 18, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", head, 28, len(extra))
    out = bytearray(bytes(head) + extra + data[30 + name_size :])
    end = out.rindex(b"PK\x05\x06")
    start = struct.unpack_from("<I", out, end + 16)[0] + len(extra)
    struct.pack_into("<I", out, end + 16, start)
    at = start
    while out[at : at + 4] == b"PK\x01\x02":
        (offset,) = struct.unpack_from("<I", out, at + 42)
        struct.pack_into("<I", out, at + 42, offset + len(extra) if offset else 0)
        at += 46 + sum(struct.unpack_from("<HHH", out, at + 28))
    return bytes(out)


def with_folders() -> bytes:
    out = io.BytesIO(zipped(sealed()))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("Doc_0/Res/", b"")
    return out.getvalue()


@pytest.mark.parametrize(
    "build",
    [
        streamed,
        streamed_wide,
        backslashes,
        utf8_flag_in_the_local_header,
        wide_sizes_in_the_local_header,
        with_folders,
    ],
)
def test_containers_of_other_tools_are_read(build: Callable[[], bytes]) -> None:
    report = verify(build())
    assert report.verdict is Verdict.VALID, report.first_failed


def indefinite(element: bytes) -> bytes:
    """The element with indefinite lengths wherever it is constructed, and octet strings in two pieces."""
    read = der.read_one(element)
    if read.tag == der.OCTET_STRING:
        half = len(read.content) // 2
        return b"\x24\x80" + der.octets(read.content[:half]) + der.octets(read.content[half:]) + b"\0\0"
    if not read.tag & 0x20:
        return element
    return (
        bytes([read.tag, 0x80])
        + b"".join(indefinite(part.encoding) for part in der.children(read.content))
        + b"\0\0"
    )


def test_ber_becomes_the_der_it_stands_for() -> None:
    value = cms(material(Algorithm.RSA_SHA256).signer, bytes(32))
    written = indefinite(value)
    assert in_der(written) == (value, len(written))
    assert in_der(value + b"\0\0") == (value, len(value))
    assert in_der(b"\x04\x81\x01a") == (b"\x04\x01a", 4)


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x80\x02\x01",
        b"\x04\x80\0\0",
        b"\x30\x80" * 60,
        b"\x1f\x01\x01a",
        b"\x04\x05a",
    ],
)
def test_what_is_no_ber_is_refused(junk: bytes) -> None:
    with pytest.raises(DerError):
        in_der(junk)


def test_a_pdf_whose_signature_value_is_ber_is_read() -> None:
    made = material(Algorithm.ECDSA_P256_SHA256)
    data = foreign_pdf(made.signer)
    start, end = data.index(b"/Contents <") + 11, data.index(b">\n/ByteRange")
    digits = data[start:end]
    value = der.read_first(bytes.fromhex(digits.decode())).encoding
    kind, wrapped = der.children(der.read_one(value).content)
    written = b"\x30\x80" + kind.encoding + b"\xa0\x80" + wrapped.content + b"\0\0\0\0"
    changed = data[:start] + written.hex().encode().ljust(len(digits), b"0") + data[end:]
    report = verify(changed, TrustStore.of([made.root.certificate]))
    assert report.verdict is Verdict.VALID, report.first_failed
