"""Files under a lock of the operating system (flock), which ends with the process that holds it."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO


def open_locked(path: Path) -> BufferedReader | None:
    """The regular file, opened without following a link and locked; None when it is gone, no file, or locked by another."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO):
            return None
        raise
    locked = False
    try:
        locked = _is_locked_at(descriptor, path)
    finally:
        if not locked:
            os.close(descriptor)
    return os.fdopen(descriptor, "rb") if locked else None


@contextmanager
def made_locked(path: Path) -> Iterator[BinaryIO | None]:
    """A new file, open for writing and locked; None when another locked or removed it first, or its folder."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileNotFoundError:
        yield None
        return
    with os.fdopen(descriptor, "wb") as made:
        yield made if _is_locked_at(descriptor, path) else None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits until nobody else is in this context of the folder; for moments only, because the others stand still."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_locked_at(descriptor: int, path: Path) -> bool:
    """Locks the regular file and makes sure that ``path`` still names it: whoever held the lock before may have removed it."""
    try:
        state = os.fstat(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return stat.S_ISREG(state.st_mode) and os.path.samestat(state, os.lstat(path))
    except (BlockingIOError, FileNotFoundError):
        return False
