import asyncio
import hashlib
import io
import threading
from uuid import UUID

import pytest

from contracts.identity import uuid7
from contracts.record import Attachment
from core.errors import InternalError, Unavailable
from core.ports.intake import ReceivedFile
from router.intake.files import FileKeeper


class Shelf:
    """Notes what it is given; ``gate`` closed, it hangs."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.contents: list[bytes] = []
        self.noted: list[UUID] = []

    def put(self, _receipt: UUID, content: bytes, _media: str) -> bytes:
        self.gate.wait(5)
        self.contents.append(content)
        return hashlib.sha256(content).digest()

    def published(self, receipt: UUID) -> None:
        self.noted.append(receipt)


def received(content: bytes, digest: str = "") -> ReceivedFile:
    stated = digest or hashlib.sha256(content).hexdigest()
    attachment = Attachment(digest=stated, media_type="image/png", size_bytes=len(content))
    spool = io.BytesIO(content)
    spool.read()
    return ReceivedFile(attachment=attachment, content=spool)


def test_files_are_put_from_their_beginning_in_their_order() -> None:
    shelf, receipt = Shelf(), uuid7()

    async def talk() -> None:
        keeper = FileKeeper(shelf, give_up_s=5)
        await keeper.put(receipt, [received(b"one"), received(b"two")])
        await keeper.published(receipt)
        keeper.close()

    asyncio.run(talk())
    assert (shelf.contents, shelf.noted) == ([b"one", b"two"], [receipt])


def test_a_store_that_hangs_is_unavailable_and_takes_files_again_later() -> None:
    shelf = Shelf()

    async def talk() -> None:
        keeper = FileKeeper(shelf, give_up_s=0.1)
        shelf.gate.clear()
        with pytest.raises(Unavailable):
            await keeper.put(uuid7(), [received(b"one")])
        with pytest.raises(Unavailable):
            await keeper.published(uuid7())
        shelf.gate.set()
        patient = FileKeeper(shelf, give_up_s=5)
        await patient.put(uuid7(), [received(b"two")])
        keeper.close()
        patient.close()

    asyncio.run(talk())
    assert b"two" in shelf.contents


def test_a_file_that_is_not_what_was_judged_is_a_defect() -> None:
    async def talk() -> None:
        keeper = FileKeeper(Shelf(), give_up_s=5)
        with pytest.raises(InternalError):
            await keeper.put(uuid7(), [received(b"one", "0" * 64)])
        keeper.close()

    asyncio.run(talk())
