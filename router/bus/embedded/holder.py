"""Who holds messages, and whether it is still alive.

Each consumer keeps a POSIX lock on a file of its own. The kernel drops the lock when the process dies, however it dies, so that
others can hand its messages out at once instead of waiting for the end of its lease. Locks of this kind are not inherited by
forked children, and work between containers that share the file system.
"""

import fcntl
import os
import uuid
from contextlib import suppress
from pathlib import Path

_own: dict[str, int] = {}
"""Holder -> process id of the holders of this process: testing one's own lock always succeeds and would drop it."""


class Holder:
    """One consumer's sign of life."""

    def __init__(self, folder: Path) -> None:
        self.name = uuid.uuid4().hex
        folder.mkdir(exist_ok=True)
        self._path = folder / f"{self.name}.lock"
        fresh = folder / f"{self.name}.new"
        self._descriptor = os.open(fresh, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        _own[self.name] = os.getpid()
        fresh.rename(self._path)  # under its final name only once it is locked

    def close(self) -> None:
        if _own.pop(self.name, None) is None:
            return
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def dead(folder: Path) -> list[str]:
    """Names of the holders whose process is gone."""
    return [
        path.stem for path in folder.glob("*.lock") if _own.get(path.stem) != os.getpid() and _is_dead(path)
    ]


def bury(folder: Path, name: str) -> None:
    """Forgets a dead holder, once its messages are free."""
    (folder / f"{name}.lock").unlink(missing_ok=True)


def _is_dead(path: Path) -> bool:
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True
    return False
