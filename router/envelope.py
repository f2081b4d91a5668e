"""Messages of the bus carry sealed bodies (ARCHITECTURE 4.11): each opens only in its own channel and under its own id."""

from contracts.chunk import Chunk, decode_chunk, encode_chunk
from core.keyring import Keyring
from core.ports.bus import Channel, Message


def seal(keyring: Keyring, channel: Channel, message_id: str, body: bytes) -> Message:
    """The message that carries ``body`` encrypted."""
    return Message(id=message_id, body=keyring.encrypt(body, _place(channel, message_id)))


def unseal(keyring: Keyring, channel: Channel, message: Message) -> bytes:
    """The body of ``seal``; raises ``InternalError`` when it was altered or moved."""
    return keyring.decrypt(message.body, _place(channel, message.id))


def seal_chunk(keyring: Keyring, chunk: Chunk) -> Message:
    """The message of a chunk, under the chunk's id."""
    return seal(keyring, Channel.RECORDS, str(chunk.id), encode_chunk(chunk))


def open_chunk(keyring: Keyring, message: Message) -> Chunk:
    """The chunk of a message; raises ``InternalError`` or ``msgspec.DecodeError`` for anything else."""
    return decode_chunk(unseal(keyring, Channel.RECORDS, message))


def _place(channel: Channel, message_id: str) -> bytes:
    return f"{channel.value}{message_id}".encode()
