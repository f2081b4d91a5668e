"""Content-addressed blobs in the database: the digest is of the clear content, the bytes are encrypted."""

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from core.errors import InternalError, NotFound
from core.keyring import Keyring
from core.store.engine import Database
from core.store.tables import blob


class BlobStore:
    """Blobs by SHA-256."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def put(self, content: bytes, media: str) -> bytes:
        """Stores ``content`` (once, whoever brings it again) and returns its digest."""
        return self.put_all([(content, media)])[0]

    def put_all(self, contents: Sequence[tuple[bytes, str]]) -> list[bytes]:
        """``put`` for several (content, media) at once, in one transaction. They stay, whatever becomes of received files."""
        if not contents:
            return []
        self._keyring.roll()
        sealed = [sealed_blob(self._keyring, content, media, lasting=True) for content, media in contents]
        digests = [bytes(row["digest"]) for row in sealed]
        rows = dict(zip(digests, sealed, strict=True))
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        ordered = [
            rows[digest] for digest in sorted(rows)
        ]  # two writers of the same blobs never wait for each other
        with self._database.begin() as connection:
            kept = insert(blob).on_conflict_do_update(
                index_elements=["digest"], set_={"lasting": True}, where=~blob.c.lasting
            )
            connection.execute(kept, ordered)
        return digests

    def get(self, digest: bytes) -> bytes:
        """The content, checked against its digest; raises ``NotFound``."""
        with self._database.read() as connection:
            sealed = connection.execute(
                select(blob.c.content).where(blob.c.digest == digest)
            ).scalar_one_or_none()
        if sealed is None:
            raise NotFound(f"no blob {digest.hex()}", f"没有数据块 {digest.hex()}")
        content = self._keyring.decrypt(bytes(sealed), _place(digest))
        if hashlib.sha256(content).digest() != digest:
            raise InternalError(f"blob {digest.hex()} is not what was stored")
        return content

    def sizes(self) -> dict[str, int]:
        """Bytes kept by media type, encrypted as they are."""
        total = select(blob.c.media, func.sum(func.length(blob.c.content))).group_by(blob.c.media)
        with self._database.read() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(total)}

    def media(self, digest: bytes) -> str:
        """The media type of a blob; raises ``NotFound``."""
        with self._database.read() as connection:
            found = connection.execute(
                select(blob.c.media).where(blob.c.digest == digest)
            ).scalar_one_or_none()
        if found is None:
            raise NotFound(f"no blob {digest.hex()}", f"没有数据块 {digest.hex()}")
        return str(found)


def sealed_blob(keyring: Keyring, content: bytes, media: str, *, lasting: bool) -> dict[str, Any]:
    """The row of a blob, its content encrypted; one that is not ``lasting`` goes with the last received file of its bytes."""
    digest = hashlib.sha256(content).digest()
    return {
        "digest": digest,
        "media": media,
        "size_bytes": len(content),
        "content": keyring.encrypt(content, _place(digest)),
        "created_ms": time.time_ns() // 1_000_000,
        "lasting": lasting,
    }


def _place(digest: bytes) -> bytes:
    return b"blob" + digest
