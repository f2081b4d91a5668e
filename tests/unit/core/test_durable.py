"""Files that are on the disk whole or not at all."""

import stat
from pathlib import Path

import pytest

from core.durable import locked, make_folder, put_file, put_folder
from disk_material import at_flush, full_disk, names


def test_a_file_gets_its_name_when_its_content_is_on_the_disk_and_the_name_follows(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    seen: list[tuple[bytes | None, bool, int]] = []

    def hook(place: Path, _descriptor: int) -> None:
        content = place.read_bytes() if place.is_file() else None
        seen.append((content, file.exists(), stat.S_IMODE(place.stat().st_mode)))

    with at_flush(hook):
        put_file(file, b"secret")
    folder_mode = stat.S_IMODE(tmp_path.stat().st_mode)
    assert seen == [(b"secret", False, 0o600), (None, True, folder_mode)]
    assert (file.read_bytes(), names(tmp_path)) == (b"secret", ["master.key"])


@pytest.mark.parametrize("before", [None, b"before"])
def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path: Path, before: bytes | None) -> None:
    file = tmp_path / "key"
    if before is not None:
        file.write_bytes(before)
    with full_disk(), pytest.raises(OSError, match="No space"):
        put_file(file, b"after", replace=before is not None)
    assert [found.read_bytes() for found in tmp_path.iterdir()] == ([] if before is None else [before])
    put_file(file, b"after", replace=before is not None)
    assert file.read_bytes() == b"after"


def test_a_file_that_is_there_is_named_and_never_overwritten(tmp_path: Path) -> None:
    put_file(tmp_path / "key", b"first")
    with pytest.raises(FileExistsError) as refused:
        put_file(tmp_path / "key", b"second")
    assert refused.value.filename == str(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == b"first"
    assert names(tmp_path) == ["key"]


@pytest.mark.parametrize("after", range(4))
def test_a_folder_appears_with_all_its_files_or_not_at_all(tmp_path: Path, after: int) -> None:
    folder, files = tmp_path / "city", {"a": b"1", "b": b"2"}
    with full_disk(after), pytest.raises(OSError, match="No space"):
        put_folder(folder, files)
    assert not folder.exists()
    put_folder(folder, files)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == files


def test_of_two_that_make_a_folder_the_second_is_told(tmp_path: Path) -> None:
    put_folder(tmp_path / "city", {"a": b"first"})
    with pytest.raises(FileExistsError, match="city"):
        put_folder(tmp_path / "city", {"a": b"second"})
    assert (tmp_path / "city" / "a").read_bytes() == b"first"
    assert names(tmp_path) == ["city"]


def test_every_folder_made_is_written_into_the_one_above_it(tmp_path: Path) -> None:
    synced: list[Path] = []
    with at_flush(lambda place, _descriptor: synced.append(place)):
        make_folder(tmp_path / "a" / "b", 0o700)
        make_folder(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_a_lock_goes_when_its_block_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locked(tmp_path):
        raise RuntimeError
    with locked(tmp_path):
        assert names(tmp_path) == []
