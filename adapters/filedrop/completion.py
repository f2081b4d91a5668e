"""When a file is whole: as its interface declares, never by guessing from a name alone."""

import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

import msgspec

from adapters.filedrop.folder import RECEIPT_SUFFIX, ClaimNote, Found, Listing, note_of
from contracts.interface import Drop


class ManifestEntry(msgspec.Struct, frozen=True):
    """One file of a manifest."""

    name: str
    size_bytes: int
    sha256: str


class Completion:
    """Says which of the listed files are whole; keeps what it saw between looks."""

    def __init__(self, drop: Drop, clock: Callable[[], float] = time.monotonic) -> None:
        self._drop = drop
        self._clock = clock
        self._seen: dict[str, tuple[Found, float]] = {}

    def whole(self, listing: Listing) -> Iterator[tuple[str, ClaimNote]]:
        """(name, note of its claim) of every file that can be claimed now, oldest first."""
        mode = self._drop.completion
        names = {found.name for found in listing.files}
        candidates = [found for found in listing.files if self.is_candidate(found.name)]
        stable = self._stable(candidates) if mode == "stable" else frozenset[str]()
        suffix = self._drop.done_suffix if mode == "done-file" else ""
        for found in candidates:
            name = found.name
            if mode == "rename" or name in stable or (suffix and name + suffix in names):
                yield name, note_of(name, done_suffix=suffix)

    def is_candidate(self, name: str) -> bool:
        """Whether a file of this name is data: matches the patterns, is neither temporary nor ours nor a sign of completion."""
        drop = self._drop
        if name.endswith(RECEIPT_SUFFIX) or _matches(name, drop.temporary):
            return False
        signs = {"done-file": drop.done_suffix, "manifest": drop.manifest_suffix}
        sign = signs.get(drop.completion)
        return not (sign and name.endswith(sign)) and _matches(name, drop.pattern)

    def manifests(self, listing: Listing) -> Iterator[str]:
        """Names of the manifests in the folder."""
        if self._drop.completion == "manifest":
            yield from (
                found.name
                for found in listing.files
                if found.name.endswith(self._drop.manifest_suffix)
                and not _matches(found.name, self._drop.temporary)
            )

    def _stable(self, candidates: list[Found]) -> frozenset[str]:
        """Names unchanged in size and time for long enough by the hub's own clock; what the source's clock says is not used."""
        now = self._clock()
        known = self._seen
        self._seen = {
            found.name: known[found.name] if known.get(found.name, (None,))[0] == found else (found, now)
            for found in candidates
        }
        return frozenset(
            name for name, (_found, since) in self._seen.items() if now - since >= self._drop.stable_s
        )


def parse_manifest(content: bytes) -> list[ManifestEntry]:
    """The entries of a manifest; ``ValueError`` for anything else, or for a name that is no plain file name."""
    entries = msgspec.json.decode(content, type=list[ManifestEntry])
    for entry in entries:
        if "/" in entry.name or "\0" in entry.name or entry.name in ("", ".", ".."):
            raise ValueError(f"{entry.name!r} is no file name")
    return entries


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
