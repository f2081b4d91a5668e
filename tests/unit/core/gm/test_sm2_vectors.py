"""GM/T 0003.5 and GB/T 32905 examples, and the two implementations against each other and the openssl command."""

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.gm import curve, der, libcrypto, sm2
from core.gm.sm3 import BundledSm3, new_sm3, sm3

SECRET = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
NONCE = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
PUBLIC = (
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
SIGNATURE = der.sequence(der.integer(R), der.integer(S))
MESSAGE = b"message digest"
Verify = Callable[..., bool]

SM3_VECTORS = [
    (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    (b"", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"),
]


@pytest.mark.parametrize(("message", "digest"), SM3_VECTORS)
def test_sm3_gives_the_published_digests_with_either_implementation(message: bytes, digest: str) -> None:
    assert sm3(message).hex() == digest
    assert BundledSm3(message).digest().hex() == digest


def test_a_copied_digest_goes_its_own_way() -> None:
    for start in (new_sm3(b"ab"), BundledSm3(b"ab")):
        copy = start.copy()
        copy.update(b"c")
        assert copy.digest() == sm3(b"abc")
        assert start.digest() == sm3(b"ab")


def test_the_published_signature_comes_out_of_the_published_nonce() -> None:
    assert curve.public_point(SECRET).hex() == PUBLIC
    assert curve.sign_with_nonce(SECRET, MESSAGE, NONCE) == SIGNATURE
    assert (
        curve.z_value(bytes.fromhex(PUBLIC)).hex()
        == "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
    )


@pytest.mark.parametrize("verify", [curve.verify, sm2.verify], ids=["python", "libcrypto"])
class TestBothVerifiers:
    def test_accept_the_published_signature(self, verify: Verify) -> None:
        assert verify(bytes.fromhex(PUBLIC), MESSAGE, SIGNATURE)

    def test_refuse_another_message_or_identity(self, verify: Verify) -> None:
        assert not verify(bytes.fromhex(PUBLIC), b"message digesT", SIGNATURE)
        assert not verify(bytes.fromhex(PUBLIC), MESSAGE, SIGNATURE, b"ALICE123@YAHOO.COM")

    @pytest.mark.parametrize("position", range(len(SIGNATURE)))
    def test_refuse_every_changed_byte_of_the_signature(self, verify: Verify, position: int) -> None:
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(SIGNATURE)
            changed[position] ^= flip
            assert not verify(bytes.fromhex(PUBLIC), MESSAGE, bytes(changed))

    @pytest.mark.parametrize(
        ("r", "s"), [(0, S), (R, 0), (R + curve.N, S), (R, S + curve.N), (R, curve.N - R), (-R, S)]
    )
    def test_refuse_numbers_out_of_range(self, verify: Verify, r: int, s: int) -> None:
        assert not verify(bytes.fromhex(PUBLIC), MESSAGE, der.sequence(der.integer(r), der.integer(s)))

    def test_refuse_a_point_off_the_curve(self, verify: Verify) -> None:
        off = bytearray.fromhex(PUBLIC)
        off[-1] ^= 1
        assert not verify(bytes(off), MESSAGE, SIGNATURE)

    def test_refuse_bytes_that_are_no_signature(self, verify: Verify) -> None:
        for junk in (b"", b"\x30", SIGNATURE + b"\0", SIGNATURE[:-1], b"\x30\x81" + SIGNATURE[1:]):
            assert not verify(bytes.fromhex(PUBLIC), MESSAGE, junk)


@settings(max_examples=25, deadline=None)
@given(message=st.binary(max_size=300))
def test_what_libcrypto_signs_python_verifies_and_the_other_way_round(message: bytes) -> None:
    key = libcrypto.Sm2Key.generate()
    signature = key.sign([message])[0]
    assert curve.verify(key.point, message, signature)
    assert not curve.verify(key.point, message + b"x", signature)
    own = curve.sign_with_nonce(SECRET, message, NONCE)
    assert sm2.verify(bytes.fromhex(PUBLIC), message, own)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")
def test_the_openssl_command_and_the_hub_accept_each_other(tmp_path: Path) -> None:
    key = libcrypto.Sm2Key.generate()
    (tmp_path / "key.pem").write_bytes(key.to_pem())
    (tmp_path / "message").write_bytes(b"a licence")
    (tmp_path / "ours.sig").write_bytes(key.sign([b"a licence"])[0])
    identity = [
        "-pkeyopt",
        "distid:1234567812345678",
        "-rawin",
        "-digest",
        "sm3",
        "-in",
        "message",
        "-inkey",
        "key.pem",
    ]
    theirs = ["openssl", "pkeyutl", "-sign", *identity, "-out", "theirs.sig"]
    subprocess.run(theirs, cwd=tmp_path, check=True, capture_output=True)
    ours = ["openssl", "pkeyutl", "-verify", *identity, "-sigfile", "ours.sig"]
    assert subprocess.run(ours, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    assert key.verify(b"a licence", (tmp_path / "theirs.sig").read_bytes())
    assert curve.verify(key.point, b"a licence", (tmp_path / "theirs.sig").read_bytes())


def test_without_sm2_in_libcrypto_python_verifies_and_signing_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing() -> None:
        raise libcrypto.Sm2Unavailable("libcrypto.so.1.1 has no SM2")

    monkeypatch.setattr(libcrypto, "library", missing)
    assert sm2.verify(bytes.fromhex(PUBLIC), MESSAGE, SIGNATURE)
    with pytest.raises(libcrypto.Sm2Unavailable, match="Install OpenSSL 3") as caught:
        libcrypto.Sm2Key.generate()
    assert "请安装" in caught.value.summary_zh


def test_one_key_signs_from_many_threads() -> None:
    key = libcrypto.Sm2Key.generate()
    messages = [f"licence {number}".encode() for number in range(200)]
    with ThreadPoolExecutor(4) as pool:
        signatures = list(pool.map(lambda message: key.sign([message])[0], messages))
    assert all(
        key.verify(message, signature) for message, signature in zip(messages, signatures, strict=True)
    )
