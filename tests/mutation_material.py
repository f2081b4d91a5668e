"""Files damaged at random, by a seeded generator: bytes, ZIP members, and PDF objects added with true cross-references."""

import io
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from random import Random

TOKENS = [
    *(b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"),
    *(b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\xa0\x80", b"\x24\x80", b"\0\0", b"\xff" * 4, b"\x7f" * 4),
    *(b"<!DOCTYPE x>", b"<!ENTITY", b"&e;", b"<ofd:", b"/>", b"</", b"<![CDATA[", b'FileRef="/', b"../"),
    *(b"obj", b"endobj", b"stream\n", b"endstream", b"xref\n", b"trailer\n", b"startxref\n", b"%%EOF\n"),
    *(b"<<", b">>", b"[", b"]", b"(", b")", b"<", b">", b"/", b"%", b" R ", b"/Length ", b"/Kids", b"/Prev "),
    *(b"/ByteRange [0 1 2 3]", b"/SubFilter/ETSI.RFC3161", b"/Type/ObjStm", b"/XRefStm 9", b"/Encrypt 1 0 R"),
    *(
        b"0000000000 65535 f \n",
        b"99999999999999999999",
        b"-1",
        b"4294967295",
        b"\\",
        b"\x80",
        b"\xef\xbb\xbf",
    ),
]

_KEYS = [
    b"/Type",
    b"/FT",
    b"/V",
    b"/Kids",
    b"/Parent",
    b"/Fields",
    b"/Rect",
    b"/F",
    b"/AP",
    b"/Annots",
    b"/P",
]


MEASURE = """
import re, sys
from pathlib import Path
from core.verification.trust import TrustStore
from core.verification.verify import verify_file

def peak_kb():
    # not getrusage: its peak is inherited from the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

first, *others = sys.argv[1:]
verify_file(Path(first).read_bytes(), TrustStore())
idle = peak_kb()
for file in others:
    verify_file(Path(file).read_bytes(), TrustStore())
print((peak_kb() - idle) // 1024)
"""


def peak_above_idle_mb(folder: Path, files: list[bytes]) -> int:
    """How much memory a process takes to verify the files, above what the first one took."""
    paths = [folder / f"{number}.bin" for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    command = [sys.executable, "-c", MEASURE, *map(str, paths)]
    root = str(Path(__file__).parents[1])
    return int(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)


def damaged(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """``data`` with one to four changes; ``others`` lend their parts."""
    if data.startswith(b"PK") and random.random() < 0.5:
        return _with_damaged_member(random, data, others)
    if data.startswith(b"%PDF") and random.random() < 0.5:
        return with_update(random, data)
    return _damaged_bytes(random, data, others)


def _damaged_bytes(random: Random, data: bytes, others: list[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed) + 1)
        size = min(int(random.paretovariate(0.7)), 4096)
        match random.randrange(8):
            case 0:
                changed[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                changed[at : at + size] = random.randbytes(size)
            case 2:
                del changed[at : at + size]
            case 3:
                changed[at:at] = changed[at : at + size] * random.randint(1, 3)
            case 4:
                changed[at:at] = random.choice(TOKENS) * random.choice([1, 1, 1, 2, 100])
            case 5:
                token = random.choice(TOKENS)
                changed[at : at + len(token)] = token
            case 6:
                lender = random.choice(others)
                start = random.randrange(len(lender) + 1)
                changed[at : at + size] = lender[start : start + size]
            case 7:
                changed = _other_number(random, changed)
    return bytes(changed)


def _other_number(random: Random, data: bytearray) -> bytearray:
    """One of the numbers written in the file becomes another of the same width."""
    numbers = list(re.finditer(rb"\d{1,10}", data))
    if not numbers:
        return data
    chosen = random.choice(numbers)
    data[chosen.start() : chosen.end()] = b"%0*d" % (
        len(chosen[0]),
        random.randrange(10 ** len(chosen[0])),
    )
    return data


def _with_damaged_member(random: Random, data: bytes, others: list[bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as changed:
        names = archive.namelist()
        chosen = random.choice(names)
        for name in names:
            content = archive.read(name)
            changed.writestr(
                zipfile.ZipInfo(name),
                _damaged_bytes(random, content, others) if name == chosen else content,
                random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
            )
    return out.getvalue()


def with_update(random: Random, data: bytes) -> bytes:
    """A further revision of a PDF whose cross-references are right and whose objects are anything."""
    references = list(re.finditer(rb"/Size[ ]?(\d{1,6})", data))
    roots = list(re.finditer(rb"/Root[ ]?(\d{1,6}) 0 R", data))
    starts = list(re.finditer(rb"startxref\s+(\d{1,10})", data))
    if not references or not roots or not starts:
        return data
    size, root, start = int(references[-1][1]), int(roots[-1][1]), int(starts[-1][1])
    numbers = random.sample(range(1, size + 4), min(random.randint(1, 5), size + 3))
    out, entries = bytearray(data.rstrip() + b"\n"), {}
    for number in numbers:
        entries[number] = len(out)
        body = _existing(random, data, number) if random.random() < 0.6 else pdf_value(random, size, 0)
        if random.random() < 0.2:
            body = _stream(random, body)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    place = len(out)
    table = b"".join(b"%d 1\n%010d 00000 n \n" % entry for entry in sorted(entries.items()))
    trailer = b"<</Size %d/Root %d 0 R/Prev %d>>" % (size + 4, root, start)
    out += b"xref\n" + table + b"trailer\n" + trailer + b"\nstartxref\n%d\n%%%%EOF\n" % place
    return bytes(out)


def _existing(random: Random, data: bytes, number: int) -> bytes:
    """The object as it stood, with a key more or a value changed."""
    found = list(re.finditer(rb"(?:^|[\r\n])%d 0 obj\s*(<<.{0,4000}?>>)\s*endobj" % number, data, re.DOTALL))
    if not found:
        return b"<<>>"
    body = found[-1][1]
    key = random.choice(
        [b"/DSS", b"/AcroForm", b"/Annots", b"/Fields", b"/AA", b"/Contents", b"/V", b"/Metadata"]
    )
    if random.random() < 0.7:
        return b"<<" + key + b" " + pdf_value(random, number, 1) + b" " + body[2:]
    return _damaged_bytes(random, body, [body])


def _stream(random: Random, entries: bytes) -> bytes:
    content = random.randbytes(random.randrange(50))
    if random.random() < 0.5:
        content = zlib.compress(content * random.choice([1, 1, 1000]))
        entries = b"<</Filter/FlateDecode " + (entries[2:] if entries.startswith(b"<<") else b">>")
    if not entries.startswith(b"<<"):
        entries = b"<<>>"
    return b"<</Length %d " % len(content) + entries[2:] + b"\nstream\n" + content + b"\nendstream"


def pdf_value(random: Random, size: int, depth: int) -> bytes:
    """Any PDF value, references among the first ``size`` objects."""
    if depth < 4 and random.random() < 0.3:
        items = [pdf_value(random, size, depth + 1) for _ in range(random.randrange(5))]
        return b"[" + b" ".join(items) + b"]"
    if depth < 4 and random.random() < 0.3:
        keys = random.sample(_KEYS, random.randrange(5))
        return b"<<" + b" ".join(key + b" " + pdf_value(random, size, depth + 1) for key in keys) + b">>"
    simple = [
        b"%d 0 R" % random.randint(0, size + 4),
        b"/" + random.choice([b"Sig", b"Widget", b"Page", b"Tx", b"Catalog", b"DSS", b"ObjStm"]),
        b"%d" % random.choice([0, 1, -1, 7, 1 << 31, random.randrange(1000)]),
        b"(" + random.choice([b"a", b"\\(", b"\\777", b"", b"()"]) + b")",
        b"<" + random.randbytes(random.randrange(8)).hex().encode() + b">",
        random.choice([b"true", b"null", b"1.5", b"-.5"]),
    ]
    return random.choice(simple)


def with_lying_sizes(random: Random, data: bytes) -> bytes:
    """A ZIP whose end record says something else."""
    changed = bytearray(data)
    end = changed.rfind(b"PK\x05\x06")
    if 0 <= end <= len(changed) - 22:
        struct.pack_into("<I", changed, end + random.choice([12, 16]), random.randrange(1 << 32))
    return bytes(changed)
