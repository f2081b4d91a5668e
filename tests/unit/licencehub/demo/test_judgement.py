"""The comparison is no rubber stamp: whatever comes out otherwise is seen."""

from typing import Any

import pytest

from licencehub.demo.door import Attempt
from licencehub.demo.facts import Expected, Row
from licencehub.demo.generator import Body, DroppedFile
from licencehub.demo.judgement import judge_attempts, judge_bodies, judge_file

NEW, HELD = Expected("new"), Expected("rejected", "uscc.check-digit")


def _rows(*expected: Expected) -> tuple[Row, ...]:
    facts: Any = object()
    return tuple(Row("case", facts, one) for one in expected)


def _receipt(*records: dict[str, Any], verdict: str = "read", skips: int = 0) -> dict[str, Any]:
    numbered = [{"row": number, **record} for number, record in enumerate(records, 1)]
    return {"verdict": verdict, "findings": [], "rows_skipped": {"empty": skips}, "records": numbered}


def _finding(rule: str) -> dict[str, Any]:
    return {"rule": rule, "remedy": {"en": "do this", "zh-CN": "请处理"}}


FILE = DroppedFile("food-permits", "a.csv", b"", _rows(NEW, HELD))
RIGHT = ({"outcome": "new"}, {"outcome": "rejected", "findings": [_finding("uscc.check-digit")]})


def test_a_file_whose_rows_all_ended_as_expected_is_right() -> None:
    judged = list(judge_file(FILE, _receipt(*RIGHT)))
    assert [one.right for one in judged] == [True, True, True]
    assert judged[2].remedy == "do this"


@pytest.mark.parametrize(
    "receipt",
    [
        None,
        _receipt(RIGHT[0]),
        _receipt(RIGHT[1], RIGHT[0]),
        _receipt(*RIGHT, {"outcome": "new"}),
        _receipt(*RIGHT, verdict="refused"),
        _receipt(*RIGHT, skips=1),
        _receipt(RIGHT[0], {"outcome": "rejected", "findings": [_finding("uscc.length")]}),
        _receipt(RIGHT[0], {"outcome": "rejected"}),
        _receipt({"outcome": "new", "findings": [_finding("item.undeclared")]}, RIGHT[1]),
    ],
    ids=["none", "row missing", "swapped", "row too many", "refused", "skipped", "other rule", "no rule", "rule too many"],
)  # fmt: skip
def test_a_receipt_that_says_anything_else_is_seen(receipt: dict[str, Any] | None) -> None:
    assert not all(one.right for one in judge_file(FILE, receipt))


def test_a_record_refused_at_the_door_and_one_never_answered_are_told_apart() -> None:
    rows = _rows(Expected("refused", "mapping.required"), NEW)
    body = Body("b", "", rows, lines=True)
    answer = {"records": [{"index": 0, "errors": [{"rule": "mapping.required", "remedy": "fill it"}]}]}
    first, second = judge_bodies([body], {"b": answer})
    assert first.right
    assert not second.right
    assert second.outcome.startswith("missing")


def test_a_repeat_that_gets_another_receipt_is_seen() -> None:
    first = Attempt(id="first", cause="", body="", status=202, outcome="new")
    again = Attempt(id="again", cause="", body="", status=202, outcome="new", same_receipt_as="first")
    same = {"status": 202, "records": [{"receipt": "1", "outcome": "new"}]}
    other = {"status": 202, "records": [{"receipt": "2", "outcome": "new"}]}
    assert all(one.right for one in judge_attempts([first, again], {"first": same, "again": same}))
    assert [one.right for one in judge_attempts([first, again], {"first": same, "again": other})] == [
        True,
        False,
    ]


def test_an_attempt_that_was_let_in_is_seen() -> None:
    attempt = Attempt(id="a", cause="", body="", status=401, rule="auth.signature")
    let_in = {"status": 202, "records": [{"receipt": "1", "outcome": "new"}], "errors": []}
    refused = {"status": 401, "errors": [{"rule": "auth.signature", "remedy": ""}]}
    assert [one.right for one in judge_attempts([attempt], {"a": let_in})] == [False]
    assert [one.right for one in judge_attempts([attempt], {"a": refused})] == [True]
