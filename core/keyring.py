"""Keys of the store: data keys per month wrapped by a master key, blind indexes, the receipt key (ARCHITECTURE 4.11).

A sealed value is ``01 | length of key id | key id | 12-byte nonce | AES-256-GCM ciphertext and tag`` (NIST SP 800-38D, random
nonces, one key a month). Rotating the master key re-wraps the data keys and touches no sealed value.
"""

import base64
import binascii
import hashlib
import os
import threading
import time
from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.fault import Rule
from core.errors import ConfigError, InternalError

Purpose = Literal["data", "blind", "receipt"]

KEY_BYTES = 32
NONCE_BYTES = 12
BLIND_BYTES = 16
_FORMAT = 1
_ROLL_EVERY_S = 60.0

MASTER = Rule(
    code="keys.master",
    en="the master key is not usable: {why}",
    zh="主密钥不可用：{why}",
    remedy_en="give the key this store was made with: 32 bytes as 64 hexadecimal digits or base64",
    remedy_zh="请提供建立本库时使用的主密钥：32 字节，十六进制 64 位或 base64",
)


class WrappedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A data key as the store keeps it: encrypted under the master key."""

    key_id: str
    purpose: Purpose
    wrapped: bytes
    master_id: str
    created_ms: int


class KeyShelf(Protocol):
    """Where wrapped keys are kept; the store implements it."""

    def load(self) -> Sequence[WrappedKey]: ...

    def add(self, key: WrappedKey) -> None:
        """Adds the key unless one with its id is there: of two processes that add, one wins and both read it."""
        ...

    def rewrap(self, keys: Sequence[WrappedKey]) -> None:
        """Replaces the wrapping of known keys, all or none."""
        ...


class Keyring:
    """The keys in clear, in memory only; safe to use from several threads."""

    def __init__(self, master: bytes, shelf: KeyShelf) -> None:
        self._master = AESGCM(master)
        self._master_id = master_id(master)
        self._shelf = shelf
        self._lock = threading.Lock()
        self._ciphers: dict[str, AESGCM] = {}
        self._blind: dict[str, bytes] = {}
        self._receipt = b""
        self._prefix = b""
        self._current: AESGCM | None = None
        self._rolled_s = float("-inf")
        self.roll()

    @property
    def receipt_key(self) -> bytes:
        """Key of the receipt ids (contracts.identity.receipt_id)."""
        return self._receipt

    @property
    def blind_key_id(self) -> str:
        """Id of the key ``blind`` uses."""
        return max(self._blind)

    def encrypt(self, plain: bytes, aad: bytes) -> bytes:
        """``plain`` sealed under this month's key; ``aad`` names the place it belongs to and must be given to open it."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._current
        if cipher is None:
            raise InternalError("the keyring has no current key")
        return self._prefix + nonce + cipher.encrypt(nonce, plain, aad)

    def decrypt(self, sealed: bytes, aad: bytes) -> bytes:
        """What ``encrypt`` sealed for the same ``aad``; raises ``InternalError`` when it was altered or belongs elsewhere."""
        end = 2 + sealed[1] if len(sealed) > 2 and sealed[0] == _FORMAT else 0
        cipher = self._cipher(sealed[2:end].decode("ascii", "replace"))
        try:
            return cipher.decrypt(sealed[end : end + NONCE_BYTES], sealed[end + NONCE_BYTES :], aad)
        except (InvalidTag, ValueError):
            raise InternalError("a sealed value was altered or moved") from None

    def blind(self, field: str, value: str) -> bytes:
        """Keyed hash of a value for exact match (BLAKE2b, 16 bytes); ``field`` keeps equal values of two fields apart."""
        return _blinded(self._blind[self.blind_key_id], field, value)

    def blind_all(self, field: str, value: str) -> list[bytes]:
        """``blind`` under every active key: what a query must look for."""
        return [_blinded(key, field, value) for key in self._blind.values()]

    def roll(self, now_s: float | None = None) -> None:
        """Makes the keys of ``now`` where they are missing and uses them; costs nothing within a minute of the last call.

        To be called before a transaction begins: it may write one of its own.
        """
        moment = time.monotonic()
        if now_s is None and moment - self._rolled_s < _ROLL_EVERY_S:
            return
        wall_s = time.time() if now_s is None else now_s
        current = "d" + time.strftime("%Y%m", time.gmtime(wall_s))
        with self._lock:
            if current not in self._ciphers or not self._receipt:
                self._make(current, int(wall_s * 1000))
            self._use(current)
            self._rolled_s = moment

    def rewrap(self, new_master: bytes) -> int:
        """Wraps every key under ``new_master``; counts them. Other processes need the new master at their next start."""
        wanted = AESGCM(new_master)
        with self._lock:
            keys = [
                self._wrap(
                    key.key_id, key.purpose, self._unwrap(key), wanted, master_id(new_master), key.created_ms
                )
                for key in self._shelf.load()
            ]
            self._shelf.rewrap(keys)
            self._master, self._master_id = wanted, master_id(new_master)
        return len(keys)

    def _make(self, current: str, now_ms: int) -> None:
        self._load()
        wanted: list[tuple[str, Purpose]] = [(current, "data")]
        if not self._blind:
            wanted.append(("b1", "blind"))
        if not self._receipt:
            wanted.append(("r1", "receipt"))
        for key_id, purpose in wanted:
            if key_id not in self._ciphers:
                fresh = os.urandom(KEY_BYTES)
                self._shelf.add(self._wrap(key_id, purpose, fresh, self._master, self._master_id, now_ms))
        self._load()

    def _use(self, key_id: str) -> None:
        self._current = self._ciphers[key_id]
        self._prefix = bytes((_FORMAT, len(key_id))) + key_id.encode("ascii")

    def _cipher(self, key_id: str) -> AESGCM:
        if key_id not in self._ciphers:
            with self._lock:
                self._load()
        try:
            return self._ciphers[key_id]
        except KeyError:
            raise InternalError("a sealed value names a key this store does not have") from None

    def _load(self) -> None:
        for key in self._shelf.load():
            clear = self._unwrap(key)
            if key.purpose == "data":
                self._ciphers.setdefault(key.key_id, AESGCM(clear))
            elif key.purpose == "blind":
                self._blind[key.key_id] = clear
            else:
                self._receipt = clear

    def _unwrap(self, key: WrappedKey) -> bytes:
        try:
            return self._master.decrypt(
                key.wrapped[:NONCE_BYTES], key.wrapped[NONCE_BYTES:], _place(key.key_id, key.purpose)
            )
        except InvalidTag:
            why = f"key {key.key_id} was wrapped by master {key.master_id}, not by {self._master_id}"
            raise ConfigError("keys.master", [MASTER.at("/keys/master", why=why)]) from None

    def _wrap(
        self, key_id: str, purpose: Purpose, clear: bytes, master: AESGCM, name: str, now_ms: int
    ) -> WrappedKey:
        nonce = os.urandom(NONCE_BYTES)
        wrapped = nonce + master.encrypt(nonce, clear, _place(key_id, purpose))
        return WrappedKey(key_id=key_id, purpose=purpose, wrapped=wrapped, master_id=name, created_ms=now_ms)


def new_master() -> str:
    """A fresh master key as text for the file its reference names."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def parse_master(text: str) -> bytes:
    """The master key of 64 hexadecimal digits or base64; raises ``ConfigError`` for anything else."""
    compact = text.strip()
    try:
        key = (
            bytes.fromhex(compact)
            if len(compact) == 2 * KEY_BYTES
            else base64.b64decode(compact, validate=True)
        )
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError("keys.master", [MASTER.at("/keys/master", why="it is not 32 bytes")])
    return key


def master_id(master: bytes) -> str:
    """Short name of a master key: tells which one wrapped a data key, tells nothing about it."""
    return hashlib.sha256(b"master key id\0" + master).hexdigest()[:16]


def _blinded(key: bytes, field: str, value: str) -> bytes:
    person = field.encode()[:16]
    return hashlib.blake2b(value.encode(), digest_size=BLIND_BYTES, key=key, person=person).digest()


def _place(key_id: str, purpose: str) -> bytes:
    return f"data key\0{key_id}\0{purpose}".encode()
