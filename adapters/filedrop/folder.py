"""A drop folder on a local file system: what lies in it, claims by rename, archive. Links are never followed.

``.claimed/<id>/`` holds a claimed file as ``data`` beside ``claim.json``. The claimer holds a lock on the file while it works,
so that the system itself releases the claim of a process that died.
"""

import errno
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from io import BufferedReader
from pathlib import Path
from uuid import UUID

import msgspec

from contracts.identity import uuid7, uuid7_ms
from contracts.text import escaped

CLAIMED, ARCHIVE, REFUSED, PENDING = ".claimed", "archive", "refused", ".receipts"
RECEIPT_SUFFIX = ".receipt.json"
_LONGEST_NAME = 180
"""Bytes of a name that are kept where something is put before or behind it."""


class Found(msgspec.Struct, frozen=True):
    """A regular file as listed."""

    name: str
    size_bytes: int
    mtime_ns: int


class Listing(msgspec.Struct, frozen=True):
    """One look into the folder."""

    files: tuple[Found, ...]
    odd: tuple[str, ...]
    """Names of links, pipes and other things that are no files: never touched."""


class ClaimNote(msgspec.Struct, frozen=True):
    """``claim.json``: where the claimed file came from, and what its manifest says of it."""

    origin: str
    name: bytes
    """The name in the folder as the file system has it, for putting it back."""
    done_suffix: str = ""
    size_bytes: int | None = None
    sha256: str = ""


class Claim:
    """A claimed file, locked while this object lives."""

    def __init__(self, folder: "DropFolder", claim_id: str, note: ClaimNote, stream: BufferedReader) -> None:
        self.id, self.note, self.stream = claim_id, note, stream
        self._folder = folder

    @property
    def size_bytes(self) -> int:
        return os.fstat(self.stream.fileno()).st_size

    def file_away(self, place: str, submission: UUID) -> str:
        """Moves the file to ``archive`` or ``refused``; its path within the folder. The claim is over."""
        kept = f"{place}/{kept_name(submission, self.note.origin)}"
        root = self._folder.path
        (root / CLAIMED / self.id / "done").unlink(
            missing_ok=True
        )  # first: it must never be put back without its file
        os.rename(root / CLAIMED / self.id / "data", root / kept)  # noqa: PTH104  # Path.rename hides the atomic call
        _sync(root / place)
        self.release()
        shutil.rmtree(root / CLAIMED / self.id, ignore_errors=True)
        return kept

    def discard(self) -> None:
        """Removes the claimed file for good: a manifest whose files are claimed."""
        self.release()
        shutil.rmtree(self._folder.path / CLAIMED / self.id, ignore_errors=True)

    def release(self) -> None:
        """Gives up the lock; the claim can be taken up by anyone."""
        self.stream.close()


class DropFolder:
    """The folder of one interface."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Makes the folder and its own subfolders."""
        for name in (CLAIMED, ARCHIVE, REFUSED, PENDING):
            (self.path / name).mkdir(parents=True, exist_ok=True)

    def look(self) -> Listing:
        """What lies in the folder; ``OSError`` when it cannot be listed, which is not the same as an empty one."""
        files, odd = [], []
        with os.scandir(self.path) as entries:
            for entry in entries:
                try:
                    state = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(state.st_mode):
                    files.append(Found(entry.name, state.st_size, state.st_mtime_ns))
                elif not stat.S_ISDIR(state.st_mode):
                    odd.append(entry.name)
        return Listing(tuple(sorted(files, key=lambda found: (found.mtime_ns, found.name))), tuple(odd))

    def read(self, name: str, limit: int) -> bytes | None:
        """The content of a small regular file, unless it is gone, a link, larger, or in work elsewhere."""
        stream = _open_locked(self.path / name)
        if stream is None:
            return None
        with stream:
            content = stream.read(limit + 1)
        return content if len(content) <= limit else None

    def free_bytes(self) -> int:
        """Space left on the file system."""
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize

    def claim(self, name: str, note: ClaimNote) -> Claim | None:
        """Claims a file by renaming it; None when another worker was faster or it is no regular file.

        Raises ``OSError``; nothing is lost then: the file is in its place or in a claim that is taken up later.
        """
        stream = _open_locked(self.path / name)
        if stream is None:
            return None
        claim_id = str(uuid7())
        place = self.path / CLAIMED / claim_id
        place.mkdir()
        try:
            _write(place / "claim.json", msgspec.json.encode(note))
            if note.done_suffix:
                os.rename(self.path / (name + note.done_suffix), place / "done")  # noqa: PTH104  # atomic claim
            os.rename(self.path / name, place / "data")  # noqa: PTH104  # atomic claim
        except FileNotFoundError:
            stream.close()
            self._put_back(place, note)
            return None
        except Exception:
            stream.close()
            self._put_back(place, note)
            raise
        _sync(place)
        return self._same_file(Claim(self, claim_id, note, stream), place)

    def orphans(self, lease_s: float, given_up: Collection[str] = ()) -> Iterator[Claim]:
        """Claims made at least ``lease_s`` ago that nobody works on, and those ``given_up``; locked anew."""
        for place in sorted((self.path / CLAIMED).iterdir()):
            age_s = _age_s(place)
            if age_s is None or (age_s < lease_s and place.name not in given_up):
                continue
            note = _read_note(place / "claim.json")
            stream = _open_locked(place / "data") if note else None
            if note and stream:
                yield Claim(self, place.name, note, stream)
            elif not os.path.lexists(place / "data"):
                self._put_back(place, note)

    def purge(self, older_than_s: float) -> int:
        """Removes archived and refused files whose submission is older, and receipt files; counts the former."""
        for receipt in self.path.glob(f"*{RECEIPT_SUFFIX}"):
            if receipt.lstat().st_mtime < time.time() - older_than_s:
                receipt.unlink(missing_ok=True)
        limit_ms = (time.time() - older_than_s) * 1000
        removed = 0
        for place in (ARCHIVE, REFUSED):
            for kept in (self.path / place).iterdir():
                if _submitted_ms(kept.name) < limit_ms:
                    kept.unlink(missing_ok=True)
                    removed += 1
        return removed

    def write_receipt(self, origin: str, submission: UUID, chunks: Iterator[bytes]) -> None:
        """Puts a receipt file beside the drop, whole or not at all."""
        temporary = self.path / PENDING / f".{submission}.tmp"
        with temporary.open("wb") as out:
            for chunk in chunks:
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(self.path / (_shortened(origin) + RECEIPT_SUFFIX))

    def owe_receipt(self, submission: UUID) -> None:
        """Notes that a submission's receipt file is still to be written."""
        (self.path / PENDING / str(submission)).touch()

    def owed_receipts(self) -> list[UUID]:
        """Submissions whose receipt file is still to be written."""
        return [
            UUID(place.name) for place in (self.path / PENDING).iterdir() if not place.name.startswith(".")
        ]

    def receipt_written(self, submission: UUID) -> None:
        """The receipt file is there."""
        (self.path / PENDING / str(submission)).unlink(missing_ok=True)

    def _put_back(self, place: Path, note: ClaimNote | None) -> None:
        """Undoes a claim that got no file: a done-file goes back beside its file."""
        if note and note.done_suffix:
            done, home = place / "done", self.path / (os.fsdecode(note.name) + note.done_suffix)
            if done.exists() and not home.exists():
                os.rename(done, home)  # noqa: PTH104  # the same file system, atomic
        shutil.rmtree(place, ignore_errors=True)

    def _same_file(self, claim: Claim, place: Path) -> Claim | None:
        """The claim with a lock on what was really renamed: another file may have come under the name meanwhile."""
        if os.path.samestat(os.fstat(claim.stream.fileno()), os.lstat(place / "data")):
            return claim
        claim.stream.close()
        stream = _open_locked(place / "data")
        if (
            stream is None and (place / "data").is_symlink()
        ):  # a link swapped in while we claimed: only the link is removed
            shutil.rmtree(place, ignore_errors=True)
        return Claim(self, claim.id, claim.note, stream) if stream else None


def note_of(
    name: str, *, done_suffix: str = "", size_bytes: int | None = None, sha256: str = ""
) -> ClaimNote:
    """The note of a claim of the file of this name (surrogate-escaped, as Python lists it)."""
    return ClaimNote(origin_of(name), os.fsencode(name), done_suffix, size_bytes, sha256)


def origin_of(name: str) -> str:
    """A file name as it is stored and shown: undecodable bytes and control characters escaped."""
    return escaped(os.fsencode(name).decode("utf-8", "backslashreplace"))


def kept_name(submission: UUID, origin: str) -> str:
    """Name of a file in the archive."""
    return f"{submission}~{_shortened(origin)}"


def _shortened(origin: str) -> str:
    safe = origin.replace("/", "_").replace("\\", "_")
    return safe.encode()[:_LONGEST_NAME].decode("utf-8", "ignore")


def _submitted_ms(name: str) -> float:
    try:
        return uuid7_ms(UUID(name.partition("~")[0]))
    except ValueError:
        return float("inf")  # not ours: never removed


def _open_locked(path: Path) -> BufferedReader | None:
    """The regular file, opened without following a link and locked; None when it is gone, no file, or locked by another."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
            return None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def _age_s(place: Path) -> float | None:
    """Seconds since a claim was made; None when it is over."""
    try:
        return time.time() - place.stat().st_mtime
    except FileNotFoundError:
        return None


def _read_note(path: Path) -> ClaimNote | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ClaimNote)
    except (OSError, msgspec.DecodeError):
        return None


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
