"""Files that are on the disk whole or not at all, whatever ends the process, fills the disk or cuts the power."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

PRIVATE, PUBLIC = 0o600, 0o666
"""Modes of a new file, less the umask."""


def put_file(file: Path, data: bytes, *, mode: int = PRIVATE, replace: bool = False) -> None:
    """Makes ``file`` with that content, readable by its owner alone from the first byte on unless ``mode`` says otherwise.

    Raises ``FileExistsError`` for a file that is there, unless it is to be replaced.
    """
    whole = _unfinished(file)
    try:
        with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        if replace:
            whole.replace(file)
        else:
            os.link(whole, file)  # refuses what is there, where a rename would overwrite it
    except FileExistsError:
        raise already_there(file) from None
    finally:
        whole.unlink(missing_ok=True)
    _sync(file.parent)


def put_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes ``folder`` with those files in one step; raises ``FileExistsError`` when there is one with files in it."""
    whole = _unfinished(folder)
    try:
        whole.mkdir()
        for name, data in files.items():
            put_file(whole / name, data, mode=PUBLIC)
        whole.rename(folder)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:  # which of them depends on the file system
            raise
        raise already_there(folder) from None
    finally:
        shutil.rmtree(whole, ignore_errors=True)
    _sync(folder.parent)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Makes ``folder``, and those above it, where they are missing; ``mode`` is that of the last."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=mode, exist_ok=True)
    _sync(folder.parent)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other processes and threads that lock the same folder waiting; the lock ends with its process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def already_there(place: Path) -> FileExistsError:
    """The error about a file or folder that is not to be overwritten."""
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place))


def _unfinished(place: Path) -> Path:
    """A name beside ``place`` that nobody else uses, and that no search for finished files finds."""
    return place.with_name(f".new-{token_hex(8)}")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
