"""The signatures of a PDF as their dictionaries declare them (ISO 32000-2, 12.8): found by their byte ranges, nothing judged."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import islice

from core.verification.container import too_much
from core.verification.finding import Broken
from core.verification.limits import Limits

CADES_DETACHED, PKCS7_DETACHED = "ETSI.CAdES.detached", "adbe.pkcs7.detached"
OWN_MARK = b"/Prop_Build<</App<</Name/LicenceHub>>>>"
"""Stands in the signature dictionary of the hub's own files, inside the signed bytes."""
_BYTE_RANGE = re.compile(
    rb"/ByteRange\s{0,8}\[\s{0,8}(\d{1,10})\s{1,8}(\d{1,10})\s{1,8}(\d{1,10})\s{1,8}(\d{1,10})\s{0,64}\]"
)
_SUB_FILTER = re.compile(rb"/SubFilter\s{0,8}/([A-Za-z0-9.]{1,40})")
_TIME = re.compile(rb"/M\s{0,8}\(([^()]{1,80})\)")
_TIME_TEXT = re.compile(rb"D:(\d{14})(?:(Z)|([+-])(\d\d)'?(\d\d)'?)?")
_OCTAL = re.compile(rb"\\([0-7]{3})")
_HEX = re.compile(rb"[0-9A-Fa-f]*")
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

    @property
    def end(self) -> int:
        """Where the covered bytes end."""
        return self.byte_range[2] + self.byte_range[3]

    @property
    def value(self) -> bytes:
        """The bytes of /Contents, padding included."""
        return bytes.fromhex(self.contents.decode("ascii"))


def read_pdf(data: bytes, limits: Limits) -> tuple[PdfSignature, ...]:
    """The signatures in the order of what they cover; raises ``Broken`` for a file that is no PDF or a byte range that lies."""
    if len(data) > limits.file_bytes:
        raise too_much(
            f"the file is larger than {limits.file_bytes} bytes", f"文件超过 {limits.file_bytes} 字节"
        )
    if b"%%EOF" not in data[-1024:] or b"startxref" not in data[-2048:]:
        raise Broken("pdf-cut-off", "the PDF is cut off: it has no end", "PDF 不完整：没有结尾")
    ranges = list(islice(_BYTE_RANGE.finditer(data), _MOST_RANGES))
    signatures = [
        _signature(data, match, limits) for match in ranges if _SUB_FILTER.search(_dictionary(data, match))
    ]
    if len(ranges) == _MOST_RANGES or len(signatures) > limits.signatures:
        raise too_much(
            f"the file has more than {limits.signatures} signatures", f"签名超过 {limits.signatures} 个"
        )
    ordered = sorted(signatures, key=lambda signature: signature.end)
    return tuple(replace(signature, name=f"{number}") for number, signature in enumerate(ordered, start=1))


def _signature(data: bytes, match: re.Match[bytes], limits: Limits) -> PdfSignature:
    first, size, second, rest = byte_range = _numbers(match)
    if second - first - size > 2 * limits.binary_bytes:
        raise too_much("a signature value is too large", "签名值过大")
    gap = data[first + size : second]
    regular = first == 0 and size < second and second + rest <= len(data) and match.end() <= second + rest
    if (
        not regular
        or len(gap) < 2
        or (gap[:1], gap[-1:]) != (b"<", b">")
        or not _HEX.fullmatch(gap, 1, len(gap) - 1)
    ):
        raise Broken(
            "byte-range",
            "a signature's byte range leaves out more than its own value",
            "签名的字节范围遗漏了签名值以外的内容",
        )
    contents = gap[1:-1]
    if len(contents) % 2:
        raise Broken(
            "byte-range", "a signature value has an odd number of digits", "签名值的十六进制位数为奇数"
        )
    dictionary = _dictionary(data, match)
    filter_name = _SUB_FILTER.search(dictionary)
    return PdfSignature(
        name="",
        byte_range=byte_range,
        contents=contents,
        sub_filter=filter_name[1].decode("ascii") if filter_name else "",
        claimed_at=_moment(_TIME.search(dictionary)),
        own=OWN_MARK in dictionary,
    )


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
