"""A form means the same however it is cut on its way, and as the standard library's parser reads it."""

import email.policy
from email.parser import BytesParser

from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.rest.form import read_form
from form_material import BOUNDARY, form, form_media

names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters='"\\/;'), max_size=12
)
near_boundaries = st.sampled_from(
    [b"\r\n", b"--", b"\r\n--", f"\r\n--{BOUNDARY[:-1]}".encode(), f"--{BOUNDARY}x".encode(), b"\r", b"\n"]
)
contents = st.lists(
    st.one_of(st.binary(min_size=1, max_size=40), near_boundaries), min_size=1, max_size=6
).map(b"".join)


@given(
    st.lists(contents, min_size=1, max_size=4),
    contents,
    st.lists(st.integers(1, 60), min_size=1, max_size=30),
)
def test_a_form_cut_anywhere_has_the_same_parts(files: list[bytes], stated: bytes, cuts: list[int]) -> None:
    body = form(("record", "", stated), *[("scan", f"p{n}.jpg", data) for n, data in enumerate(files)])
    assume(body.count(f"--{BOUNDARY}".encode()) == len(files) + 2)  # else no sender may choose this boundary
    pieces, at = [], 0
    for index in range(len(body)):
        step = cuts[index % len(cuts)]
        pieces.append(body[at : at + step])
        at += step
        if at >= len(body):
            break
    read = read_form(pieces, BOUNDARY.encode(), files=10, file_bytes=10_000)
    found = []
    for part in read.parts:
        part.content.seek(0)
        found.append((part.name, part.content.read()))
    read.close()
    assert found == [("record", stated), *(("scan", data) for data in files)]


@given(names)
def test_a_file_name_is_kept_as_it_was_sent(name: str) -> None:
    body = form(("record", "", b"{}"), ("scan", f"a{name}", b"x"))
    read = read_form([body], BOUNDARY.encode(), files=1, file_bytes=10)
    read.close()
    head = f"Content-Type: {form_media()['Content-Type']}\r\n\r\n".encode()
    parts = list(BytesParser(policy=email.policy.HTTP).parsebytes(head + body).iter_parts())
    assert len(parts) == len(read.parts) == 2
    assert read.parts[1].file_name == f"a{name}"
