"""Reading a ZIP that may be hostile: every member accounted for, nothing believed that was not counted (APPNOTE 6.3.10)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.verification.finding import Broken, Undecided
from core.verification.limits import Limits
from core.verification.report import UncoveredBytes

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_WIDE_END, _LOCATOR = struct.Struct("<4sQHHIIQQQQ"), struct.Struct("<4sIQI")
_WIDE_END_MARK, _LOCATOR_MARK = b"PK\x06\x06", b"PK\x06\x07"
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x0001, 0x0008, 0x0800
_SYMLINK = 0xA000
_LONGEST_COMMENT = 65_535
_IN_EXTRA, _MANY = 0xFFFFFFFF, 0xFFFF
_WIDE_SIZES = struct.Struct("<HHQQ")
"""ZIP64 field of a local header; some producers always write it, also for small members."""
_NOTHING_DEFLATED = b"\x03\x00"
_PIECE = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member as the central directory and its local header agree on."""

    name: str
    method: int
    crc: int
    packed_size: int
    size: int
    header_offset: int
    content_offset: int
    end_offset: int
    """After the content, or after its data descriptor."""

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


@dataclass
class Container:
    """The members of a file, readable within the limits."""

    data: bytes
    members: dict[str, Member]
    uncovered: tuple[UncoveredBytes, ...]
    limits: Limits
    _spent: int = field(default=0, init=False)
    _nodes: int = field(default=0, init=False)

    def read(self, name: str, limit: int) -> bytes:
        """The content of a member of at most ``limit`` bytes; raises ``Broken``."""
        pieces, size = [], 0
        for piece in self.pieces(name):
            size += len(piece)
            if size > limit:
                raise too_much(f"{name} is larger than {limit} bytes", f"{name} 超过 {limit} 字节")
            pieces.append(piece)
        return b"".join(pieces)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a member piece by piece, size and CRC checked at the end; raises ``Broken``."""
        member = self.members.get(name)
        if member is None:
            raise Broken("member-missing", f"{name} is not in the file", f"文件中没有 {name}")
        crc, size = 0, 0
        for piece in self._unpacked(member):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            self._spend(len(piece))
            yield piece
        if crc != member.crc or size != member.size:
            raise Broken(
                "member-damaged", f"{name} is damaged: size or CRC differ", f"{name} 已损坏：大小或 CRC 不符"
            )

    def count_nodes(self, nodes: int) -> None:
        """Adds to the markup read so far; raises ``Broken`` beyond the limit."""
        self._nodes += nodes
        if self._nodes > self.limits.all_markup_nodes:
            raise too_much("the markup of all parts is too large", "全部标记内容过大")

    def _unpacked(self, member: Member) -> Iterator[bytes]:
        start, end = member.content_offset, member.content_offset + member.packed_size
        if member.method == _STORED:
            for at in range(start, end, _PIECE):
                yield self.data[at : min(at + _PIECE, end)]
            return
        yield from _inflated(self.data, start, end, member.name)

    def _spend(self, size: int) -> None:
        self._spent += size
        if self._spent > self.limits.content_bytes:
            raise too_much(
                f"the content is larger than {self.limits.content_bytes} bytes",
                f"内容超过 {self.limits.content_bytes} 字节",
            )


def open_container(data: bytes, limits: Limits) -> Container:
    """The members of ``data``; raises ``Broken`` for a container that is not sane, ``Undecided`` for one not supported."""
    if len(data) > limits.file_bytes:
        raise too_much(
            f"the file is larger than {limits.file_bytes} bytes", f"文件超过 {limits.file_bytes} 字节"
        )
    end = _end_record(data)
    count, directory_size, directory_offset = end.fields[4], end.fields[5], end.fields[6]
    if count > limits.members:
        raise too_much(
            f"the file has more than {limits.members} members", f"文件成员超过 {limits.members} 个"
        )
    if directory_offset + directory_size != end.start:
        raise _insane("the central directory does not end where its end record begins")
    uncovered = [_gap(end.offset + _END.size, len(data), "comment of the file", "文件注释")]
    members: dict[str, Member] = {}
    at = directory_offset
    for _ in range(count):
        member, size, extra = _central_entry(data, at, directory_offset + directory_size)
        _refuse_name(member.name, members)
        members[member.name] = member
        uncovered += extra
        at += size
    if at != directory_offset + directory_size:
        raise _insane("the central directory has bytes beyond its entries")
    uncovered += _between_members(members, directory_offset)
    found = tuple(run for run in sorted(uncovered, key=lambda run: run.offset) if run.length)
    if any(data.find(_LOCAL_MARK, run.offset, run.offset + run.length) >= 0 for run in found):
        raise _insane("a member that the central directory does not list")  # for readers that only stream
    return Container(data, members, found, limits)


@dataclass(frozen=True)
class _End:
    offset: int
    start: int
    """Where what ends the file begins: the record itself, or its ZIP64 form before it."""
    fields: tuple[int, ...]


def _end_record(data: bytes) -> _End:
    offset = data.rfind(_END_MARK, max(0, len(data) - _LONGEST_COMMENT - _END.size))
    if offset < 0 or offset + _END.size > len(data):
        raise _insane("there is no end record: the file is cut off or is no ZIP")
    _, disk, first_disk, here, total, size, start, comment = _END.unpack_from(data, offset)
    if disk or first_disk or here != total:
        raise _insane("the archive has several parts")
    if offset + _END.size + comment != len(data):
        raise _insane("bytes follow the end record")
    begins, said = _wide_end(data, offset, (total, size, start))
    return _End(offset, begins, (disk, first_disk, here, here, *said, comment))


def _wide_end(data: bytes, offset: int, said: tuple[int, int, int]) -> tuple[int, tuple[int, int, int]]:
    """Where the end begins, and entries, size and offset of the directory; a ZIP64 end has to say what the short one says."""
    at = offset - _WIDE_END.size - _LOCATOR.size
    locator = data[max(0, offset - _LOCATOR.size) : offset]
    if at < 0 or not locator.startswith(_LOCATOR_MARK):
        if said[0] == _MANY or _IN_EXTRA in said:
            raise _insane("the ZIP64 end record is missing")
        return offset, said
    wide = _WIDE_END.unpack_from(data, at)
    told: tuple[int, int, int] = wide[7:10]
    plain = (wide[0], wide[1], wide[4], wide[5]) == (_WIDE_END_MARK, _WIDE_END.size - 12, 0, 0)
    agrees = all(
        short in (long, unsaid)
        for short, long, unsaid in zip(said, told, (_MANY, _IN_EXTRA, _IN_EXTRA), strict=True)
    )
    if not plain or not agrees or wide[6] != wide[7] or _LOCATOR.unpack(locator) != (_LOCATOR_MARK, 0, at, 1):
        raise _insane("the two end records differ")
    return at, told


def _central_entry(data: bytes, at: int, stop: int) -> tuple[Member, int, list[UncoveredBytes]]:
    if at + _CENTRAL.size > stop:
        raise _insane("the central directory is cut off")
    fields = _CENTRAL.unpack_from(data, at)
    (
        mark,
        _,
        _,
        flags,
        method,
        _,
        _,
        crc,
        packed,
        size,
        name_size,
        extra_size,
        comment_size,
        disk,
        _,
        external,
        offset,
    ) = fields
    whole = _CENTRAL.size + name_size + extra_size + comment_size
    if mark != _CENTRAL_MARK or at + whole > stop or disk:
        raise _insane("an entry of the central directory is malformed")
    raw_name = data[at + _CENTRAL.size : at + _CENTRAL.size + name_size]
    name = _decoded_name(raw_name, flags)
    if flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
        raise Undecided(
            "zip-method", f"{name} is encrypted or packed in an unknown way", f"{name} 已加密或压缩方式未知"
        )
    if _IN_EXTRA in (packed, size, offset):
        raise Undecided("zip64", f"the sizes of {name} in ZIP64 are not read", f"不支持 {name} 的 ZIP64 大小")
    if external >> 16 & 0xF000 == _SYMLINK:
        raise _insane(f"{name} is a symbolic link")
    if method == _STORED and packed != size:
        raise _insane(f"{name} is stored but its two sizes differ")
    content, end, extra = _local_header(data, offset, (raw_name, flags, method, crc, packed, size))
    if name.endswith("/") and (size or data[content : content + packed] not in (b"", _NOTHING_DEFLATED)):
        raise _insane(f"the folder {name} has content")
    extra.append(
        UncoveredBytes(
            at + _CENTRAL.size + name_size,
            extra_size + comment_size,
            f"extra fields of {name}",
            f"{name} 的附加字段",
        )
    )
    member = Member(
        name=name,
        method=method,
        crc=crc,
        packed_size=packed,
        size=size,
        header_offset=offset,
        content_offset=content,
        end_offset=end,
    )
    return member, whole, extra


def _local_header(
    data: bytes, offset: int, central: tuple[bytes, int, int, int, int, int]
) -> tuple[int, int, list[UncoveredBytes]]:
    """Start and end of the content, and bytes nobody covers; the header must agree with the central directory."""
    raw_name, flags, method, crc, packed, size = central
    if offset + _LOCAL.size > len(data):
        raise _insane("a member lies beyond the file")
    mark, _, local_flags, local_method, _, _, local_crc, local_packed, local_size, name_size, extra_size = (
        _LOCAL.unpack_from(data, offset)
    )
    name_at = offset + _LOCAL.size
    content = name_at + name_size + extra_size
    described = bool(flags & _DESCRIPTOR)
    stated, sizes = (local_crc, local_packed, local_size), (crc, packed, size)
    wide = data[name_at + name_size : content] == _WIDE_SIZES.pack(1, 16, size, packed)
    extra_field = data[name_at + name_size : content]
    agrees = (
        stated == sizes
        or (
            described and extra_field == _WIDE_SIZES.pack(1, 16, 0, 0) and stated == (0, _IN_EXTRA, _IN_EXTRA)
        )
        or (described and stated == (0, 0, 0))
        or (wide and stated == (crc, _IN_EXTRA, _IN_EXTRA))
    )
    same = mark == _LOCAL_MARK and (local_flags ^ flags) & ~_UTF8 == 0 and local_method == method
    if (
        not same
        or not agrees
        or data[name_at : name_at + name_size] != raw_name
        or content + packed > len(data)
    ):
        raise _insane("a local header differs from the central directory")
    extra = [
        UncoveredBytes(
            name_at + name_size, extra_size, "extra fields of a local header", "本地文件头的附加字段"
        )
    ]
    descriptor = _descriptor_size(data, content + packed, (crc, packed, size)) if described else 0
    return content, content + packed + descriptor, extra


def _descriptor_size(data: bytes, at: int, expected: tuple[int, int, int]) -> int:
    for form in ("<III", "<IQQ"):
        for prefix in (b"PK\x07\x08", b""):
            descriptor = prefix + struct.pack(form, *expected)
            if data[at : at + len(descriptor)] == descriptor:
                return len(descriptor)
    raise _insane("a data descriptor differs from the central directory")


def _decoded_name(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "ascii").replace(
            "\\", "/"
        )  # as tools of Windows write
    except UnicodeDecodeError:
        try:
            return raw.decode("gb18030").replace(
                "\\", "/"
            )  # how older Chinese tools write names without the flag
        except UnicodeDecodeError as error:
            raise _insane("a member's name is in no known character set") from error


def _refuse_name(name: str, members: dict[str, Member]) -> None:
    parts = name.removesuffix("/").split("/")
    if not name or any(part in ("", ".", "..") for part in parts) or any(c in name for c in "\\\0:"):
        raise Broken(
            "member-name", f"the member name {name!r} leads out of the file", f"成员名 {name!r} 越出文件范围"
        )
    if name in members:
        raise Broken("member-twice", f"{name} is in the file twice", f"{name} 在文件中出现两次")


def _between_members(members: dict[str, Member], directory_offset: int) -> list[UncoveredBytes]:
    """Gaps between members; raises ``Broken`` when two overlap (the trick of overlap bombs)."""
    gaps, at = [], 0
    for member in sorted(members.values(), key=lambda member: member.header_offset):
        if member.header_offset < at:
            raise Broken(
                "members-overlap", f"{member.name} overlaps another member", f"{member.name} 与其他成员重叠"
            )
        gaps.append(_gap(at, member.header_offset, f"before {member.name}", f"{member.name} 之前"))
        at = member.end_offset
    if at > directory_offset:
        raise Broken("members-overlap", "a member overlaps the central directory", "有成员与中央目录重叠")
    return [*gaps, _gap(at, directory_offset, "before the central directory", "中央目录之前")]


def _gap(start: int, end: int, what: str, what_zh: str) -> UncoveredBytes:
    return UncoveredBytes(start, end - start, what, what_zh)


def _inflated(data: bytes, start: int, end: int, name: str) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-15)
    rest, at = b"", start
    try:
        while not unpacker.eof:
            if not rest and at < end:
                rest, at = data[at : min(at + _PIECE, end)], at + _PIECE
            piece = unpacker.decompress(rest, _PIECE)
            if not piece and not rest and not unpacker.eof:
                raise Broken("member-damaged", f"{name} is cut off", f"{name} 不完整")
            yield piece
            rest = unpacker.unconsumed_tail
    except zlib.error as error:
        raise Broken("member-damaged", f"{name} cannot be unpacked", f"{name} 无法解压") from error
    if unpacker.unused_data or at < end:
        raise Broken("member-damaged", f"bytes follow the content of {name}", f"{name} 的内容之后还有字节")


def too_much(en: str, zh: str) -> Broken:
    """A limit was reached."""
    return Broken("limit", en, zh)


def _insane(what: str) -> Broken:
    return Broken("container-malformed", f"the container is malformed: {what}", f"容器格式错误：{what}")
