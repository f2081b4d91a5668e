"""SM2 keys of the system's OpenSSL 3 (libcrypto) through ctypes: constant time is OpenSSL's business, not ours.

``cryptography`` brings a libcrypto of its own without SM2, so the system's shared library is loaded beside it.
"""

import ctypes
import ctypes.util
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from core.errors import HubError
from core.gm import curve

_POINTER, _BYTES, _INT, _SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "ERR_clear_error": (None, []),
    "EVP_PKEY_CTX_new_from_name": (_POINTER, [_POINTER, _BYTES, _BYTES]),
    "EVP_PKEY_CTX_new": (_POINTER, [_POINTER, _POINTER]),
    "EVP_PKEY_CTX_free": (None, [_POINTER]),
    "EVP_PKEY_keygen_init": (_INT, [_POINTER]),
    "EVP_PKEY_generate": (_INT, [_POINTER, ctypes.POINTER(_POINTER)]),
    "EVP_PKEY_free": (None, [_POINTER]),
    "EVP_PKEY_is_a": (_INT, [_POINTER, _BYTES]),
    "EVP_PKEY_sign_init": (_INT, [_POINTER]),
    "EVP_PKEY_sign": (_INT, [_POINTER, _BYTES, ctypes.POINTER(_SIZE), _BYTES, _SIZE]),
    "EVP_PKEY_verify_init": (_INT, [_POINTER]),
    "EVP_PKEY_verify": (_INT, [_POINTER, _BYTES, _SIZE, _BYTES, _SIZE]),
    "i2d_PUBKEY": (_INT, [_POINTER, ctypes.POINTER(_POINTER)]),
    "d2i_AutoPrivateKey": (_POINTER, [_POINTER, ctypes.POINTER(_POINTER), ctypes.c_long]),
    "d2i_PUBKEY": (_POINTER, [_POINTER, ctypes.POINTER(_POINTER), ctypes.c_long]),
    "BIO_new": (_POINTER, [_POINTER]),
    "BIO_s_mem": (_POINTER, []),
    "BIO_new_mem_buf": (_POINTER, [_BYTES, _INT]),
    "BIO_read": (_INT, [_POINTER, _POINTER, _INT]),
    "BIO_ctrl_pending": (_SIZE, [_POINTER]),
    "BIO_free": (_INT, [_POINTER]),
    "EVP_aes_256_cbc": (_POINTER, []),
    "PEM_read_bio_PrivateKey": (_POINTER, [_POINTER, _POINTER, _POINTER, _BYTES]),
    "PEM_write_bio_PKCS8PrivateKey": (_INT, [_POINTER, _POINTER, _POINTER, _BYTES, _INT, _POINTER, _POINTER]),
    "d2i_PKCS12": (_POINTER, [_POINTER, ctypes.POINTER(_POINTER), ctypes.c_long]),
    "PKCS12_parse": (_INT, [_POINTER, _BYTES, *[ctypes.POINTER(_POINTER)] * 3]),
    "PKCS12_free": (None, [_POINTER]),
    "X509_free": (None, [_POINTER]),
    "i2d_X509": (_INT, [_POINTER, ctypes.POINTER(_POINTER)]),
    "OPENSSL_sk_num": (_INT, [_POINTER]),
    "OPENSSL_sk_value": (_POINTER, [_POINTER, _INT]),
    "OPENSSL_sk_free": (None, [_POINTER]),
    "CRYPTO_free": (None, [_POINTER, _BYTES, _INT]),
}


class Sm2Unavailable(HubError):
    """The system's libcrypto is missing or was built without SM2."""

    code = "sm2-unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"SM2 is not available: {reason}. Install OpenSSL 3 (libcrypto.so.3) built with SM2, or use an ECDSA or RSA key.",
            f"SM2 不可用：{reason}。请安装带 SM2 的 OpenSSL 3（libcrypto.so.3），或改用 ECDSA、RSA 密钥。",
        )


class KeyRefused(ValueError):
    """libcrypto does not take these bytes as a key, or the password is wrong."""


class Pkcs12(NamedTuple):
    """What a PKCS#12 file holds: PKCS#8 key, its DER certificate, further DER certificates."""

    key: "Sm2Key"
    certificate: bytes
    others: list[bytes]


@cache
def library() -> ctypes.CDLL:
    """The system's libcrypto with its functions declared; raises ``Sm2Unavailable``."""
    name = ctypes.util.find_library("crypto") or "libcrypto.so.3"
    try:
        loaded = ctypes.CDLL(name)
        for function, (result, arguments) in _FUNCTIONS.items():
            entry = getattr(loaded, function)
            entry.restype, entry.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise Sm2Unavailable(str(error)) from error
    context = loaded.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
    if not context:
        raise Sm2Unavailable(f"{name} has no SM2")
    loaded.EVP_PKEY_CTX_free(context)
    return loaded


def available() -> bool:
    """Whether SM2 keys can be used for signing here."""
    try:
        library()
    except Sm2Unavailable:
        return False
    return True


class Sm2Key:
    """An SM2 key, public or private, held by libcrypto."""

    def __init__(self, handle: int) -> None:
        self._library = library()
        self._handle = handle
        if not self._library.EVP_PKEY_is_a(handle, b"SM2"):
            raise KeyRefused("not an SM2 key")
        self.spki = _encoded(self._library.i2d_PUBKEY, handle)
        self.point = self.spki[-65:]

    def __del__(self) -> None:
        if handle := getattr(self, "_handle", None):
            self._library.EVP_PKEY_free(handle)

    @classmethod
    def generate(cls) -> "Sm2Key":
        """A fresh key pair from OpenSSL's random generator."""
        lib = library()
        context = lib.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
        handle = _POINTER()
        try:
            made = (
                lib.EVP_PKEY_keygen_init(context) > 0
                and lib.EVP_PKEY_generate(context, ctypes.byref(handle)) > 0
            )
        finally:
            lib.EVP_PKEY_CTX_free(context)
        return cls(_held(handle.value if made else None))

    @classmethod
    def from_pkcs8(cls, data: bytes) -> "Sm2Key":
        """The private key of a PKCS#8 (or SEC1) structure."""
        return cls(_held(_decoded(library().d2i_AutoPrivateKey, data)))

    @classmethod
    def from_spki(cls, data: bytes) -> "Sm2Key":
        """The public key of a SubjectPublicKeyInfo."""
        return cls(_held(_decoded(library().d2i_PUBKEY, data)))

    @classmethod
    def from_pem(cls, data: bytes, password: bytes | None = None) -> "Sm2Key":
        """The private key of a PEM file, decrypted with ``password``."""
        lib = library()
        bio = lib.BIO_new_mem_buf(data, len(data))
        try:
            # Without a password an empty one is handed over: the default would be to ask on the terminal.
            handle = lib.PEM_read_bio_PrivateKey(bio, None, None, password or b"")
        finally:
            lib.BIO_free(bio)
        return cls(_held(handle))

    def to_pem(self, password: bytes | None = None) -> bytes:
        """PKCS#8 PEM of the private key, under AES-256-CBC (PBES2) when a password is given."""
        lib = self._library
        bio = lib.BIO_new(lib.BIO_s_mem())
        cipher = lib.EVP_aes_256_cbc() if password else None
        try:
            size = len(password) if password else 0
            if lib.PEM_write_bio_PKCS8PrivateKey(bio, self._handle, cipher, password, size, None, None) != 1:
                raise KeyRefused("no private key to write")
            buffer = ctypes.create_string_buffer(lib.BIO_ctrl_pending(bio))
            lib.BIO_read(bio, buffer, len(buffer))
            return buffer.raw
        finally:
            lib.BIO_free(bio)

    def sign(self, messages: Iterable[bytes]) -> list[bytes]:
        """DER signatures of the messages with the default identity."""
        lib = self._library
        context = lib.EVP_PKEY_CTX_new(self._handle, None)
        try:
            if lib.EVP_PKEY_sign_init(context) <= 0:
                raise KeyRefused("the key cannot sign")
            return [
                self._sign_digest(context, curve.message_digest(self.point, message)) for message in messages
            ]
        finally:
            lib.EVP_PKEY_CTX_free(context)

    def _sign_digest(self, context: int, digest: bytes) -> bytes:
        buffer, size = ctypes.create_string_buffer(128), _SIZE(128)
        if self._library.EVP_PKEY_sign(context, buffer, ctypes.byref(size), digest, len(digest)) <= 0:
            raise KeyRefused("the key cannot sign")
        return buffer.raw[: size.value]

    def verify(self, message: bytes, signature: bytes, identity: bytes = curve.DEFAULT_IDENTITY) -> bool:
        """Whether ``signature`` (DER) is this key's over ``message``."""
        lib = self._library
        context = lib.EVP_PKEY_CTX_new(self._handle, None)
        digest = curve.message_digest(self.point, message, identity)
        try:
            if lib.EVP_PKEY_verify_init(context) <= 0:
                return False
            return bool(lib.EVP_PKEY_verify(context, signature, len(signature), digest, len(digest)) == 1)
        finally:
            lib.ERR_clear_error()
            lib.EVP_PKEY_CTX_free(context)


def read_pkcs12(data: bytes, password: bytes) -> Pkcs12:
    """The SM2 key and certificates of a PKCS#12 file; KeyRefused when the password or the content is wrong."""
    lib = library()
    parsed = _held(_decoded(lib.d2i_PKCS12, data))
    key, certificate, others = _POINTER(), _POINTER(), _POINTER()
    try:
        pointers = (ctypes.byref(key), ctypes.byref(certificate), ctypes.byref(others))
        if lib.PKCS12_parse(parsed, password, *pointers) != 1 or not key.value or not certificate.value:
            raise KeyRefused(
                "wrong password, no key with its certificate, or an old cipher (write it anew with openssl pkcs12 -legacy)"
            )
        further = [lib.OPENSSL_sk_value(others, index) for index in range(max(lib.OPENSSL_sk_num(others), 0))]
        return Pkcs12(
            Sm2Key(key.value), _taken_certificate(certificate.value), [_taken_certificate(x) for x in further]
        )
    finally:
        lib.ERR_clear_error()
        lib.OPENSSL_sk_free(others)
        lib.PKCS12_free(parsed)


def _taken_certificate(handle: int) -> bytes:
    try:
        return _encoded(library().i2d_X509, handle)
    finally:
        library().X509_free(handle)


def _held(handle: int | None) -> int:
    if not handle:
        library().ERR_clear_error()
        raise KeyRefused("not a key libcrypto can read, or the password is wrong")
    return handle


def _decoded(function: Any, data: bytes) -> int | None:
    buffer = ctypes.create_string_buffer(data, len(data))
    handle: int | None = function(None, ctypes.byref(_POINTER(ctypes.addressof(buffer))), len(data))
    return handle


def _encoded(function: Any, handle: int) -> bytes:
    out = _POINTER()
    size = function(handle, ctypes.byref(out))
    if size <= 0 or not out.value:
        raise KeyRefused("nothing to encode")
    try:
        return ctypes.string_at(out.value, size)
    finally:
        library().CRYPTO_free(out, b"", 0)
