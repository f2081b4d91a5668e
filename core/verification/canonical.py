"""The one form the hub's own packages have, rule by rule (docs/verification.md): no byte is left that a change could hide in."""

import base64
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from contracts.fault import Fault, Rule
from core.gm import der
from core.verification.digests import digest_of
from core.verification.finding import Finding
from core.verification.limits import DEFAULT
from core.verification.markup import OFD, parse_markup

LAST_MEMBERS = ("Doc_0/Signs/Sign_0/Signature.xml", "Doc_0/Signs/Sign_0/SignedValue.dat")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION, _TIME, _DATE = 20, 0x0000, 0x0021
_STORED, _DEFLATED = 0, 8


def _rule(code: str, en: str, zh: str) -> Rule:
    remedy = (
        "ask the issuer for the file again; it was changed after it was sealed",
        "请向颁发机构重新获取文件；文件在盖章后被改动",
    )
    return Rule(code=f"canonical.{code}", en=en, zh=zh, remedy_en=remedy[0], remedy_zh=remedy[1])


MEMBER = _rule(
    "member",
    "member {number} has not the header the hub writes",
    "第 {number} 个成员的文件头不是枢纽所写的形式",
)
DIRECTORY = _rule("directory", "the central directory is not the one of these members", "中央目录与成员不符")
LAST = _rule(
    "last",
    "the file does not end with its stored signature and signature value",
    "文件末尾不是以存储方式写入的签名与签名值",
)
CONTAINER_DIGEST = _rule(
    "container-digest",
    "bytes before the signature were changed after signing",
    "签名之前的字节在签名后被改动",
)
SIGNED_VALUE = _rule(
    "signed-value", "the signature value is not in its one encoding", "签名值不是唯一编码形式"
)


class _Entry(NamedTuple):
    name: str
    offset: int
    fields: tuple[int, ...]
    """Local header from flags to name length."""
    content: bytes
    end: int


def canonical_faults(data: bytes) -> list[Fault]:
    """Every way in which an OFD differs from the form the hub writes; empty for a canonical file.

    It judges form alone: digests of members and the signature are the other steps' work.
    """
    entries: list[_Entry] = []
    faults: list[Fault] = []
    try:
        entries.extend(_entries(data))
    except ValueError:
        faults.append(MEMBER.at("", number=len(entries) + 1))
    end = entries[-1].end if entries else 0
    if not faults and data[end:] != _directory(entries, end):
        faults.append(DIRECTORY.at(""))
    last = entries[-2:]
    if tuple(entry.name for entry in last) != LAST_MEMBERS or any(
        entry.fields[1] != _STORED for entry in last
    ):
        return [*faults, LAST.at("")]
    signature, value = last
    if not _container_digest_holds(data[: signature.offset], signature.content):
        faults.append(CONTAINER_DIGEST.at(""))
    if not _one_encoding(value.content):
        faults.append(SIGNED_VALUE.at(""))
    return faults


def _entries(data: bytes) -> Iterator[_Entry]:
    """Members from byte 0 on; ValueError at the first whose header is not canonical."""
    offset, seen = 0, set()
    while data[offset : offset + 4] != _CENTRAL_MARK:
        try:
            mark, version, *fields = _LOCAL.unpack_from(data, offset)
        except struct.error as error:
            raise ValueError("header is cut off") from error
        flags, method, time, date, crc, packed, size, name_size, extra_size = fields
        start = offset + _LOCAL.size
        name = data[start : start + name_size].decode("ascii")
        content = data[start + name_size : start + name_size + packed]
        fixed = (mark, version, flags, time, date, extra_size) == (_LOCAL_MARK, _VERSION, 0, _TIME, _DATE, 0)
        if not fixed or method not in (_STORED, _DEFLATED) or name in seen or not _plain_name(name):
            raise ValueError("header is not canonical")
        if len(content) != packed or (method == _STORED and (packed, crc) != (size, zlib.crc32(content))):
            raise ValueError("content is not what the header says")
        seen.add(name)
        offset = start + name_size + packed
        yield _Entry(name, offset - packed - name_size - _LOCAL.size, tuple(fields), content, offset)


def _directory(entries: list[_Entry], start: int) -> bytes:
    central = b"".join(
        _CENTRAL.pack(_CENTRAL_MARK, _VERSION, _VERSION, *entry.fields, 0, 0, 0, 0, entry.offset)
        + entry.name.encode()
        for entry in entries
    )
    return central + _END.pack(_END_MARK, 0, 0, len(entries), len(entries), len(central), start, 0)


def _plain_name(name: str) -> bool:
    parts = name.split("/")
    return all(part.strip(".") and part.isprintable() and "\\" not in part for part in parts)


def _container_digest_holds(before: bytes, signature: bytes) -> bool:
    try:
        root = parse_markup(signature, LAST_MEMBERS[0], DEFAULT.markup_nodes)
        parameters = root.findall(f"{OFD}SignedInfo/{OFD}Parameters/{OFD}Parameter[@Name='container']")
        references = root.findall(f"{OFD}SignedInfo/{OFD}References")
        if len(parameters) != 1 or len(references) != 1:
            return False
        stated = base64.b64decode(parameters[0].text or "", validate=True)
        return stated == digest_of(references[0].get("CheckMethod", ""), before)
    except (Finding, ValueError):
        return False


def _one_encoding(value: bytes) -> bool:
    """Four strict DER parts: a timestamp would be a fifth that nothing covers."""
    try:
        return len(der.children(der.read_one(value, der.SEQUENCE).content)) == 4
    except der.DerError:
        return False
