"""What the gateway must refuse at the door, and what it must recognise: one attempt each, with the answer that must come."""

from dataclasses import dataclass, field
from typing import Any

from licencehub.demo.facts import Facts
from licencehub.demo.generator import FOOD, ROAD
from licencehub.demo.writing import pushed_json

SIGNING = ("X-Client-Id", "X-Timestamp", "X-Nonce", "X-Content-SHA256", "X-Signature")
LEVELS = 10_000


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One request and its answer: status, the first rule named, and for an accepted record its outcome."""

    id: str
    cause: str
    body: str
    status: int
    rule: str = ""
    outcome: str = ""
    same_receipt_as: str = ""
    interface: str = ROAD
    media: str = "application/json"
    more: dict[str, Any] = field(default_factory=dict)
    """What the client does otherwise than usual: headers, spoiled headers, another body signed, a nonce, a wrong clock."""


def attempts(spare: Facts, other: Facts) -> list[Attempt]:
    """The attempts; ``spare`` is a sound licence nobody has sent yet, ``other`` differs from it."""
    good, changed = pushed_json(spare), pushed_json(other)
    return [*_credentials(good), *_places(good), *_bodies(good), *_repeats(good, changed)]


def _credentials(good: str) -> list[Attempt]:
    nothing = dict.fromkeys(SIGNING, "")
    wrong = {"X-Signature": "d3Jvbmcgc2lnbmF0dXJlLCB3cm9uZyBzaWduYXR1cmU="}
    return [
        Attempt(
            id="unsigned",
            cause="no credential 未携带凭据",
            body=good,
            status=401,
            rule="auth.no-credential",
            more={"spoil": nothing},
        ),
        Attempt(
            id="forged",
            cause="wrong signature 签名错误",
            body=good,
            status=401,
            rule="auth.signature",
            more={"spoil": wrong},
        ),
        Attempt(
            id="changed",
            cause="body changed on its way 正文被改动",
            body=good,
            status=400,
            rule="auth.content-digest",
            more={"signed_body": good + " "},
        ),
        Attempt(
            id="late",
            cause="clock an hour behind 时钟慢一小时",
            body=good,
            status=401,
            rule="auth.clock",
            more={"clock_off_ms": -3_600_000},
        ),
    ]


def _places(good: str) -> list[Attempt]:
    return [
        Attempt(
            id="nowhere",
            cause="unknown interface 未知接口",
            body=good,
            status=404,
            rule="interface.unknown",
            interface="road-nowhere",
        ),
        Attempt(
            id="not-ours",
            cause="another department's interface 其他部门的接口",
            body=good,
            status=403,
            rule="access.denied",
            interface=FOOD,
        ),
        Attempt(
            id="media",
            cause="not JSON by its type 媒体类型错误",
            body=good,
            status=415,
            rule="http.media-type",
            media="text/csv",
        ),
    ]


def _bodies(good: str) -> list[Attempt]:
    bad = (
        ("cut", "JSON cut short JSON不完整", good[:60], "json.syntax"),
        ("twice", "key twice 键重复", '{"issuer": 1, "issuer": 2}', "json.duplicate-key"),
        ("nan", "not a number NaN", '{"issuer": NaN}', "json.number-out-of-range"),
        ("deep", f"{LEVELS} levels 嵌套过深", "[" * LEVELS + "]" * LEVELS, "json.too-deep"),
        ("half", "half a character 孤立代理项", '{"issuer": "\\ud800"}', "json.lone-surrogate"),
        ("list", "no object 不是对象", "[42]", "json.not-an-object"),
        ("empty", "no record 空数组", "[]", "push.empty"),
    )
    return [
        Attempt(id=name, cause=cause, body=body, status=422, rule=rule) for name, cause, body, rule in bad
    ]


def _repeats(good: str, changed: str) -> list[Attempt]:
    key = {"headers": {"Idempotency-Key": "demo-0001"}}
    return [
        Attempt(
            id="first",
            cause="with Idempotency-Key 首次",
            body=good,
            status=202,
            outcome="new",
            more={**key, "nonce": "only-once-0001"},
        ),
        Attempt(
            id="again",
            cause="the same again 幂等重发",
            body=good,
            status=202,
            outcome="new",
            same_receipt_as="first",
            more={**key, "after": 1},
        ),
        Attempt(
            id="other",
            cause="same key, other body 同键异文",
            body=changed,
            status=409,
            rule="idempotency.conflict",
            more={**key, "after": 1},
        ),
        Attempt(
            id="replayed",
            cause="nonce used before 随机数重放",
            body=good,
            status=401,
            rule="auth.nonce-seen",
            more={"nonce": "only-once-0001", "after": 1},
        ),
    ]
