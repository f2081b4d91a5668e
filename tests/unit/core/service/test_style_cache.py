"""Registered styles in a host's cache: several processes share it, and disks fill and break."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from core.packaging.style_loader import STYLES
from core.service.styles import StyleRegistry
from disk_material import full_disk

FILES = {file.name: file.read_bytes() for file in (STYLES / "permit").iterdir() if file.is_file()}
BLOBS = {hashlib.sha256(content).digest(): content for content in FILES.values()}


def process(cache: Path, get: Callable[[bytes], bytes] = BLOBS.__getitem__) -> StyleRegistry:
    """The registry as another process sees it, with one style."""
    files = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    entry = SimpleNamespace(name="permit", declaration={"files": files})
    store = SimpleNamespace(
        blobs=SimpleNamespace(get=get), registry=SimpleNamespace(show=lambda _kind, _name: entry)
    )
    return StyleRegistry(store, cache)  # type: ignore[arg-type]  # what it uses of a store


def cached(cache: Path) -> dict[str, bytes]:
    (folder,) = cache.glob("permit-*")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_process_that_unpacks_a_style_while_another_does_hinders_neither(tmp_path: Path) -> None:
    begun, other_done = Event(), Event()
    loaded: list[str] = []

    def slow(digest: bytes) -> bytes:
        if begun.is_set():
            other_done.wait(20)
        begun.set()
        return BLOBS[digest]

    slower = Thread(target=lambda: loaded.append(process(tmp_path, slow).load("permit").name))
    slower.start()
    begun.wait(20)
    assert process(tmp_path).load("permit").base_image == FILES["base.jpg"]
    other_done.set()
    slower.join(20)
    assert loaded == ["permit"]
    assert cached(tmp_path) == FILES


@pytest.mark.parametrize("after", range(1 + 2 * len(FILES)))
def test_a_style_is_unpacked_again_after_a_full_disk(tmp_path: Path, after: int) -> None:
    with full_disk(after), pytest.raises(OSError, match="No space"):
        process(tmp_path).load("permit")
    assert process(tmp_path).load("permit").name == "permit"
    assert cached(tmp_path) == FILES


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_cached_file_that_is_broken_is_replaced_from_the_store(tmp_path: Path, name: str) -> None:
    process(tmp_path).load("permit")
    (folder,) = tmp_path.glob("permit-*")
    (folder / name).write_bytes(b"")  # as a power cut leaves a file that was never flushed
    assert process(tmp_path).load("permit").base_image == FILES["base.jpg"]
    assert cached(tmp_path) == FILES


def test_a_sound_copy_is_not_fetched_again(tmp_path: Path) -> None:
    process(tmp_path).load("permit")
    fetched: list[bytes] = []

    def get(digest: bytes) -> bytes:
        fetched.append(digest)
        return BLOBS[digest]

    process(tmp_path, get).load("permit")
    assert fetched == []
