"""Messages of the bus carry sealed bodies (ARCHITECTURE 4.11): each opens only in its own channel and under its own id."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
import zstandard

from contracts.chunk import Chunk, PackageRequestMessage, decode_chunk, encode_chunk
from core.errors import ContractError, InternalError
from core.keyring import Keyring
from core.ports.bus import Channel, Message

COMPRESS_FROM_BYTES = 4096
"""Bodies from this size are compressed first; below it the time is better saved than the bytes."""
_PLAIN, _ZSTD = b"p", b"z"
_LARGEST_BYTES = 64 * 1024 * 1024


def seal(keyring: Keyring, channel: Channel, message_id: str, body: bytes) -> Message:
    """The message that carries ``body``, compressed when that pays, encrypted."""
    packed = _ZSTD + zstandard.compress(body, 1) if len(body) >= COMPRESS_FROM_BYTES else _PLAIN + body
    return Message(id=message_id, body=keyring.encrypt(packed, _place(channel, message_id)))


def unseal(keyring: Keyring, channel: Channel, message: Message) -> bytes:
    """The body of ``seal``; raises ``ContractError`` when it was altered, moved or is none of ours."""
    try:
        packed = keyring.decrypt(message.body, _place(channel, message.id))
        return zstandard.decompress(packed[1:], _LARGEST_BYTES) if packed[:1] == _ZSTD else packed[1:]
    except (InternalError, zstandard.ZstdError) as error:
        raise ContractError(f"the message body cannot be read: {error}", []) from error


def seal_chunk(keyring: Keyring, chunk: Chunk, message_id: str = "") -> Message:
    """The message of a chunk, under the chunk's id unless another is given."""
    return seal(keyring, Channel.RECORDS, message_id or str(chunk.id), encode_chunk(chunk))


def open_chunk(keyring: Keyring, message: Message) -> Chunk:
    """The chunk of a message; raises ``ContractError`` for anything else."""
    try:
        return decode_chunk(unseal(keyring, Channel.RECORDS, message))
    except msgspec.DecodeError as error:
        raise ContractError(f"the message is no chunk: {error}", []) from error


def package_message(versions: Sequence[tuple[UUID, int]]) -> Message:
    """The message of the ``packages`` channels: (licence id, version number) pairs, nothing that needs sealing."""
    wanted = PackageRequestMessage(versions=tuple(versions))
    first, version_no = wanted.versions[0]
    return Message(id=f"package:{first}:{version_no}:{len(versions)}", body=msgspec.msgpack.encode(wanted))


def _place(channel: Channel, message_id: str) -> bytes:
    return f"{channel.value}\0{message_id}".encode()
