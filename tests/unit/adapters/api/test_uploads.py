import asyncio

import pytest

from adapters.api.verifications import uploaded
from core.errors import Refused

FORM = "multipart/form-data; boundary=x"


def part(head: str, content: str) -> bytes:
    return f"--x\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n".encode()


def test_a_body_is_the_file_itself() -> None:
    assert asyncio.run(uploaded("application/octet-stream", b"%PDF")) == b"%PDF"


def test_of_a_form_the_first_file_is_taken() -> None:
    form = (
        part('name="note"', "text")
        + part('name="a"; filename="a.ofd"', "first\r\n--")
        + part('name="b"; filename="b.ofd"', "second")
        + b"--x--\r\n"
    )
    assert asyncio.run(uploaded(FORM, form)) == b"first\r\n--"


@pytest.mark.parametrize(
    ("media", "content"),
    [
        ("application/octet-stream", b""),
        ("multipart/form-data", b"--x\r\nno form"),
        (FORM, b"--x\r\nno form"),
        ("Multipart/Form-Data; boundary=\xe9", b"--x\r\nno form"),
        (FORM, part('name="note"', "text alone") + b"--x--\r\n"),
        (FORM, part('name="a"; filename="a.ofd"', "") + b"--x--\r\n"),
    ],
)
def test_without_a_file_the_upload_is_refused(media: str, content: bytes) -> None:
    with pytest.raises(Refused) as caught:
        asyncio.run(uploaded(media, content))
    assert (caught.value.status, caught.value.code) == (400, "verification.no-file")
