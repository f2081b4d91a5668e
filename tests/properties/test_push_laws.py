"""Whatever is pushed ends in a typed answer: accepted with a receipt, or refused with the rule that refuses it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_parts import BEARER, Hub, encoded, permits, push_client, record
from pushing import URL

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.fixed_dictionaries({}, optional=dict.fromkeys(record(), VALUES))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good body with a few bytes changed, dropped or doubled."""
    body = bytearray(encoded(draw(st.sampled_from([record(), [record("A"), record("B")]]))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body) - 1))
        body[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(body)


BODIES = st.one_of(
    st.binary(max_size=200),
    mutated(),
    VALUES.map(lambda value: json.dumps(value).encode()),
    RECORDS.map(lambda value: json.dumps(value).encode()),
    st.lists(RECORDS, max_size=4).map(
        lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    ),
)
MEDIA = st.sampled_from(["application/json", "application/x-ndjson"])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(Path(tmp_path_factory.mktemp("hub")))
    hub.register(permits())
    yield hub
    hub.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(st.tuples(BODIES, MEDIA), min_size=1, max_size=20))
def test_every_body_ends_in_a_typed_answer(hub: Hub, bodies: list[tuple[bytes, str]]) -> None:
    for response in asyncio.run(_post_all(hub, bodies)):
        assert response.status_code in {202, 422}, response.text
        answer = response.json()
        records = answer.get("records", [])
        assert [one["index"] for one in records] == list(range(len(records)))
        for one in records:
            assert ("receipt" in one) != bool(one.get("errors"))
        if response.status_code == 422:
            assert all(error["rule"] and error["detail"] and error["remedy"] for error in answer["errors"])
            assert answer["errors"]


async def _post_all(hub: Hub, bodies: list[tuple[bytes, str]]) -> list[httpx.Response]:
    hub.directory.refresh()
    headers = {"Authorization": f"Bearer {BEARER}"}
    async with push_client(hub) as client:
        posts: list[Any] = [
            client.post(URL, content=content, headers=headers | {"Content-Type": media})
            for content, media in bodies
        ]
        answers: list[httpx.Response] = await asyncio.gather(*posts)
        return answers
