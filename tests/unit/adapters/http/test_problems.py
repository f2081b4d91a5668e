import json

import pytest

from adapters.http.problems import language, refusal, status_of
from contracts.fault import Rule
from core.errors import (
    ConfigError,
    ContractError,
    DataError,
    HubError,
    InternalError,
    NotFound,
    Refused,
    Throttled,
    Unavailable,
    Unroutable,
)

RULE = Rule(code="a.rule", en="is {what}", zh="是{what}", remedy_en="Mend it.", remedy_zh="请更正。")


@pytest.mark.parametrize(
    ("header", "tongue"),
    [
        ("", "en"),
        ("*", "en"),
        ("zh", "zh-CN"),
        ("zh-CN", "zh-CN"),
        ("zh-Hant-TW,zh;q=0.8", "zh-CN"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("zh;q=0.9, en;q=0.8", "zh-CN"),
        ("en;q=0.1,zh;q=0.2", "zh-CN"),
        ("fr,de;q=0.5", "en"),
        ("zh;q=0", "en"),
        (";;;q=,zh;q=x", "en"),
        ("," * 5000, "en"),
    ],
)
def test_the_better_liked_language_answers(header: str, tongue: str) -> None:
    assert language(header) == tongue


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ContractError("x", []), 422),
        (Unavailable("x"), 503),
        (Throttled("x"), 429),
        (NotFound("x"), 404),
        (Refused("code", "x", status=409), 409),
        (Unroutable("x"), 500),
        (DataError("x", receipt="r"), 500),
        (InternalError("x"), 500),
        (ConfigError("x", []), 500),
    ],
)
def test_each_error_has_its_status(error: HubError, status: int) -> None:
    assert status_of(error) == status


def test_an_error_that_passes_says_when_to_come_back() -> None:
    reply = refusal(Unavailable("away", retry_after_s=1.2), "id", "en")
    assert (b"retry-after", b"2") in reply.headers


def test_an_internal_error_shows_nothing_but_its_request_id() -> None:
    reply = refusal(InternalError("secret detail of table licence_version"), "id-1", "en")
    assert b"secret" not in reply.body
    assert b"id-1" in reply.body


@pytest.mark.parametrize(
    ("tongue", "detail", "remedy"), [("en", "is wrong", "Mend it."), ("zh-CN", "是wrong", "请更正。")]
)
def test_a_finding_carries_its_place_value_and_remedy(tongue: str, detail: str, remedy: str) -> None:
    error = ContractError("x", [RULE.at("/a/0", "seen", what="wrong")])
    reply = refusal(error, "id", "zh-CN" if tongue == "zh-CN" else "en")
    for text in (
        '"pointer":"/a/0"',
        '"rule":"a.rule"',
        '"value":"seen"',
        f'"detail":"{detail}"',
        f'"remedy":"{remedy}"',
    ):
        assert text.encode() in reply.body


def test_a_finding_about_a_header_names_the_header() -> None:
    reply = refusal(Refused.by(RULE.at("X-Nonce", what="used"), 401), "id", "en")
    assert b'"pointer":"","header":"X-Nonce"' in reply.body
    assert any(name == b"www-authenticate" for name, _value in reply.headers)


@pytest.mark.parametrize(
    "error", [NotFound("no licence X", "没有证照 X"), Unavailable("the bus is away", retry_after_s=2)]
)
def test_what_is_not_there_and_what_is_away_say_what_to_do(error: HubError) -> None:
    (english,) = json.loads(refusal(error, "r", "en").body)["errors"]
    (chinese,) = json.loads(refusal(error, "r", "zh-CN").body)["errors"]
    assert (english["rule"], english["detail"], chinese["detail"]) == (
        error.code,
        error.summary,
        error.summary_zh,
    )
    assert english["remedy"] != chinese["remedy"]
