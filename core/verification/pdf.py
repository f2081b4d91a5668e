"""The signatures of a PDF as their dictionaries declare them (ISO 32000-2, 12.8): found by their byte ranges, nothing judged."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import islice

from core.verification.container import too_much
from core.verification.finding import Broken
from core.verification.limits import Limits
from core.verification.pdf_additions import signature_values
from core.verification.pdf_structure import read_revision
from core.verification.pdf_syntax import Budget, Scanner, StructureError, Value

CADES_DETACHED, PKCS7_DETACHED = "ETSI.CAdES.detached", "adbe.pkcs7.detached"
PKCS7_SHA1, X509_RSA_SHA1 = "adbe.pkcs7.sha1", "adbe.x509.rsa_sha1"
TIMESTAMP = "ETSI.RFC3161"
OWN_MARK = b"/Prop_Build<</App<</Name/LicenceHub>>>>"
"""Stands in the signature dictionary of the hub's own files, inside the signed bytes."""
_BYTE_RANGE = re.compile(
    rb"/ByteRange\s{0,8}\[\s{0,8}(\d{1,10})\s{1,8}(\d{1,10})\s{1,8}(\d{1,10})\s{1,8}(\d{1,10})\s{0,64}\]"
)
_SUB_FILTER = re.compile(rb"/SubFilter\s{0,8}/([A-Za-z0-9._-]{1,40})")
_TIME = re.compile(rb"/M\s{0,8}\(([^()]{1,80})\)")
_TIME_TEXT = re.compile(rb"D:(\d{14})(?:(Z)|([+-])(\d\d)'?(\d\d)'?)?")
_CERTIFICATES = re.compile(rb"/Cert(?=[\0\t\n\f\r \[<(])")
_OCTAL = re.compile(rb"\\([0-7]{3})")
_HEX = re.compile(rb"[0-9A-Fa-f\0\t\n\f\r ]*")
_INK = re.compile(rb"[^\0\t\n\f\r ]")
_BLANKS = b"\0\t\n\f\r "
_DICTIONARY_BYTES = 64 * 1024
_MOST_RANGES = 200
"""Byte ranges looked at, real ones and text that only looks like one."""


@dataclass(frozen=True, kw_only=True)
class PdfSignature:
    """One signature dictionary."""

    name: str
    byte_range: tuple[int, int, int, int]
    contents: bytes
    """Hexadecimal digits of /Contents as they stand in the file."""
    sub_filter: str
    claimed_at: datetime | None
    own: bool
    number: int = 0
    """Its object, where the structure of the file was asked; else 0."""
    certificates: tuple[bytes, ...] = ()
    """/Cert of the dictionary, which old forms use in place of CMS."""

    @property
    def is_timestamp(self) -> bool:
        """A document timestamp, which states no more than that the file was there."""
        return self.sub_filter == TIMESTAMP

    @property
    def end(self) -> int:
        """Where the covered bytes end."""
        return self.byte_range[2] + self.byte_range[3]

    @property
    def value(self) -> bytes:
        """The bytes of /Contents, padding included."""
        return bytes.fromhex(self.contents.translate(None, _BLANKS).decode("ascii"))


def read_pdf(data: bytes, limits: Limits) -> tuple[PdfSignature, ...]:
    """The signatures in the order of what they cover; raises ``Broken`` for a file that is no PDF or a byte range that lies."""
    if len(data) > limits.file_bytes:
        raise too_much(
            f"the file is larger than {limits.file_bytes} bytes", f"文件超过 {limits.file_bytes} 字节"
        )
    if b"%%EOF" not in data[-1024:] or b"startxref" not in data[-2048:]:
        raise Broken("pdf-cut-off", "the PDF is cut off: it has no end", "PDF 不完整：没有结尾")
    found = list(islice(_BYTE_RANGE.finditer(data), _MOST_RANGES))
    if len(found) == _MOST_RANGES:
        raise _too_many(limits)
    ranges = [match for match in found if _SUB_FILTER.search(_dictionary(data, match))]
    held = dict.fromkeys(ranges, 0) if _one_covers_all(data, ranges) else _held_by_fields(data, ranges)
    if len(held) > limits.signatures:
        raise _too_many(limits)
    signatures = [_signature(data, match, number, limits) for match, number in held.items()]
    ordered = sorted(signatures, key=lambda signature: signature.end)
    return tuple(replace(signature, name=f"{number}") for number, signature in enumerate(ordered, start=1))


def _one_covers_all(data: bytes, ranges: list[re.Match[bytes]]) -> bool:
    """Whether one signature covers every byte: then nothing in the structure can be about anything else."""
    if len(ranges) != 1:
        return False
    _, _, second, rest = _numbers(ranges[0])
    return _regular(data, ranges[0]) and is_blank(data, second + rest)


def is_blank(data: bytes, start: int) -> bool:
    """Whether nothing but white space stands from ``start`` to the end of the file."""
    return _INK.search(data, start) is None


def _held_by_fields(data: bytes, ranges: list[re.Match[bytes]]) -> dict[re.Match[bytes], int]:
    """The byte ranges of signatures the form holds, with their objects; text of attachments may only look like one."""
    try:
        values = signature_values(read_revision(data, len(data), Budget()))
    except StructureError:
        return dict.fromkeys(ranges, 0)
    return {
        match: number
        for match in ranges
        for number, placed in values.items()
        if placed.start <= match.start() < placed.end
    }


def _regular(data: bytes, match: re.Match[bytes]) -> bool:
    """Whether the byte range leaves out one hexadecimal string and nothing else."""
    first, size, second, rest = _numbers(match)
    gap = data[first + size : second]
    inside = first == 0 and size < second and second + rest <= len(data) and match.end() <= second + rest
    return (
        inside
        and len(gap) >= 2
        and (gap[:1], gap[-1:]) == (b"<", b">")
        and _HEX.fullmatch(gap, 1, len(gap) - 1) is not None
    )


def _signature(data: bytes, match: re.Match[bytes], number: int, limits: Limits) -> PdfSignature:
    first, size, second, _ = byte_range = _numbers(match)
    if second - first - size > 2 * limits.binary_bytes:
        raise too_much("a signature value is too large", "签名值过大")
    if not _regular(data, match):
        raise Broken(
            "byte-range",
            "a signature's byte range leaves out more than its own value",
            "签名的字节范围遗漏了签名值以外的内容",
        )
    contents = data[first + size + 1 : second - 1]
    if len(contents.translate(None, _BLANKS)) % 2:
        raise Broken(
            "byte-range", "a signature value has an odd number of digits", "签名值的十六进制位数为奇数"
        )
    dictionary = _dictionary(data, match)
    filter_name = _SUB_FILTER.search(dictionary)
    sub_filter = filter_name[1].decode("ascii") if filter_name else ""
    return PdfSignature(
        name="",
        byte_range=byte_range,
        contents=contents,
        sub_filter=sub_filter,
        claimed_at=_moment(_TIME.search(dictionary)),
        own=OWN_MARK in dictionary,
        number=number,
        certificates=_certificates(dictionary) if sub_filter == X509_RSA_SHA1 else (),
    )


def _certificates(dictionary: bytes) -> tuple[bytes, ...]:
    found = _CERTIFICATES.search(dictionary)
    if found is None:
        return ()
    try:
        value: Value = Scanner(dictionary, found.end(), Budget()).value()
    except StructureError:
        return ()
    values = value if isinstance(value, list) else [value]
    return tuple(certificate for certificate in values if isinstance(certificate, bytes))


def _dictionary(data: bytes, match: re.Match[bytes]) -> bytes:
    """The signature dictionary without /Contents, as far as it lies around the byte range."""
    _, size, second, _ = _numbers(match)
    before_value = match.start() < size
    at = match.start() if before_value else size
    earliest = max(0, at - _DICTIONARY_BYTES)
    start = max(data.rfind(b" obj", earliest, at), earliest)
    after = second if before_value else match.end()
    stop = data.find(b"endobj", after, after + _DICTIONARY_BYTES)
    return (
        data[max(start, size - _DICTIONARY_BYTES) : size]
        + data[second : max(stop, after)][:_DICTIONARY_BYTES]
    )


def _too_many(limits: Limits) -> Broken:
    return too_much(
        f"the file has more than {limits.signatures} signatures", f"签名超过 {limits.signatures} 个"
    )


def _numbers(match: re.Match[bytes]) -> tuple[int, int, int, int]:
    first, size, second, rest = (int(group) for group in match.groups())
    return first, size, second, rest


def _moment(written: re.Match[bytes] | None) -> datetime | None:
    """The time of /M (ISO 32000-2, 7.9.4), octal escapes resolved; None when it is none."""
    plain = _OCTAL.sub(lambda code: bytes([int(code[1], 8) & 0xFF]), written[1]) if written else b""
    match = _TIME_TEXT.match(plain)
    if match is None:
        return None
    digits, _, sign, hours, minutes = (group.decode() if group else "" for group in match.groups())
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=timezone(offset))
    except ValueError:
        return None
