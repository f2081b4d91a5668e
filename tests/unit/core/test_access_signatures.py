import base64
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from core.access import Authenticator, Credential, Principal, SignedRequest
from core.errors import Refused

SECRET = b"a-secret-of-32-characters-or-so!"
NOW_MS = 1_795_000_000_000
BODY = b'{"XK_XKZS":"1"}'
HEX = sha256(BODY).hexdigest()


def by_hand(secret: bytes, text: str) -> str:
    """HMAC-SHA256 written out from RFC 2104, without the hmac module."""
    key = secret.ljust(64, b"\0")
    inner = sha256(bytes(b ^ 0x36 for b in key) + text.encode()).digest()
    return base64.b64encode(sha256(bytes(b ^ 0x5C for b in key) + inner).digest()).decode()


def request(**changes: str) -> SignedRequest:
    fields = {
        "method": "POST",
        "target": "/v1/interfaces/a/records?dry=1",
        "client": "department",
        "timestamp": str(NOW_MS),
        "nonce": "n-12345678",
        "content": HEX,
    } | changes
    text = "\n".join(fields[name] for name in ("method", "target", "timestamp", "nonce", "content"))
    return SignedRequest(**({"signature": by_hand(SECRET, text)} | fields))


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(
        [
            Credential(Principal("department"), "hmac", SECRET),
            Credential(Principal("developer"), "bearer", b"bearer-key-0123456789"),
        ],
        window_s=300,
        clock=lambda: NOW_MS,
    )


def refusal(call: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.status == 401
    assert caught.value.fault is not None
    return caught.value


def test_a_signature_made_by_hand_is_accepted(authenticator: Authenticator) -> None:
    verified = authenticator.signed(request())
    assert verified.principal.client == "department"
    assert verified.nonce == "n-12345678"
    assert verified.content_sha256 == sha256(BODY).digest()


def test_a_signature_made_by_openssl_is_accepted(authenticator: Authenticator) -> None:
    text = f"POST\n/v1/interfaces/a/records\n{NOW_MS}\nnonce-by-openssl\n{HEX}"
    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", SECRET.decode(), "-binary"],
        input=text.encode(),
        capture_output=True,
        check=True,
    ).stdout
    signature = base64.b64encode(made).decode()
    asked = request(target="/v1/interfaces/a/records", nonce="nonce-by-openssl", signature=signature)
    assert authenticator.signed(asked).principal.client == "department"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", "PUT"),
        ("target", "/v1/interfaces/b/records?dry=1"),
        ("target", "/v1/interfaces/a/records"),
        ("timestamp", str(NOW_MS + 1)),
        ("nonce", "n-12345679"),
        ("content", "0" * 64),
        ("client", "developer"),
        ("client", "stranger"),
        ("signature", "AAAA"),
        ("signature", "签名"),
    ],
)
def test_whatever_is_changed_after_signing_breaks_the_signature(
    authenticator: Authenticator, field: str, value: str
) -> None:
    changed = msgspec.structs.replace(request(), **{field: value})
    assert refusal(lambda: authenticator.signed(changed)).code == "auth.signature"


def test_an_unknown_client_and_a_wrong_signature_look_the_same(authenticator: Authenticator) -> None:
    unknown = refusal(lambda: authenticator.signed(msgspec.structs.replace(request(), client="stranger")))
    wrong = refusal(lambda: authenticator.signed(msgspec.structs.replace(request(), signature="AAAA")))
    assert (unknown.code, unknown.summary) == (wrong.code, wrong.summary)


@pytest.mark.parametrize("off_s", [-300, -299, 0, 299, 300])
def test_a_clock_within_the_window_is_accepted(authenticator: Authenticator, off_s: int) -> None:
    assert (
        authenticator.signed(request(timestamp=str(NOW_MS + off_s * 1000))).principal.client == "department"
    )


@pytest.mark.parametrize(
    ("off_s", "words", "chinese"), [(-301, "301 s behind", "偏慢"), (3600, "3600 s ahead", "偏快")]
)
def test_a_clock_outside_the_window_is_told_how_far_it_is_off(
    authenticator: Authenticator, off_s: int, words: str, chinese: str
) -> None:
    error = refusal(lambda: authenticator.signed(request(timestamp=str(NOW_MS + off_s * 1000))))
    assert error.code == "auth.clock"
    assert words in error.summary
    assert chinese in error.summary_zh


@pytest.mark.parametrize(
    ("field", "header"),
    [
        ("client", "X-Client-Id"),
        ("timestamp", "X-Timestamp"),
        ("nonce", "X-Nonce"),
        ("content", "X-Content-SHA256"),
        ("signature", "X-Signature"),
    ],
)
def test_a_missing_header_is_named(authenticator: Authenticator, field: str, header: str) -> None:
    error = refusal(lambda: authenticator.signed(msgspec.structs.replace(request(), **{field: ""})))
    assert error.code == "auth.header-missing"
    assert header in error.summary
    assert header in error.summary_zh


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timestamp", "2026-11-23T18:00:00Z"),
        ("timestamp", str(NOW_MS // 1000)),
        ("timestamp", "-1795000000000"),
        ("timestamp", "１７９５０００００００００"),
        ("nonce", "short"),
        ("nonce", "n" * 129),
        ("nonce", "a nonce with blanks"),
        ("content", HEX.upper()),
        ("content", HEX[:-1]),
    ],
)
def test_a_malformed_header_is_named_with_its_form(
    authenticator: Authenticator, field: str, value: str
) -> None:
    assert refusal(lambda: authenticator.signed(request(**{field: value}))).code == "auth.header-malformed"


def test_a_bearer_key_is_its_client(authenticator: Authenticator) -> None:
    verified = authenticator.bearer("bearer-key-0123456789")
    assert (verified.principal.client, verified.nonce, verified.content_sha256) == ("developer", "", None)


@pytest.mark.parametrize(
    "key", ["", "bearer-key-012345678", "bearer-key-01234567890", SECRET.decode(), "密钥"]
)
def test_no_other_key_is_anybody(authenticator: Authenticator, key: str) -> None:
    assert refusal(lambda: authenticator.bearer(key)).code == "auth.bearer"


def test_a_credential_never_shows_its_secret() -> None:
    assert "a-secret" not in repr(Credential(Principal("department"), "hmac", SECRET))


def test_the_worked_example_of_the_documentation_is_right() -> None:
    page = (Path(__file__).parents[3] / "docs" / "http.md").read_text(encoding="utf-8")
    content = sha256(b'{"number":"P-1"}').hexdigest()
    text = f"POST\n/v1/interfaces/permits/records\n1795000000000\nf3b1c7a09d2e4c58\n{content}"
    assert f"`{content}`" in page
    assert f"`{by_hand(b'an-example-secret-of-32-characters', text)}`" in page
