"""Files encrypted as streams: what went in comes out, from any position, and nothing can be changed unnoticed."""

import io
import os
import random
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.encrypted_file import FRAME_BYTES, MAGIC, encrypt_file, open_file
from core.errors import InternalError
from core.keyring import Keyring, WrappedKey

PLACE = b"a place"
SIZES = [0, 1, 1000, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 3 * FRAME_BYTES + 77]


class Shelf:
    """Wrapped keys in memory."""

    def __init__(self) -> None:
        self.keys: dict[str, WrappedKey] = {}

    def load(self) -> Sequence[WrappedKey]:
        return list(self.keys.values())

    def add(self, key: WrappedKey) -> None:
        self.keys.setdefault(key.key_id, key)

    def rewrap(self, keys: Sequence[WrappedKey]) -> None:
        self.keys.update({key.key_id: replace(key) for key in keys})


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    return Keyring(bytes(32), Shelf())


def content_of(size: int) -> bytes:
    return random.Random(size).randbytes(size // 2) + b"\xe8\xae\xb8" * (size // 6) + b"x" * (size % 6)


def written(path: Path, content: bytes, keyring: Keyring, place: bytes = PLACE) -> bytes:
    with path.open("wb") as out:
        encrypt_file(io.BytesIO(content), out, keyring, place)
    return path.read_bytes()


@pytest.mark.parametrize("size", SIZES)
def test_what_went_in_comes_out(tmp_path: Path, keyring: Keyring, size: int) -> None:
    content = content_of(size)
    written(tmp_path / "f", content, keyring)
    with open_file(tmp_path / "f", keyring, PLACE) as stream:
        assert stream.read() == content
        assert stream.read() == b""


def test_reading_at_any_position_gives_what_stands_there(tmp_path: Path, keyring: Keyring) -> None:
    content = content_of(2 * FRAME_BYTES + 4321)
    written(tmp_path / "f", content, keyring)
    rnd = random.Random(7)
    with open_file(tmp_path / "f", keyring, PLACE) as stream:
        assert stream.seek(0, os.SEEK_END) == len(content)
        for _ in range(200):
            begin, size = (
                rnd.randrange(len(content) + 10),
                rnd.choice([1, 10, 5000, FRAME_BYTES, 2 * FRAME_BYTES]),
            )
            assert stream.seek(begin) == stream.tell() == begin
            assert stream.read(size) == content[begin : begin + size]
        with pytest.raises(ValueError, match="before the beginning"):
            stream.raw.seek(-1)  # type: ignore[attr-defined]  # a BufferedReader has its raw stream


def test_nothing_of_the_content_is_seen_in_the_file(tmp_path: Path, keyring: Keyring) -> None:
    sealed = written(tmp_path / "f", "张三,110105194912310021\n".encode() * 1000, keyring)
    assert "张三".encode() not in sealed
    assert b"110105194912310021" not in sealed
    assert len(sealed) < 2000  # compressed first


def test_a_clear_file_of_before_is_read_as_it_is(tmp_path: Path, keyring: Keyring) -> None:
    for content in (b"", b"a,b\n1,2\n", MAGIC[:-1]):
        (tmp_path / "f").write_bytes(content)
        with open_file(tmp_path / "f", keyring, PLACE) as stream:
            assert stream.read() == content
            assert stream.seek(0) == 0


def read_all(path: Path, keyring: Keyring, place: bytes = PLACE) -> bytes:
    with open_file(path, keyring, place) as stream:
        return stream.read()


def test_a_changed_byte_anywhere_is_noticed(tmp_path: Path, keyring: Keyring) -> None:
    sealed = bytearray(written(tmp_path / "f", b"content" * 9, keyring))
    for index in range(len(MAGIC), len(sealed)):
        changed = bytearray(sealed)
        changed[index] ^= 1
        (tmp_path / "f").write_bytes(changed)
        with pytest.raises(InternalError):
            read_all(tmp_path / "f", keyring)


def frames(sealed: bytes) -> tuple[bytes, list[bytes]]:
    begin = len(MAGIC) + 2 + int.from_bytes(sealed[len(MAGIC) : len(MAGIC) + 2], "big")
    head, found = sealed[:begin], []
    while begin < len(sealed):
        end = begin + 4 + int.from_bytes(sealed[begin : begin + 4], "big")
        found.append(sealed[begin:end])
        begin = end
    return head, found


def test_frames_that_are_moved_dropped_repeated_or_added_are_noticed(
    tmp_path: Path, keyring: Keyring
) -> None:
    head, [a, b, c] = frames(written(tmp_path / "f", content_of(2 * FRAME_BYTES + 5), keyring))
    _, [other, *_] = frames(written(tmp_path / "g", content_of(2 * FRAME_BYTES + 5), keyring))
    for order in (
        [b, a, c],
        [a, b],
        [a, c],
        [b, c],
        [a, a, b, c],
        [a, b, c, c],
        [other, b, c],
        [a],
        [],
        [a, b, c[:-1]],
    ):
        (tmp_path / "f").write_bytes(head + b"".join(order))
        with pytest.raises(InternalError):
            read_all(tmp_path / "f", keyring)
    (tmp_path / "f").write_bytes(head + a + b + c)
    assert read_all(tmp_path / "f", keyring) == content_of(2 * FRAME_BYTES + 5)


def test_a_file_put_in_anothers_place_is_noticed(tmp_path: Path, keyring: Keyring) -> None:
    written(tmp_path / "f", b"content", keyring)
    with pytest.raises(InternalError):
        read_all(tmp_path / "f", keyring, b"another place")


def test_a_cut_at_any_byte_is_noticed(tmp_path: Path, keyring: Keyring) -> None:
    sealed = written(tmp_path / "f", b"content", keyring)
    for size in range(len(MAGIC), len(sealed)):
        (tmp_path / "f").write_bytes(sealed[:size])
        with pytest.raises(InternalError):
            read_all(tmp_path / "f", keyring)


def test_memory_does_not_grow_with_the_file(tmp_path: Path, keyring: Keyring) -> None:
    block = os.urandom(FRAME_BYTES)
    with (tmp_path / "clear").open("wb") as out:
        for _ in range(128):
            out.write(block)
    tracemalloc.start()
    try:
        with (tmp_path / "clear").open("rb") as source, (tmp_path / "f").open("wb") as out:
            encrypt_file(source, out, keyring, PLACE)
        with open_file(tmp_path / "f", keyring, PLACE) as stream:
            assert sum(len(piece) for piece in iter(lambda: stream.read(65536), b"")) == 128 * FRAME_BYTES
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * FRAME_BYTES
