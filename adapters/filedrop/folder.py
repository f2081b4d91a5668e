"""A drop folder on a local file system: what lies in it, claims by rename, archive. Links are never followed.

``.claimed/<id>/`` holds a claimed file as ``data`` beside ``claim.json``. The claimer holds a lock on the file while it works,
and one on ``claim.json`` until the file is there, so that the system itself releases the claim of a process that died, and
nobody clears away the claim of one that is merely slow. A file handed over by name is copied into a claim of its own: in the
folder another of its name could replace it. When the claim ends the file goes to ``archive/`` or ``refused/``, encrypted: what
the department dropped lies in clear no longer than the work on it lasts.
"""

import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec

from adapters.filedrop.locks import made_locked, open_locked
from contracts.identity import uuid7, uuid7_ms
from contracts.text import escaped
from core.encrypted_file import encrypt_file, open_file
from core.keyring import Keyring

CLAIMED, ARCHIVE, REFUSED, PENDING = ".claimed", "archive", "refused", ".receipts"
RECEIPT_SUFFIX = ".receipt.json"
_NOTE = "claim.json"
_LONGEST_NAME = 180
"""Bytes of a name that are kept where something is put before or behind it."""
_BLOCK = 1024 * 1024


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
        """Puts the file into ``archive`` or ``refused``, encrypted; its path within the folder. The claim is over.

        The claimed file is removed only when the kept one is durable: cut anywhere, filing it away again gives the same.
        """
        kept = f"{place}/{kept_name(submission, self.note.origin)}"
        root = self._folder.path
        unfinished = root / CLAIMED / self.id / "encrypted"
        _write_encrypted(unfinished, self.stream, self._folder.keyring, submission)
        os.rename(unfinished, root / kept)  # noqa: PTH104  # Path.rename hides the atomic call
        _sync(root / place)
        self.discard()
        return kept

    def replace(self, content: bytes) -> None:
        """Puts ``content`` in the place of the claimed file, durable. The lock stays with what is replaced: release it then."""
        own = self._folder.path / CLAIMED / self.id
        with (own / "replacement").open("wb") as out:
            _write(out, content)
        os.rename(own / "replacement", own / "data")  # noqa: PTH104  # Path.rename hides the atomic call
        _sync(own)

    def discard(self) -> None:
        """Removes the claimed file for good: it is kept elsewhere, or it is a manifest whose files are claimed."""
        own = self._folder.path / CLAIMED / self.id
        # before the rest: a done-file is never put back without its file, nor a file left behind without its note
        for name in ("done", "data"):
            (own / name).unlink(missing_ok=True)
        self.release()
        shutil.rmtree(own, ignore_errors=True)

    def release(self) -> None:
        """Gives up the lock; the claim can be taken up by anyone."""
        self.stream.close()


class DropFolder:
    """The folder of one interface."""

    def __init__(self, path: Path, keyring: Keyring) -> None:
        self.path, self.keyring = path, keyring

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
        stream = open_locked(self.path / name)
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
        stream = open_locked(self.path / name)
        if stream is None:
            return None
        claim = None
        try:
            claim = self._moved_in(name, note, stream)
        finally:
            if claim is None:
                stream.close()
        return claim

    def claim_copy(self, file: Path) -> Claim | None:
        """Claims a durable copy of a file from anywhere, whole or not at all; None when another cleared it away unbegun.

        Raises ``OSError`` when the file cannot be copied.
        """
        note = note_of(file.name)
        with file.open("rb") as source, self._begun(note) as place:
            if place is None:
                return None
            with (place / "copy").open("wb") as copy:
                shutil.copyfileobj(source, copy, _BLOCK)
                copy.flush()
                os.fsync(copy.fileno())
            os.rename(place / "copy", place / "data")  # noqa: PTH104  # Path.rename hides the atomic call
            _sync(place)
            stream = open_locked(place / "data")  # nobody else can: the note is locked
            return Claim(self, place.name, note, stream) if stream else None

    def orphans(self, lease_s: float, given_up: Collection[str] = ()) -> list[str]:
        """Ids of the claims made at least ``lease_s`` ago, in their order, and of those ``given_up``."""
        ages = {place.name: _age_s(place) for place in sorted((self.path / CLAIMED).iterdir())}
        return [
            claim_id
            for claim_id, age_s in ages.items()
            if age_s is not None and (age_s >= lease_s or claim_id in given_up)
        ]

    def take_up(self, claim_id: str) -> Claim | None:
        """A claim that nobody works on, locked anew; one that never got its file is cleared away. Raises ``OSError``."""
        place = self.path / CLAIMED / claim_id
        written = open_locked(place / _NOTE)
        if written is None:
            with suppress(OSError):
                place.rmdir()  # its maker died, or finds it gone; not when a note is in it
            return None
        with written:
            note = _decoded(written.read())
            stream = open_locked(place / "data") if note else None
            if note and stream:
                return Claim(self, claim_id, note, stream)
            if not os.path.lexists(place / "data"):
                self._put_back(place, note)
        return None

    def purge(self, older_than_s: float) -> int:
        """Removes archived and refused files whose submission is older, and receipt files; counts the former."""
        for receipt in self.path.glob(f"*{RECEIPT_SUFFIX}"):
            age_s = _age_s(receipt)
            if age_s is not None and age_s > older_than_s:
                receipt.unlink(missing_ok=True)
        limit_ms = (time.time() - older_than_s) * 1000
        removed = 0
        for place in (ARCHIVE, REFUSED):
            for kept in (self.path / place).iterdir():
                if _submitted_ms(kept.name) < limit_ms:
                    kept.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _moved_in(self, name: str, note: ClaimNote, stream: BufferedReader) -> Claim | None:
        with self._begun(note) as place:
            if place is None:
                return None
            try:
                if note.done_suffix:
                    os.rename(self.path / (name + note.done_suffix), place / "done")  # noqa: PTH104  # atomic claim
                os.rename(self.path / name, place / "data")  # noqa: PTH104  # atomic claim
            except FileNotFoundError:
                return None
            _sync(place)
            return self._same_file(Claim(self, place.name, note, stream), place)

    @contextmanager
    def _begun(self, note: ClaimNote) -> Iterator[Path | None]:
        """The place of a new claim, its note written and locked; None when another cleared it away. Undone if no file comes."""
        place = self.path / CLAIMED / str(uuid7())
        place.mkdir()
        with made_locked(place / _NOTE) as written:
            if written is None:
                yield None
                return
            try:
                _write(written, msgspec.json.encode(note))
                yield place
            finally:
                if not os.path.lexists(place / "data"):
                    self._put_back(place, note)

    def _put_back(self, place: Path, note: ClaimNote | None) -> None:
        """Undoes a claim that got no file, under the lock on its note: a done-file goes back beside its file."""
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
        stream = open_locked(place / "data")
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
    """A file name as it is stored and shown: undecodable bytes, control characters and line breaks escaped."""
    shown = escaped(os.fsencode(name).decode("utf-8", "backslashreplace"))
    return shown.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def kept_name(submission: UUID, origin: str) -> str:
    """Name of a file in the archive."""
    return f"{submission}~{shortened(origin)}"


def open_kept(path: Path, submission: UUID, keyring: Keyring) -> BinaryIO:
    """The content of an archived or refused file, seekable; raises as ``open_file``."""
    return open_file(path, keyring, _kept_place(submission))


def _write_encrypted(path: Path, stream: BinaryIO, keyring: Keyring, submission: UUID) -> None:
    try:
        with path.open("wb") as out:
            encrypt_file(stream, out, keyring, _kept_place(submission))
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        path.unlink(missing_ok=True)  # half a copy would keep a full disk full
        raise


def _kept_place(submission: UUID) -> bytes:
    return b"dropped file\0" + submission.bytes


def shortened(origin: str) -> str:
    """A file name within a longer one."""
    safe = origin.replace("/", "_").replace("\\", "_")
    return safe.encode()[:_LONGEST_NAME].decode("utf-8", "ignore")


def _submitted_ms(name: str) -> float:
    try:
        return uuid7_ms(UUID(name.partition("~")[0]))
    except ValueError:
        return float("inf")  # not ours: never removed


def _age_s(place: Path) -> float | None:
    """Seconds since a claim or a receipt file was made; None when it is gone."""
    try:
        return time.time() - place.lstat().st_mtime
    except FileNotFoundError:
        return None


def _decoded(note: bytes) -> ClaimNote | None:
    try:
        return msgspec.json.decode(note, type=ClaimNote)
    except msgspec.DecodeError:
        return None


def _write(out: BinaryIO, content: bytes) -> None:
    out.write(content)
    out.flush()
    os.fsync(out.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
