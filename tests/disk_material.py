"""A disk that fills, and what is flushed to it."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest


@contextmanager
def full_disk(after: int = 0) -> Iterator[None]:
    """Flushes succeed so many times, then the disk is full."""
    done = count()

    def hook(_place: Path, _descriptor: int) -> None:
        if next(done) >= after:
            raise OSError(errno.ENOSPC, "No space left on device")

    with at_flush(hook):
        yield


@contextmanager
def at_flush(hook: Callable[[Path, int], None]) -> Iterator[None]:
    """Calls ``hook`` with place and descriptor of whatever is flushed, before it is."""
    real = os.fsync

    def fsync(descriptor: int) -> None:
        hook(Path(f"/proc/self/fd/{descriptor}").readlink(), descriptor)
        real(descriptor)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        yield


def names(folder: Path) -> list[str]:
    """What is in a folder, in order."""
    return sorted(file.name for file in folder.iterdir())
