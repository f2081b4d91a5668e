from pathlib import Path

import pytest

from core.errors import ConfigError, NotFound, Refused
from core.ports.signer import Algorithm
from core.sealing.authority import Authority, create_authority
from core.sealing.certificates import Purpose
from core.sealing.seal import signed_value
from core.sealing.ses import SesSeal
from core.sealing.store import KeyReference, SealDeclaration, SealStore
from signing_material import NOON, made_seal, material


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    monkeypatch.setenv("PW", "pw")
    made = create_authority(tmp_path / "ca", Algorithm.SM2_SM3)
    made.issue("signer", Purpose.DOCUMENT_SIGNER, password=b"pw")
    return made


@pytest.fixture
def ses(authority: Authority) -> SesSeal:
    return made_seal(material().maker, authority.signer("signer", b"pw"))


def declaration(authority: Authority, password: str = "env:PW") -> SealDeclaration:
    key = KeyReference(
        str(authority.folder / "signer.key"), str(authority.folder / "signer.crt"), password=password
    )
    return SealDeclaration(key, licence_types=("T1",), issuers=("I1",))


def test_a_seal_taken_in_opens_with_its_key_and_binding(
    tmp_path: Path, authority: Authority, ses: SesSeal
) -> None:
    store = SealStore(tmp_path / "seals")
    store.add("city", ses.encoding, declaration(authority))
    seal = store.open("city")
    assert seal.der == ses.encoding
    assert (seal.may_sign("T1", "I1"), seal.may_sign("T2", "I1")) == (True, False)
    assert signed_value(seal, bytes(32), "/x", NOON)
    assert (tmp_path / "seals/city/picture.png").read_bytes() == ses.info.picture
    assert not list((tmp_path / "seals").rglob("*.key"))


def test_the_list_shows_seals_without_touching_their_keys(
    tmp_path: Path, authority: Authority, ses: SesSeal
) -> None:
    store = SealStore(tmp_path / "seals")
    for name in ("b", "a"):
        store.add(name, ses.encoding, declaration(authority))
    assert [entry.name for entry in store.entries()] == ["a", "b"]
    assert store.entries()[0].ses.info.name == ses.info.name


def test_a_retired_seal_stays_retired_and_listed(tmp_path: Path, authority: Authority, ses: SesSeal) -> None:
    store = SealStore(tmp_path / "seals")
    store.add("city", ses.encoding, declaration(authority))
    store.retire("city")
    assert SealStore(tmp_path / "seals").entry("city").declaration.retired
    with pytest.raises(Refused, match="retired"):
        signed_value(store.open("city"), bytes(32), "/x", NOON)


def test_a_password_can_come_from_a_file(tmp_path: Path, authority: Authority, ses: SesSeal) -> None:
    (tmp_path / "pw").write_text("pw\n")
    store = SealStore(tmp_path / "seals")
    store.add("city", ses.encoding, declaration(authority, f"file:{tmp_path / 'pw'}"))
    assert store.open("city").signer.algorithm is Algorithm.SM2_SM3


@pytest.mark.parametrize("reference", ["env:NOT_SET", "file:/no/such/file", "plain text"])
def test_a_password_reference_that_leads_nowhere_is_named(
    reference: str, tmp_path: Path, authority: Authority, ses: SesSeal
) -> None:
    store = SealStore(tmp_path / "seals")
    store.add("city", ses.encoding, declaration(authority, reference))
    with pytest.raises(ConfigError) as caught:
        store.open("city")
    assert caught.value.faults[0].rule.startswith("secret.")


def test_names_are_kept_simple_and_unique(tmp_path: Path, authority: Authority, ses: SesSeal) -> None:
    store = SealStore(tmp_path / "seals")
    store.add("city", ses.encoding, declaration(authority))
    with pytest.raises(Refused, match="already"):
        store.add("city", ses.encoding, declaration(authority))
    for name in ("../x", "", "A", "a/b"):
        with pytest.raises(Refused, match="name is made of"):
            store.add(name, ses.encoding, declaration(authority))
    with pytest.raises(NotFound):
        store.open("county")


def test_broken_declarations_and_seals_are_refused_with_their_place(
    tmp_path: Path, authority: Authority, ses: SesSeal
) -> None:
    store = SealStore(tmp_path / "seals")
    with pytest.raises(ConfigError, match=r"/seal\.esl"):
        store.add("bad", b"junk", declaration(authority))
    assert store.entries() == []
    store.add("city", ses.encoding, declaration(authority))
    (tmp_path / "seals/city/seal.toml").write_text("colour = 'red'")
    with pytest.raises(ConfigError, match=r"/seal\.toml"):
        store.entry("city")
