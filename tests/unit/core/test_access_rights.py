import itertools
from pathlib import Path

import pytest

from core.access import (
    Action,
    Principal,
    Right,
    allows,
    authorise,
    granted_types,
    load_authenticator,
    matches,
)
from core.access.clients import right
from core.config import Grant, load_config
from core.errors import ConfigError, Refused

INTERFACES = ("alpha", "alpha-2", "beta")
TYPES = ("11100000000013338W032", "11100000000013338W011", "T")
GRANTS = {
    "nobody": (),
    "pusher": (Grant(actions=("push", "receipt.read"), interfaces=("alpha",)),),
    "family": (Grant(actions=("push",), interfaces=("alpha*",)),),
    "reader": (Grant(actions=("licence.read",), types=("11100000000013338W*",)),),
    "mixed": (
        Grant(actions=("push",), interfaces=("beta",)),
        Grant(actions=("licence.fetch",), interfaces=("*",), types=("T",)),
        Grant(actions=("verify",)),
    ),
    "everything": (Grant(actions=("*",), interfaces=("*",), types=("*",)),),
    "no targets": (Grant(actions=("*",)),),
}
ALLOWED = {
    "nobody": set(),
    "pusher": {("push", "alpha"), ("receipt.read", "alpha")},
    "family": {("push", "alpha"), ("push", "alpha-2")},
    "reader": {("licence.read", TYPES[0]), ("licence.read", TYPES[1])},
    "mixed": {("push", "beta"), ("licence.fetch", "T"), ("verify", "")},
    "everything": {("verify", "")}
    | set(itertools.product(("push", "receipt.read", "quarantine.read"), INTERFACES))
    | set(itertools.product(("licence.read", "licence.fetch", "manage"), TYPES)),
    "no targets": {("verify", "")},
}
"""Written by hand: the registered rights, and nothing else."""


@pytest.mark.parametrize("client", GRANTS)
def test_the_allowed_set_is_exactly_the_granted_set(client: str) -> None:
    principal = Principal(client, "", tuple(right(grant) for grant in GRANTS[client]))
    found = set()
    for action, interface, kind in itertools.product(Action, ("", *INTERFACES), ("", *TYPES)):
        if allows(principal, action, interface=interface, licence_type=kind):
            on_type = action.value in {"licence.read", "licence.fetch", "manage"}
            found.add((action.value, "" if action is Action.VERIFY else kind if on_type else interface))
    assert found == ALLOWED[client]


def test_a_denial_names_client_action_and_target_in_both_languages() -> None:
    with pytest.raises(Refused) as caught:
        authorise(Principal("department"), Action.PUSH, interface="beta")
    assert (caught.value.code, caught.value.status) == ("access.denied", 403)
    assert "department may not push beta" in caught.value.summary
    assert "beta" in caught.value.summary_zh


def test_the_types_of_an_action_come_from_its_own_grants_alone() -> None:
    principal = Principal(
        "a",
        "",
        (
            Right(frozenset({Action.LICENCE_READ}), types=("B", "A*")),
            Right(frozenset({Action.LICENCE_FETCH}), types=("*",)),
        ),
    )
    assert granted_types(principal, Action.LICENCE_READ) == ("A*", "B")


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("a*", "ab", True),
        ("*", "a", True),
        ("*", "", False),
        ("", "", False),
        ("a*b", "acb", False),
    ],
)
def test_a_pattern_is_a_name_or_a_beginning(pattern: str, name: str, covered: bool) -> None:
    assert matches(pattern, name) is covered


def configured(tmp_path: Path, secret: str) -> Path:
    (tmp_path / "key").write_text(secret)
    path = tmp_path / "licence-hub.toml"
    path.write_text(
        '[[client]]\nid = "a"\nkind = "bearer"\nsecret = "file:key"\n[[client]]\nid = "b"\nsecret = "file:none"\n'
    )
    return path


def test_every_missing_or_weak_secret_is_reported_with_its_client_and_without_its_value(
    tmp_path: Path,
) -> None:
    config = load_config(configured(tmp_path, "hunter2"), {})
    with pytest.raises(ConfigError) as caught:
        load_authenticator(config)
    assert [fault.pointer for fault in caught.value.faults] == ["/client/0/secret", "/client/1/secret"]
    assert "hunter2" not in str(caught.value)


def test_configured_clients_authenticate(tmp_path: Path) -> None:
    path = configured(tmp_path, "bearer-key-0123456789\n")
    (tmp_path / "none").write_text("signing-key-0123456789")
    assert load_authenticator(load_config(path, {})).bearer("bearer-key-0123456789").principal.client == "a"
