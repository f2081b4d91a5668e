"""Messages of the bus carry sealed bodies (ARCHITECTURE 4.11): each opens only in its own channel and under its own id."""

import msgspec
import zstandard

from contracts.chunk import Chunk, decode_chunk, encode_chunk
from core.errors import ContractError, InternalError
from core.keyring import Keyring
from core.ports.bus import Channel, Message

COMPRESS_FROM_BYTES = 4096
"""Bodies from this size are compressed first; below it the time is better saved than the bytes."""
_PLAIN, _ZSTD = b"p", b"z"
_LARGEST_BYTES = 64 * 1024 * 1024


def seal_chunk(keyring: Keyring, chunk: Chunk, message_id: str = "") -> Message:
    """The message of a chunk, under the chunk's id unless another is given."""
    name = message_id or str(chunk.id)
    body = encode_chunk(chunk)
    packed = _ZSTD + zstandard.compress(body, 1) if len(body) >= COMPRESS_FROM_BYTES else _PLAIN + body
    return Message(id=name, body=keyring.encrypt(packed, _place(name)))


def open_chunk(keyring: Keyring, message: Message) -> Chunk:
    """The chunk of ``seal_chunk``; raises ``ContractError`` for a body that was altered, moved or is none of ours."""
    try:
        packed = keyring.decrypt(message.body, _place(message.id))
        body = packed[1:]
        if packed[:1] == _ZSTD:
            body = zstandard.decompress(body, max_output_size=_LARGEST_BYTES)
        return decode_chunk(body)
    except (InternalError, msgspec.DecodeError, zstandard.ZstdError) as error:
        raise ContractError(f"the message body cannot be read: {error}", []) from error


def _place(message_id: str) -> bytes:
    return f"{Channel.RECORDS}\0{message_id}".encode()
