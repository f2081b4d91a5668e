"""Keys that follow one another, and what a running process makes of a new one."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.ports.signer import Algorithm
from core.sealing.authority import Authority, create_authority
from core.sealing.certificates import Purpose
from core.sealing.succession import FRESH_S, CurrentSigner, Succession


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = create_authority(tmp_path, Algorithm.ECDSA_P256_SHA256)
    made.issue("journal", Purpose.JOURNAL)
    return made


def test_the_last_key_is_in_use_and_earlier_certificates_stay(authority: Authority) -> None:
    keys = Succession(authority.folder, "journal")
    made = [keys.signer(), *(keys.renew(authority, Purpose.JOURNAL, "next") for _ in range(10))]
    assert keys.names() == ["journal", *(f"journal-{n}" for n in range(2, 12))]
    assert keys.signer().key_id == made[-1].key_id
    assert keys.certificates() == [signer.certificate for signer in made]


def test_keys_of_other_names_are_not_mixed_in(authority: Authority) -> None:
    for name in ("journal-old", "journals", "journal-02"):
        authority.issue(name, Purpose.JOURNAL)
    assert Succession(authority.folder, "journal").names() == ["journal"]


def test_a_process_takes_up_a_new_key_when_its_answer_is_no_longer_fresh(authority: Authority) -> None:
    clock, keys = Clock(), Succession(authority.folder, "journal")
    current = CurrentSigner(keys, clock)
    first = current()
    second = keys.renew(authority, Purpose.JOURNAL, "next")
    assert current() is first
    clock.now = FRESH_S
    assert current().key_id == second.key_id


def test_a_new_key_that_cannot_be_read_yet_leaves_the_one_before_in_use(authority: Authority) -> None:
    clock, keys = Clock(), Succession(authority.folder, "journal")
    current = CurrentSigner(keys, clock)
    first = current()
    second = keys.renew(authority, Purpose.JOURNAL, "next")
    key = authority.folder / "journal-2.key"
    aside = key.rename(authority.folder / "aside")
    clock.now = FRESH_S
    assert current() is first
    aside.rename(key)
    clock.now = 2 * FRESH_S
    assert current().key_id == second.key_id


def test_without_any_key_there_is_an_error_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="journal"):
        CurrentSigner(Succession(tmp_path, "journal"))()
